"""Drop compiled kernels that may be older than the code they were compiled from.

Numba keeps a compiled function on disk (``cache=True``) and compiles again when that function's own
file changes, but not when a function that it calls, from another file, does. So in a checkout,
where sources change, an edit to one file of the engine could leave old machine code of another in
use. Removing every kernel older than the newest source of the engine is the simplest cure: it costs
one compilation after an edit. The tests, ``make demo`` and ``make bench`` do it first. An installed
wheel has no need of it: installing writes every file anew.
"""

from __future__ import annotations

from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1] / "src" / "shrinkage" / "engine"


def drop(engine: Path = ENGINE) -> list[Path]:
    """Remove the stale kernels under `engine`, if any, and tell which."""
    newest = max((source.stat().st_mtime for source in engine.rglob("*.py")), default=0.0)
    kernels = [*engine.rglob("__pycache__/*.nbi"), *engine.rglob("__pycache__/*.nbc")]
    stale = [kernel for kernel in kernels if kernel.stat().st_mtime < newest]
    for kernel in stale:
        kernel.unlink(missing_ok=True)
    return stale


if __name__ == "__main__":
    if dropped := drop():
        print(f"the engine has changed: dropped {len(dropped)} files of compiled kernels")
