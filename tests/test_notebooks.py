"""The lesson's notebooks: each is what its source says, installs first, and runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import notebooks
import pytest

SOURCES = notebooks.sources()
NAMES = [source.stem for source in SOURCES]
SECTIONS = (
    "overfitting", "solutions", "penalties", "keras", "results", "l1-or-l2", "choosing-lambda",
    "checklist", "prompts", "exercises",
)  # fmt: skip


def _stored(source: Path) -> dict[str, Any]:
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    stored: dict[str, Any] = json.loads(text)
    return stored


def _cells(notebook: dict[str, Any]) -> list[tuple[str, str]]:
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


@pytest.fixture(autouse=True)
def no_figure_is_left() -> Iterator[None]:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_every_section_has_its_notebook_and_nothing_else_is_there() -> None:
    assert [f"{place:02}-{name}" for place, name in enumerate(SECTIONS, start=1)] == NAMES
    made = sorted(path.stem for path in notebooks.FOLDER.glob("*.ipynb"))
    assert made == NAMES


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_notebook_is_what_its_source_says(source: Path) -> None:
    made = notebooks.notebook_of(source)
    assert _cells(_stored(source)) == _cells(made), (
        f"{source.stem}.ipynb differs from its source; run: python scripts/notebooks.py "
        f"{source.stem}"
    )


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_the_first_cell_installs_where_the_package_is_missing(source: Path) -> None:
    kind, first = _cells(_stored(source))[0]
    assert kind == "code"
    assert re.search(
        r'^except ImportError:.*\n    %pip install -q "shrinkage\[plot[a-z,]*\]"\n    import '
        r"shrinkage$",
        first,
        flags=re.MULTILINE,
    ), first


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_outputs_are_those_of_one_clean_run(source: Path) -> None:
    stored = _stored(source)
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    measured = code[-1]["outputs"]  # every section ends with what was measured
    assert measured
    assert re.search(r"\d", "".join(measured[0]["text"]))
    assert source.with_suffix(".ipynb").stat().st_size <= notebooks.LARGEST


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_notebook_names_no_place_of_the_machine_that_ran_it(source: Path) -> None:
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert not re.search(r"/(?:tmp|usr|home|Users|opt|mnt)/|site-packages|0x[0-9a-f]{8}", text)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_notebook_runs_without_error_or_warning(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On small settings, in this process; without a kernel's start that takes a second or two."""
    import matplotlib as mpl

    mpl.use("agg")
    monkeypatch.setenv(notebooks.SMALL, "1")
    text = source.read_text(encoding="utf-8")
    exec(compile(text, source.name, "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr()
    assert not printed.err
    assert re.search(r"\d", printed.out.splitlines()[-1] + printed.out.splitlines()[-2])


@pytest.mark.slow
def test_a_notebook_runs_in_a_kernel() -> None:
    source = SOURCES[NAMES.index("05-results")]
    ran = notebooks.run(notebooks.notebook_of(source), small=True)
    outputs = [output for cell in ran.cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
    assert "The spread of the first kernel shrinks" in ran.cells[-1]["outputs"][0]["text"]
    # The same kinds of outputs in the same places as in the notebook that is stored.
    kinds = [[o["output_type"] for o in cell.get("outputs", ())] for cell in ran.cells]
    stored = _stored(source)["cells"]
    assert kinds == [[o["output_type"] for o in cell.get("outputs", ())] for cell in stored]


def test_a_notebook_is_made_the_same_every_time() -> None:
    source = SOURCES[0]
    first, second = (notebooks.written(notebooks.notebook_of(source)) for _ in "12")
    assert first == second


def test_new_prose_keeps_the_outputs_and_new_code_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCES[2]
    copy = tmp_path / source.name
    copy.with_suffix(".ipynb").write_bytes(source.with_suffix(".ipynb").read_bytes())
    text = source.read_text(encoding="utf-8")
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    copy.write_text(text.replace("# # Penalties", "# # All penalties"), encoding="utf-8")
    assert notebooks.main(["--prose", source.stem]) == 0
    new, old = _stored(copy), _stored(source)
    assert [c.get("outputs") for c in new["cells"]] == [c.get("outputs") for c in old["cells"]]
    assert _cells(new)[1][1].startswith("# All penalties")
    copy.write_text(text.replace("ALPHA, LAM = 0.1", "ALPHA, LAM = 0.2"), encoding="utf-8")
    assert not notebooks.keep_outputs(notebooks.notebook_of(copy), copy)
