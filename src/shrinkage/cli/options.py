"""What the user asked for, read and checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shrinkage.data.target import TASKS
from shrinkage.errors import SettingError, require_known
from shrinkage.network import ACTIVATIONS, INITIALIZATIONS, Network
from shrinkage.penalties import Penalty, parse_penalty
from shrinkage.scores import METRICS
from shrinkage.training import CLASS_WEIGHTS, OPTIMIZERS, SCHEDULES, Training
from shrinkage.tune import RULES, Plan

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Options:
    """A command, understood.

    Parameters
    ----------
    source : str
        File or bundled name.
    target : tuple of str or None
        As given; None when it was not.
    task, folds, repeats, samples, noise, seed, threads
        As in :func:`shrinkage.data.prepare`, :func:`shrinkage.data.open_source` and
        :class:`shrinkage.tune.Search`.
    network : dict
        Fields of :class:`Network` except the numbers of inputs and outputs.
    training : dict
        Fields of :class:`Training` that were given.
    plan : dict
        Other fields of :class:`Plan` that were given.
    output : str or None
        Where the report is to be written.
    json, quiet : bool
        What is printed.
    given : frozenset of str
        Names of the settings that the user chose, to tell them from those chosen for the user.
    command : str
        The command line, to be shown.
    """

    source: str
    target: tuple[str, ...] | None
    task: str
    folds: int | None
    repeats: int | None
    samples: int | None
    noise: float | None
    seed: int
    threads: int | None
    network: Mapping[str, Any]
    training: Mapping[str, Any]
    plan: Mapping[str, Any]
    output: str | None
    json: bool
    quiet: bool
    given: frozenset[str]
    command: str


def read_options(raw: Mapping[str, Any], command: str = "") -> Options:
    """Understand the values of the command line.

    Parameters
    ----------
    raw : mapping
        Values by the names of :func:`shrinkage.cli.app.run`'s parameters; None or an empty list
        where nothing was given.
    command : str, default ""
        The command line, to be shown.

    Returns
    -------
    Options

    Raises
    ------
    SettingError
        On the first value that cannot be used.
    """
    if raw["json"] and raw["quiet"]:
        raise SettingError("--json and --quiet exclude each other; choose one")
    network: dict[str, Any] = {
        "hidden": _hidden(raw["hidden"]),
        "activation": _choice("activation", raw["activation"], ACTIVATIONS),
        "initialization": raw["initialization"]
        and _choice("initialization", raw["initialization"], INITIALIZATIONS),
    }
    training = _training(raw)
    plan: dict[str, Any] = {
        "penalties": _penalties(raw["penalty"]),
        "rule": _choice("rule", raw["rule"], RULES),
        "seed": raw["seed"],
    }
    if raw["lambdas"] is not None:
        plan["lambdas"] = _lambdas(raw["lambdas"])
    if raw["metric"] is not None:
        plan["metric"] = _choice("metric", raw["metric"], METRICS)
    _check_counts(raw)
    # The rooms' own checks, on stand-ins for what only the data can tell.
    Plan(Network(1, **network), Training("mean_squared_error", **training), **plan)
    return Options(
        source=raw["source"],
        target=tuple(raw["target"]) if raw["target"] else None,
        task=_choice("task", raw["task"], TASKS),
        network=network,
        training=training,
        plan=plan,
        given=frozenset(name for name, value in raw.items() if value not in (None, [], ())),
        command=command,
        **{name: raw[name] for name in ("folds", "repeats", "samples", "noise")},
        **{name: raw[name] for name in ("seed", "threads", "output", "json", "quiet")},
    )


def _training(raw: Mapping[str, Any]) -> dict[str, Any]:
    optimizer = _choice("optimizer", raw["optimizer"], OPTIMIZERS)
    if optimizer != "sgd" and (raw["momentum"] is not None or raw["nesterov"]):
        name = "--nesterov" if raw["nesterov"] else "--momentum"
        raise SettingError(f"{name} has no effect on {optimizer}; add --optimizer sgd or leave it")
    training = {
        "optimizer": optimizer,
        "schedule": _choice("schedule", raw["schedule"], SCHEDULES),
        "class_weight": _choice("class weight", raw["class_weight"], CLASS_WEIGHTS),
        "nesterov": raw["nesterov"],
    }
    for name in ("epochs", "batch_size", "learning_rate", "momentum"):
        if raw[name] is not None:
            training[name] = raw[name]
    return training


def _check_counts(raw: Mapping[str, Any]) -> None:
    for name, least in (("threads", 1), ("folds", 2), ("repeats", 1)):
        if raw[name] is not None and raw[name] < least:
            raise SettingError(f"--{name} is {raw[name]}; it must be at least {least}")


def _choice(what: str, given: str, known: Iterable[str]) -> str:
    """A name in the spelling that the rooms know, whatever its case and hyphens."""
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    names = list(known)
    if name not in names:
        require_known(what, given, names)
    return name


def _penalties(text: str) -> tuple[Penalty, ...]:
    return tuple(dict.fromkeys(parse_penalty(word) for word in _words(text)))


def _hidden(text: str) -> tuple[int, ...]:
    if text.strip().lower() in ("", "none"):
        return ()
    return tuple(_numbers(text, "--hidden", int, "a whole number", "128,128"))


def _lambdas(text: str) -> tuple[float, ...]:
    return tuple(_numbers(text, "--lambdas", float, "a number", "0.001,0.01,0.1"))


def _numbers(
    text: str, option: str, read: Callable[[str], Number], kind: str, example: str
) -> list[Number]:
    numbers = []
    for word in _words(text):
        try:
            numbers.append(read(word))
        except ValueError:
            raise SettingError(
                f"'{word}' in {option} is not {kind}; write them separated by commas, such as "
                f"{option} {example}"
            ) from None
    return numbers


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
