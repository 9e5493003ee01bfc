"""What is printed, as rich renderables: each function looks at a result and computes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from shrinkage.terminal.plain import plain

if TYPE_CHECKING:
    from shrinkage.data import Data
    from shrinkage.findings import Findings
    from shrinkage.tune import Plan

_VERDICTS = {"overfits": "red", "underfits": "yellow", "balanced": "green"}
_LABEL_WIDTH = 9
_INTERVAL = r"\[-?[\d.,∞]+, -?[\d.,∞]+\]"


def understood(data: Data) -> RenderableType:
    """The description's sentences; its warnings stand out."""
    description = data.description
    said = description.sentences[: len(description.sentences) - len(description.warnings)]
    return _labelled(
        [("Data", said, ""), ("Warning", description.warnings, "yellow")],
    )


def planned(
    plan: Plan, data: Data, expected: int, threads: int, given: frozenset[str]
) -> RenderableType:
    """Network, training, plan, and which of these the user may want to set."""
    return _labelled(
        [
            ("Network", [_network(plan)], ""),
            ("Training", [_training(plan, threads)], ""),
            ("Plan", [_path(plan, data, expected), _settable(given)], ""),
        ]
    )


def _network(plan: Plan) -> str:
    from shrinkage.network import layout

    network, places = plan.network, layout(plan.network)
    start = f"{network.initialization} initialization" if network.initialization else ""
    shape = "-".join(str(size) for size in network.sizes)
    kind = ", ".join(filter(None, [network.activation if network.hidden else "linear", start]))
    weights = "hidden weights" if network.hidden else "weights"
    return (
        f"{shape} ({kind}): {places.size:,} parameters, of which the {places.penalized.stop:,} "
        f"{weights} are penalized."
    )


def _training(plan: Plan, threads: int) -> str:
    training = plan.training
    falls = " falling to 0" if training.schedule == "cosine" else ""
    momentum = ""
    if training.optimizer == "sgd":
        kind = "Nesterov momentum" if training.nesterov else "momentum"
        momentum = f" with {kind} {training.momentum:g}"
    balanced = ", balanced class weights" if training.class_weight == "balanced" else ""
    return (
        f"{training.optimizer}{momentum}, learning rate {training.learning_rate:g}{falls}, batches "
        f"of {training.batch_size}, {_counted(training.epochs, 'epoch')}{balanced}; seed "
        f"{plan.seed}, {_counted(threads, 'thread')}."
    )


def _path(plan: Plan, data: Data, expected: int) -> str:
    repeats = f" × {data.repeats} repeats" if data.repeats > 1 else ""
    if not plan.tries_penalties:
        return f"No penalty is tried (λ = 0 alone); {data.folds} folds{repeats}; {expected:,} fits."
    names = _listed([penalty.label for penalty in plan.penalties])
    where = "λ found automatically"
    if plan.lambdas is not None:
        where = f"λ = {_lambdas(plan.lambdas)}"
    # Of given λ the number is known, but for refits that are spared if no penalty is best.
    about = "about " if plan.lambdas is None else "up to "
    rule = "one standard error" if plan.rule == "one_standard_error" else "minimum"
    return (
        f"{names}; {where}; {data.folds} folds{repeats}; {about}{expected:,} fits. Chosen by "
        f"{plan.metric.replace('_', ' ')} ({rule} rule)."
    )


def _lambdas(lambdas: Iterable[float]) -> str:
    from shrinkage.penalties import describe_lambda

    # A comma inside a number must not be taken for one between two.
    shown = [describe_lambda(lam) for lam in lambdas]
    return ("; " if any("," in text for text in shown) else ", ").join(shown)


_CHOSEN = {
    "batch_size": "--batch-size",
    "epochs": "--epochs",
    "folds": "--folds",
    "repeats": "--repeats",
    "lambdas": "--lambdas",
}
"""What follows from the table's size unless it is given, and the option that gives it."""


def _settable(given: frozenset[str]) -> Text:
    chosen = [option for name, option in _CHOSEN.items() if name not in given]
    text = "Every choice can be set: see shrinkage run --help."
    if chosen:
        text = (
            f"Chosen for this table, and yours to set: {_listed(chosen)}; more in shrinkage run "
            "--help."
        )
    return Text(text, style="dim")


def findings(found: Findings) -> list[RenderableType]:
    """Four numbered findings, then notes on what is missing."""
    verdict = found.diagnosis.heading
    parts: list[RenderableType] = []
    for number, (title, sentence) in enumerate(found.sentences, start=1):
        line = Text(f"{number} {title}", style="bold")
        if number == 1:
            line.append(": ").append(plain(verdict), style=_VERDICTS.get(verdict, ""))
        parts += [line, Padding(_sentence(sentence), (0, 0, 1, 2))]
    if found.notes:
        parts += [_labelled([("Note", found.notes, "yellow")]), Text("")]
    return parts


def heading(title: str) -> RenderableType:
    """A titled line above a program."""
    return Rule(Text(plain(title), style="bold"), align="left", style="dim")


def program(code: str) -> Text:
    """Python, highlighted where there are colours, with every line as long as it is."""
    from rich.syntax import Syntax

    theme = "ansi_dark"  # the terminal's own colours, so it reads on any background
    text = Syntax(code, "python", theme=theme, background_color="default").highlight(code)
    text.rstrip()
    return text.append("\n")


def where(path: str) -> Text:
    """The report's path, on one line however long."""
    return Text.assemble(("Report ", "bold"), (path, "cyan"))


def _labelled(rows: Iterable[tuple[str, Iterable[str | Text], str]]) -> Table:
    """Paragraphs with a label on the left of each group's first."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_LABEL_WIDTH, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for label, sentences, style in rows:
        shown = label
        for sentence in sentences:
            text = sentence if isinstance(sentence, Text) else Text(plain(sentence), style=style)
            table.add_row(Text(shown, style=f"bold {style}".strip()), text)
            shown = ""
    return table


def _sentence(sentence: str) -> Text:
    text = Text(plain(sentence))
    text.highlight_regex(_INTERVAL, style="cyan")
    return text


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
