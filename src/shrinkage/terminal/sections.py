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
    from shrinkage.training import Training
    from shrinkage.tune import Plan, Search
    from shrinkage.tune.joint import JointSearch

_VERDICTS = {"overfits": "red", "underfits": "yellow", "balanced": "green"}
_LABEL_WIDTH = 9
_INTERVAL = r"\[-?[\d.,∞]+, -?[\d.,∞]+\]"


def understood(data: Data) -> RenderableType:
    """The description's sentences; its warnings stand out."""
    description = data.description
    said = description.sentences[: len(description.sentences) - len(description.warnings)]
    return labelled(
        [("Data", said, ""), ("Warning", description.warnings, "yellow")],
    )


def planned(
    search: Search | JointSearch, data: Data, threads: int, given: frozenset[str]
) -> RenderableType:
    """Network, training, plan, and which of these the user may want to set."""
    from shrinkage.tune.joint import JointSearch

    plan = search.plan
    way = (
        _joint(search, data)
        if isinstance(search, JointSearch)
        else _path(plan, data, search.expected)
    )
    return labelled(
        [
            ("Network", [_network(plan)], ""),
            ("Training", [training(plan.training, plan.seed, threads)], ""),
            ("Plan", [way, _settable(given)], ""),
        ]
    )


def _network(plan: Plan) -> str:
    from shrinkage.network import layout, perceptron_of

    network, places = perceptron_of(plan.network), layout(plan.network)
    start = f"{network.initialization} initialization" if network.initialization else ""
    shape = "-".join(str(size) for size in network.sizes)
    kind = ", ".join(filter(None, [network.activation if network.hidden else "linear", start]))
    weights = "hidden weights" if network.hidden else "weights"
    return (
        f"{shape} ({kind}): {places.size:,} parameters, of which the {places.penalized.stop:,} "
        f"{weights} are penalized."
    )


def training(how: Training, seed: int, threads: int) -> str:
    """How networks are trained, in one sentence."""
    from shrinkage.findings.ingredients import ingredients

    falls = " falling to 0" if how.schedule == "cosine" else ""
    momentum = ""
    if how.optimizer == "sgd":
        kind = "Nesterov momentum" if how.nesterov else "momentum"
        momentum = f" with {kind} {how.momentum:g}"
    balanced = ", balanced class weights" if how.class_weight == "balanced" else ""
    more = "".join(f", {ingredient}" for ingredient in ingredients(how))
    return (
        f"{how.optimizer}{momentum}, learning rate {how.learning_rate:g}{falls}, batches "
        f"of {how.batch_size}, {_counted(how.epochs, 'epoch')}{balanced}{more}; seed "
        f"{seed}, {_counted(threads, 'thread')}."
    )


def _path(plan: Plan, data: Data, expected: int) -> str:
    repeats = f" × {data.repeats} repeats" if data.repeats > 1 else ""
    if not plan.tries_penalties:
        return f"No penalty is tried (λ = 0 alone); {data.folds} folds{repeats}; {expected:,} fits."
    names = listed([penalty.label for penalty in plan.penalties])
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


def _joint(search: JointSearch, data: Data) -> str:
    repeats = f" × {data.repeats} repeats" if data.repeats > 1 else ""
    names = listed([penalty.label for penalty in search.space.penalties])
    return (
        f"Joint search of penalty ({names}), λ, dropout, noise, mixup, label smoothing, learning "
        f"rate, epochs, width and depth; budget {search.budget}; {data.folds} folds{repeats}, of "
        f"which poor recipes see one or a few; a committee of {search.committee}. Chosen by "
        f"{search.plan.metric.replace('_', ' ')}."
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
            f"Chosen for this table, and yours to set: {listed(chosen)}; more in shrinkage run "
            "--help."
        )
    return Text(text, style="dim")


def findings(found: Findings) -> list[RenderableType]:
    """Four numbered findings, then notes on what is missing."""
    verdict = found.diagnosis.heading
    parts: list[RenderableType] = []
    for number, (title, words) in enumerate(found.sentences, start=1):
        line = Text(f"{number} {title}", style="bold")
        if number == 1:
            line.append(": ").append(plain(verdict), style=_VERDICTS.get(verdict, ""))
        parts += [line, Padding(sentence(words), (0, 0, 1, 2))]
    if found.notes:
        parts += [labelled([("Note", found.notes, "yellow")]), Text("")]
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


def where(path: str, what: str = "Report") -> Text:
    """A path, on one line however long."""
    return Text.assemble((f"{what} ", "bold"), (path, "cyan"))


def labelled(rows: Iterable[tuple[str, Iterable[str | Text], str]]) -> Table:
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


def sentence(words: str) -> Text:
    """A sentence whose intervals stand out."""
    text = Text(plain(words))
    text.highlight_regex(_INTERVAL, style="cyan")
    return text


def listed(words: list[str]) -> str:
    """Words with commas and an "and"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
