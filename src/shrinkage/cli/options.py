"""What the user asked for, read and checked before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shrinkage.cli.exhibits import read_exhibits
from shrinkage.cli.words import choice, numbers, words
from shrinkage.data.target import TASKS
from shrinkage.errors import SettingError
from shrinkage.exhibits import Exhibit
from shrinkage.network import ACTIVATIONS, INITIALIZATIONS, Network
from shrinkage.penalties import Penalty, parse_penalty
from shrinkage.scores import METRICS
from shrinkage.training import (
    CLASS_WEIGHTS,
    LAM_SCHEDULES,
    OPTIMIZERS,
    SCHEDULES,
    Augmentation,
    Training,
)
from shrinkage.tune import RULES, Plan
from shrinkage.tune.joint import parse_budget

_ENDLESS = 2**31
"""Epochs before the table has decided on them."""
_USUAL_CHANGES = {"rotate": 10.0, "shift": 0.1, "scale": 0.1, "flip": False}
"""What happens to images unless it is said otherwise."""
_SHAPE = re.compile(r"\s*(\d{1,6})\s*[xX×,]\s*(\d{1,6})\s*")
_REGULARIZERS = (
    "dropout",
    "input_dropout",
    "input_noise",
    "mixup",
    "label_smoothing",
    "patience",
    "max_norm",
    "averaging",
    "relaxed_epochs",
)
"""Numbers of the same name in :class:`Training`."""


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
        Other fields of :class:`Plan` that were given; empty for commands without a search.
    joint : dict or None
        Budget, committee and storage of a joint search; None for a λ path.
    exhibits : tuple of Exhibit
        The one that is the command, or those to be shown with a search.
    output : str or None
        Where the report is to be written.
    json, quiet : bool
        What is printed.
    given : frozenset of str
        Names of the settings that the user chose, to tell them from those chosen for the user.
    command : str
        The command line, to be shown.
    study : str or None, default None
        The study file that fits go into and come from.
    dask : str or None, default None
        Where a Dask cluster trains.
    fit_limit : float or None, default None
        Seconds that one training may take.
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
    joint: Mapping[str, Any] | None
    exhibits: tuple[Exhibit, ...]
    output: str | None
    json: bool
    quiet: bool
    given: frozenset[str]
    command: str
    study: str | None = None
    dask: str | None = None
    fit_limit: float | None = None


def read_options(raw: Mapping[str, Any], command: str = "") -> Options:
    """Understand the values of the command line.

    Parameters
    ----------
    raw : mapping
        Values by the names in :mod:`shrinkage.cli.declared`, as far as the command has them; None
        or an empty list where nothing was given.
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
        **({"hidden": _hidden(raw["hidden"])} if "hidden" in raw else {}),
        "activation": choice("activation", raw["activation"], ACTIVATIONS),
        "initialization": raw["initialization"]
        and choice("initialization", raw["initialization"], INITIALIZATIONS),
    }
    training = _training(raw)
    if raw.get("study") == "":
        raise SettingError("--study is empty; name a file such as moons.study")
    plan = _plan(raw)
    _check_counts(raw)
    # The rooms' own checks, on stand-ins for what only the data can tell.
    Plan(
        Network(1, **network),
        Training("cross_entropy", **({"epochs": _ENDLESS} | training)),
        **plan,
    )
    return Options(
        source=raw["source"],
        target=tuple(raw["target"]) if raw["target"] else None,
        task=choice("task", raw["task"], TASKS),
        network=network,
        training=training,
        plan=plan,
        joint=_joint(raw),
        exhibits=read_exhibits(raw),
        study=raw.get("study"),
        dask=_dask(raw),
        fit_limit=_fit_limit(raw),
        given=frozenset(name for name, value in raw.items() if value not in (None, [], ())),
        command=command,
        **{name: raw[name] for name in ("folds", "repeats", "samples", "noise")},
        **{name: raw[name] for name in ("seed", "threads", "output", "json", "quiet")},
    )


def _dask(raw: Mapping[str, Any]) -> str | None:
    """Checked; whether something answers there is seen later."""
    if raw.get("dask") is None:
        return None
    from shrinkage.clusters.connecting import read_place

    if read_place(raw["dask"]).address is not None and raw["threads"] is not None:
        raise SettingError(
            "--threads does not go with the address of a Dask cluster, which has the workers that "
            "it has; leave one"
        )
    return str(raw["dask"])


def _fit_limit(raw: Mapping[str, Any]) -> float | None:
    """Seconds, written as the time of a budget is."""
    text = raw.get("fit_limit")
    if text is None:
        return None
    try:
        seconds = parse_budget(text).seconds
    except SettingError:
        seconds = None
    if seconds is None:
        raise SettingError(
            f"'{text}' in --fit-limit is no time above 0; write one with its unit, such as "
            "--fit-limit 30s or --fit-limit 2min"
        )
    return seconds


def _plan(raw: Mapping[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = {"seed": raw["seed"]}
    if "penalty" not in raw:  # an exhibit without a search
        return plan
    if raw["penalty"] is not None:
        plan["penalties"] = _penalties(raw["penalty"])
    plan["rule"] = choice("rule", raw["rule"], RULES)
    if raw["lambdas"] is not None:
        plan["lambdas"] = _lambdas(raw["lambdas"])
    if raw["metric"] is not None:
        plan["metric"] = choice("metric", raw["metric"], METRICS)
    return plan


def _joint(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `--tune all` needs, and that nothing of it is said without it."""
    if "tune" not in raw:
        return None
    wanted = choice("tuning", raw["tune"], ("path", "all")) == "all"
    for name in ("budget", "committee", "storage"):
        if raw[name] is not None and not wanted:
            raise SettingError(f"--{name} is for the joint search; add --tune all or leave it")
    if not wanted:
        return None
    if raw.get("study") is not None and raw["storage"] is not None:
        raise SettingError("--study keeps all that --storage does, and the fits too; leave one")
    if raw["lambdas"] is not None:
        raise SettingError("--lambdas does not go with --tune all, which looks for λ; leave one")
    if raw["rule"] != "minimum":
        raise SettingError("--rule is for the λ path; --tune all takes the best recipe")
    for name in ("dropout", "input_noise", "mixup", "label_smoothing", "lam_schedule"):
        if raw.get(name) is not None:
            option = name.replace("_", "-")
            raise SettingError(
                f"--{option} does not go with --tune all, which looks for it itself; leave one"
            )
    committee = 5 if raw["committee"] is None else raw["committee"]
    if committee < 1:
        raise SettingError(f"--committee is {committee}; it needs at least 1 network")
    return {
        "budget": parse_budget(raw["budget"] or "60s"),
        "committee": committee,
        "storage": raw["storage"],
    }


def _training(raw: Mapping[str, Any]) -> dict[str, Any]:
    optimizer = choice("optimizer", raw["optimizer"], OPTIMIZERS)
    if optimizer != "sgd" and (raw["momentum"] is not None or raw["nesterov"]):
        name = "--nesterov" if raw["nesterov"] else "--momentum"
        raise SettingError(f"{name} has no effect on {optimizer}; add --optimizer sgd or leave it")
    training = {
        "optimizer": optimizer,
        "schedule": choice("schedule", raw["schedule"], SCHEDULES),
        "class_weight": choice("class weight", raw["class_weight"], CLASS_WEIGHTS),
        "nesterov": raw["nesterov"],
    }
    for name in ("epochs", "batch_size", "learning_rate", "momentum", *_REGULARIZERS):
        if raw.get(name) is not None:
            training[name] = raw[name]
    if raw.get("lam_schedule") is not None:
        training["lam_schedule"] = choice("λ schedule", raw["lam_schedule"], LAM_SCHEDULES)
    augmentation = _augmentation(raw)
    return training if augmentation is None else training | {"augmentation": augmentation}


def _augmentation(raw: Mapping[str, Any]) -> Augmentation | None:
    raw = {name: value for name, value in raw.items() if value is not None and value is not False}
    given = {name: raw[name] for name in _USUAL_CHANGES if name in raw}
    if "image" not in raw:
        for name in given:
            raise SettingError(
                f"--{name} is for images; say how the pixels lie, such as --image 8x8, or leave it"
            )
        return None
    shape = _SHAPE.fullmatch(raw["image"])
    if shape is None:
        raise SettingError(
            f"'{raw['image']}' in --image is no shape; write rows and columns of pixels, such as "
            "--image 8x8"
        )
    return Augmentation((int(shape[1]), int(shape[2])), **(_USUAL_CHANGES | given))


def _check_counts(raw: Mapping[str, Any]) -> None:
    for name, least in (("threads", 1), ("folds", 2), ("repeats", 1)):
        if raw[name] is not None and raw[name] < least:
            raise SettingError(f"--{name} is {raw[name]}; it must be at least {least}")


def _penalties(text: str) -> tuple[Penalty, ...]:
    return tuple(dict.fromkeys(parse_penalty(word) for word in words(text)))


def _hidden(text: str) -> tuple[int, ...]:
    if text.strip().lower() in ("", "none"):
        return ()
    return tuple(numbers(text, "--hidden", int, "128,128"))


def _lambdas(text: str) -> tuple[float, ...]:
    return tuple(numbers(text, "--lambdas", float, "0.001,0.01,0.1"))
