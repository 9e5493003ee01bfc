"""House rules that no single room can keep: light imports, few names, clean files, true docs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import shrinkage

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "shrinkage"
HEAVY = {
    "bokeh",
    "dask",
    "jax",
    "keras",
    "llvmlite",
    "matplotlib",
    "numba",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "skrub",
    "tensorflow",
    "torch",
}
ROOMS = sorted(
    path.stem
    for path in PACKAGE.iterdir()
    if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.stem.startswith("__")
)


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Files that are, or are about to be, in the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode:
        pytest.skip("not a git checkout, so there are no tracked files to look at")
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("module", ["shrinkage", "shrinkage.cli"])
def test_import_is_light(module: str) -> None:
    program = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert not HEAVY & set(loaded.stdout.split())


def test_public_names_are_few_and_all_there() -> None:
    assert len(shrinkage.__all__) <= 20
    assert sorted(shrinkage.__all__) == sorted(set(shrinkage.__all__))
    for name in shrinkage.__all__:
        assert getattr(shrinkage, name) is not None
        assert name in dir(shrinkage)


def test_no_public_name_is_a_room() -> None:
    # Importing a room binds its name in the package, over a lazy name that is spelt the same.
    assert not set(shrinkage.__all__) & set(ROOMS)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Netwrok'"):
        _ = shrinkage.Netwrok  # type: ignore[attr-defined]


def test_version_has_one_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert shrinkage.__version__ == project["version"]
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("room", ROOMS)
def test_the_map_shows_every_room(room: str) -> None:
    house = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    existing = house.split("## Planned rooms")[0]
    assert re.search(rf"\b{room}(\.py|/)", existing), f"docs/architecture.md does not show {room}"


def test_the_map_shows_no_room_that_is_missing() -> None:
    house = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = house.split("```")[1]
    shown = re.findall(r"^  (\w+)(?:\.py|/)\s", tree, flags=re.MULTILINE)
    assert sorted(name for name in shown if not name.startswith("__")) == ROOMS


def test_no_machine_path_in_the_repository(tracked: list[Path]) -> None:
    # Put together here, so that this file does not find itself.
    places = [f"/{place}/" for place in ("root", "work", "home")]
    found = [
        f"{path.relative_to(ROOT)}: {place}"
        for path in tracked
        for place in places
        if place.encode() in path.read_bytes()
    ]
    assert not found


def test_readme_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python blocks of the README run in their order, as one program."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "readme"}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"README.md, python block {number}", "exec"), namespace)
