"""`shrinkage lambda`: the answer, the tables, what is refused, and the page that shows them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shrinkage.conventions import SETTINGS, Circumstances
from shrinkage.conventions.wording import to_ours

PAGE = (Path(__file__).parents[2] / "docs" / "lambda.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
SHOWN = [shown for block in BLOCKS for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.splitlines()[0][17:])
def test_the_page_shows_what_is_printed(command: Any, shown: str) -> None:
    line, *printed = shown.strip().split("\n")
    program, *arguments = shlex.split(line)
    assert program == "shrinkage"
    outcome = command(*arguments)
    assert (outcome.out or outcome.err).strip().split("\n") == printed
    assert outcome.code == (2 if outcome.err else 0)


def test_the_page_lists_every_setting_with_its_formula() -> None:
    rows = [row.split(" | ") for row in PAGE.splitlines() if row.startswith("| `")]
    listed = {row[0].strip("|` "): row[2] for row in rows}
    assert list(listed) == [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        around = Circumstances(targets=int(setting.loss == "regression"))
        formula = "none: lr · wd" if setting.decoupled else "<br>".join(to_ours(setting, around))
        assert listed[setting.name] == formula


def test_the_python_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    exec(compile(block, "docs/lambda.md", "exec"), {})
    assert "torch.sgd acts on every parameter" in capsys.readouterr().out


def test_the_value_comes_first(command: Any) -> None:
    outcome = command(*shlex.split("lambda 0.01 --from keras.l2 --to torch.sgd"))
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == "weight_decay = 0.02"
    assert outcome.err == ""


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "line",
    [
        "lambda",
        "lambda 0.01 --from keras.l2 --rows 800",
        "lambda 0.01 --from keras.l2 --to torch.sgd",
        "lambda 0.1 --from glmnet --to keras.l1_l2 --l1-ratio 0.3",
        "lambda 0.1 --from torch.adamw --learning-rate 0.1",
        "lambda --help",
    ],
)
def test_no_line_is_wider_than_the_terminal(
    command: Any, monkeypatch: pytest.MonkeyPatch, line: str, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    outcome = command(*line.split())
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) > 10


def test_list_of_all_settings(command: Any) -> None:
    bare = command("lambda")
    assert bare.out == command("lambda", "--list").out == command("lambda", "0.01", "--list").out
    for setting in SETTINGS:
        assert setting.name in bare.out
    assert re.search(r"keras\.l2 +λ₂ 0\.02 +λ₂ = 2 · l2", bare.out)
    assert re.search(r"sklearn\.mlp +λ₂ 0\.0003125 +λ₂ = alpha / batch", bare.out)
    assert re.search(r"torch\.adamw +none ", bare.out)
    assert "With 800 rows, batches of 32" in bare.out
    smaller = command(*shlex.split("lambda --rows 50 --batch-size 10")).out
    assert "With 50 rows, batches of 10" in smaller


def test_list_for_machines(command: Any) -> None:
    told = json.loads(command("lambda", "0.02", "--list", "--json", "--rows", "100").out)
    by_name = {line["setting"]: line for line in told["settings"]}
    assert list(by_name) == [setting.name for setting in SETTINGS]
    assert by_name["sklearn.mlp.lbfgs"]["lambda2"] == 0.0002
    assert by_name["torch.adamw"]["lambda2"] is None
    assert told["assumed"]["rows"] == 100


def test_everywhere(command: Any) -> None:
    said = command(*shlex.split("lambda 0.01 --from keras.l2 --rows 800")).out
    assert said.startswith("keras.l2: l2 = 0.01 is\n")
    assert re.search(r"torch\.sgd +weight_decay = 0\.02 +weight_decay = λ₂", said)
    assert re.search(r"sklearn\.mlp +add --batch-size", said)
    assert re.search(r"sklearn\.ridge +alpha = 8 ", said)
    for absent in ("torch.adamw", "keras.l1 ", "sklearn.lasso"):
        assert absent not in said
    decoupled = command(*shlex.split("lambda 0.01 --from torch.adamw --learning-rate 0.1")).out
    assert "optax.adamw" in decoupled
    assert "torch.sgd" not in decoupled


def test_answer_for_machines(command: Any) -> None:
    line = "lambda 0.01 --from keras.l2 --to sklearn.mlp --batch-size 32 --targets 1 --json"
    told = json.loads(command(*line.split()).out)
    assert told["to"]["values"] == {"alpha": 0.32}
    assert told["from"]["formulas"] == ["λ₂ = 2 · l2"]
    assert (told["lambda1"], told["lambda2"]) == (0.0, 0.02)
    assert told["to"]["code"] == "MLPRegressor(alpha=0.32, batch_size=…)"
    everywhere = json.loads(command(*shlex.split("lambda 1 --from keras.l1 --json")).out)
    assert {each["to"]["setting"] for each in everywhere["conversions"]} >= {"shrinkage.l1"}


def test_only_the_number(command: Any) -> None:
    quiet = command(*shlex.split("lambda 0.1 --from glmnet --to keras.l1_l2 --l1-ratio 0.3 -q")).out
    assert quiet == "0.03,0.035\n"  # as decimals: 0.1 · 0.3 is not 0.03 in binary
    quiet = command(*shlex.split("lambda 1e-3 --from keras.l1 --to shrinkage.l1 -q")).out
    assert quiet == "0.001\n"


REFUSED = {
    "0.1 --from keras.l3 --to torch.sgd": "did you mean 'keras.l",
    "0.1 --from AdamW": "choose one of: torch.adamw, optax.adamw",
    "0.1 --from zzz": "unknown setting 'zzz'; shrinkage lambda --list shows all of them",
    "0.1 --to keras.l2": "which setting is the number of\\? add --from",
    "--from keras.l2": "which number\\? write it first, such as: shrinkage lambda 0.01 ",
    "abc --from keras.l2": "'abc' is not a number; write one such as 0.01",
    ", --from keras.l2": "the value is empty; write a number",
    "0,01 --from keras.l2": "takes one number, l2, but 0, 1 came; write a decimal point",
    "-0.1 --from keras.l2": "'-0.1' reads like an option, and no number here is negative",
    "nan --from keras.l2": "l2 of keras.l2 is nan; it must be a finite number",
    "1e999 --from keras.l2": "l2 of keras.l2 is inf; it must be a finite number",
    "0.1 0.2 --from keras.l2": "unexpected extra argument",
    "0.1 --from keras.l2 --to torch.adamw": "decoupled decay multiplies",
    "0.1 --from keras.l2 --to keras.l1": "different penalties",
    "0.1 --from sklearn.lasso --to sklearn.logistic": "logistic stands beside a log loss",
    "0.1 --from sklearn.mlp --to keras.l2": "depends on the rows of a batch; add --batch-size$",
    "0.1 --from keras.l2 --to lesson.l2": "depends on the training rows; add --rows$",
    "0.1 --from glmnet --to keras.l1_l2": "the share of L1; add --l1-ratio$",
    "0.1 --from lassonet": "after the momentum .*; add --momentum$",
    "0.1 --from fastai.wd": "must stay the same; add --learning-rate$",
    "0.1 --from glmnet --to keras.l2 --l1-ratio 0.5": "such as keras.l1_l2",
    "0.1 --from glmnet --to keras.l2 --l1-ratio 2": "alpha of glmnet is 2; it must lie between",
    "0.1 --from keras.l2 --rows 0": "rows is 0; it must be at least 1",
    "0.1 --from keras.l2 --rows many": "--rows: 'many' is not a whole number",
    "0.1 --from keras.l2 --momentum 1": "momentum is 1; it must lie in",
    "0.1 --from torch.adamw --learning-rate inf": "learning rate is inf; it must be a finite",
    "0.1 --from keras.l2 --rows 8 --batch-size 9": "a batch cannot have more rows",
    "0 --from keras.l2 --to sklearn.logistic --rows 8": "no penalty at all is C=inf there",
    "0.1 --from keras.l2 --too torch.sgd": "did you mean '--to'\\?",
    "0.1,0.2 --list": "what one number is in every setting; write one",
    "--json --quiet": "exclude each other; choose one",
    "--quiet": "--quiet prints one number",
    "0.1 --from keras.l2 --quiet": "--quiet prints one number; add --to",
}


@pytest.mark.parametrize("line", REFUSED)
def test_input_that_cannot_be_used(command: Any, line: str) -> None:
    assert re.search(REFUSED[line], command("lambda", *line.split()).refusal)


def test_it_imports_nothing_heavy() -> None:
    arguments = ["lambda", "0.01", "--from", "keras.l2", "--to", "torch.sgd"]
    program = (
        f"import sys; from shrinkage.cli import main; code = main({arguments!r});"
        "print(code, *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    code, *loaded = done.stderr.split()
    assert code == "0"
    assert not {"numpy", "pandas", "numba", "scipy", "sklearn", "keras", "torch"} & set(loaded)
