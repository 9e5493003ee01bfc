"""The command line in this process, tables to give it, and settings that keep it quick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shrinkage.cli import main

QUICK = ("--epochs", "2", "--lambdas", "0.01", "--folds", "2", "--repeats", "1", "--hidden", "8")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one sentence on stderr."""
        assert self.code == 2, self.err
        assert self.out == ""
        assert self.err.startswith("shrinkage: error: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("shrinkage: error: ").strip()


@dataclass(frozen=True)
class Command:
    """Runs a command line in an empty directory, 80 columns wide and without colours."""

    folder: Path
    _read: Callable[[], tuple[str, str]]

    def __call__(self, *arguments: str) -> Outcome:
        code = main(list(arguments))
        return Outcome(code, *self._read())

    def quick(self, *arguments: str) -> Outcome:
        """`shrinkage run` with settings that take no time."""
        outcome = self("run", *arguments, *QUICK)
        assert outcome.code == 0, outcome.err
        return outcome

    def files(self) -> set[str]:
        """Names of everything in the working directory."""
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "SHRINKAGE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Command(tmp_path, lambda: tuple(capsys.readouterr()))


@pytest.fixture
def table() -> Callable[..., pd.DataFrame]:
    """Normal inputs x0, x1, … and a target with two classes."""

    def make(rows: int = 60, columns: int = 3) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        values = rng.standard_normal((rows, columns))
        frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(columns)])
        frame["target"] = np.where(values[:, 0] + rng.standard_normal(rows) > 0, "yes", "no")
        return frame

    return make


@pytest.fixture
def good(command: Command, table: Callable[..., pd.DataFrame]) -> str:
    """The name of a file with a table that can be used."""
    table().to_csv(command.folder / "good.csv", index=False)
    return "good.csv"
