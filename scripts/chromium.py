"""Find the Chromium that the browser tests open their pages in, or install Debian's.

Run by ``make test``. Without a Chromium, and without the means to install one, the browser tests
skip and say so; in CI, where a silent gap would be worse than a red run, that is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"no Chromium found (looked for {', '.join(NAMES)} on PATH)"

# A page under test gets no network: none for the browser's own errands, no host that resolves.
FLAGS = (
    "--headless",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def find() -> str | None:
    """Path of the first Chromium on PATH, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install() -> bool:
    """Install Debian's Chromium if this is a Debian and we may; whether that worked."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    print("installing Chromium for the browser tests", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "--yes", "chromium", "fonts-liberation"],
    ):
        done = subprocess.run(
            command,
            env=quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
            return False
    return find() is not None


def main() -> int:
    """Provide Chromium; 1 if CI has to go without."""
    if find() or install():
        return 0
    print(f"{MISSING}: the browser tests will be skipped", file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
