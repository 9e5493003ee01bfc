"""Every option of every command, declared once. Nothing heavy is imported here.

A command is a list of :class:`Declared`; :mod:`shrinkage.cli.app` makes Typer's commands of them.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated, Any

import typer

BUNDLED = "moons, circles, spirals, xor, blobs, breast_cancer, wine, digits, diabetes"

_DATA = "Data"
_NETWORK = "Network"
_TRAINING = "Training"
_REGULARIZERS = "Regularizers besides the penalty"
_IMAGES = "Rows that are images"
_PENALTY = "Penalty and λ"
_JOINT = "Joint search"
_OUTPUT = "Output"
_CAPACITY = "Capacity"
_LESSON = "Lesson"
_SETTINGS = "Settings"
_AROUND = "What a setting may depend on"
_BY_SIZE = "chosen from the table's size"


@dataclass(frozen=True)
class Declared:
    """An option or argument of a command.

    Parameters
    ----------
    name : str
        Of the value in what :func:`shrinkage.cli.options.read_options` gets.
    kind : type
        As Typer reads annotations.
    info : typer.models.ParameterInfo
        How it is written and shown.
    default : object, default None
        Where it is not given.
    """

    name: str
    kind: Any
    info: Any
    default: Any = None

    @property
    def parameter(self) -> inspect.Parameter:
        """As a parameter of a function that Typer may look at."""
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=self.default,
            annotation=Annotated[self.kind, self.info],
        )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a number") from None


def option(
    name: str,
    kind: Any,
    panel: str,
    value: str,
    explanation: str,
    *,
    default: Any = None,
    shown: str | bool = True,
    names: tuple[str, ...] = (),
) -> Declared:
    """An option with a value; `shown` says in words what None stands for."""
    info = typer.Option(
        *names,
        help=explanation,
        show_default=shown,
        metavar=value,
        rich_help_panel=panel,
        parser={"N": _whole, "X": _number}.get(value),
    )
    return Declared(name, kind, info, default)


def switch(name: str, panel: str, explanation: str, *names: str) -> Declared:
    """An option without a value, off unless it is given."""
    info = typer.Option(*names, help=explanation, rich_help_panel=panel)
    return Declared(name, bool, info, False)


SOURCE = Declared(
    "source",
    str,
    typer.Argument(
        metavar="SOURCE",
        help="Your table (CSV, TSV or Parquet, also compressed with gzip), or a bundled one: "
        f"{BUNDLED}.",
        show_default=False,
    ),
    inspect.Parameter.empty,
)
DATA = (
    option(
        *("target", list[str] | None, _DATA, "COLUMN"),
        "Column to predict. Several for a regression of several: repeat the option, or "
        "separate them by commas.",
        shown="the column called target, label, class or y",
    ),
    option(
        *("task", str, _DATA, "NAME"),
        "What is predicted: classification, regression, or auto to tell from the target.",
        default="auto",
    ),
    option(
        *("folds", int | None, _DATA, "N"),
        "Parts of the cross-validation: each is predicted by networks trained on the others.",
        shown=_BY_SIZE,
    ),
    option(
        *("repeats", int | None, _DATA, "N"),
        "Repeat the cross-validation with other parts: narrower intervals, longer run.",
        shown=_BY_SIZE,
    ),
    option(
        *("samples", int | None, _DATA, "N"),
        "Rows of a toy problem (moons, circles, spirals, xor, blobs).",
        shown="1,000",
    ),
    option(
        *("noise", float | None, _DATA, "X"),
        "Spread of the noise in a toy problem.",
        shown="suits the problem",
    ),
)
HIDDEN = option(
    *("hidden", str, _NETWORK, "N,N,…"),
    "Units of each hidden layer, separated by commas; none for a linear model.",
    default="128,128",
)
CAPACITY = (
    option(
        *("widths", str, _CAPACITY, "N,N,…"),
        "Units of each hidden layer to try, separated by commas.",
        default="1,10,50,256,1000",
    ),
    option(
        *("layers", int, _CAPACITY, "N"),
        "Hidden layers, each of that many units.",
        default=1,
    ),
)
NETWORK = (
    option(
        *("activation", str, _NETWORK, "NAME"),
        "After each hidden layer: relu, leaky_relu, elu, selu, gelu, silu, tanh, sigmoid or "
        "identity.",
        default="relu",
    ),
    option(
        *("initialization", str | None, _NETWORK, "NAME"),
        "Spread of the first weights: he, glorot or lecun.",
        shown="suits the activation",
    ),
)
_ONE_PENALTY = (
    option(
        *("one_penalty", str | None, _PENALTY, "NAME"),
        "The penalty: l1, l2, elastic_net, group_units or group_inputs.",
        shown="l2",
        names=("--penalty",),
    ),
    option(
        *("own_lambdas", str | None, _PENALTY, "X,X,…"),
        "Strengths λ to try, separated by commas, such as 0.001,0.01,0.1.",
        shown="half powers of ten",
        names=("--lambdas",),
    ),
)
INTERACTION = (
    *_ONE_PENALTY,
    option(
        *("dropouts", str | None, _REGULARIZERS, "X,X,…"),
        "Shares of hidden units to switch off, separated by commas; 0 is always tried too.",
        shown="0,0.1,0.2,0.35,0.5,0.65",
    ),
)
LEARNING_CURVE = (
    option(
        *("sizes", str | None, _DATA, "X,X,…"),
        "Shares of the training rows to train on, separated by commas; all rows are always tried "
        "too.",
        shown="0.125,0.25,0.5,0.75,1",
    ),
    *_ONE_PENALTY,
)
_DESCENT = (
    option(
        *("epochs", int | None, _TRAINING, "N"),
        "Passes over the training rows.",
        shown=_BY_SIZE,
    ),
    option(
        *("batch_size", int | None, _TRAINING, "N"),
        "Rows in one step.",
        shown=_BY_SIZE,
    ),
    option(
        *("optimizer", str, _TRAINING, "NAME"),
        "adam, adamw (L2 becomes decoupled weight decay), rmsprop or sgd.",
        default="adam",
    ),
    option(
        *("learning_rate", float | None, _TRAINING, "X"),
        "Of the first step.",
        shown="suits the optimizer",
    ),
    option(
        *("schedule", str, _TRAINING, "NAME"),
        "cosine (the learning rate falls to 0) or constant.",
        default="cosine",
    ),
    option(*("momentum", float | None, _TRAINING, "X"), "Of sgd.", shown="0.9"),
    switch("nesterov", _TRAINING, "Nesterov's momentum, for sgd.", "--nesterov"),
    option(
        *("class_weight", str, _TRAINING, "NAME"),
        "none, or balanced: rare classes count as much as frequent ones.",
        default="none",
    ),
    option(
        *("seed", int, _TRAINING, "N"),
        "Of everything random: the same seed gives the same numbers.",
        default=0,
    ),
    option(
        *("threads", int | None, _TRAINING, "N"),
        "Networks trained at the same time; the numbers do not depend on it.",
        shown="all cores",
    ),
    option(
        *("fit_limit", str | None, _TRAINING, "TIME"),
        "The longest that the training of one network may take, such as 30s or 2min: one that "
        "takes longer is given up and left out.",
        shown="none",
    ),
)
_MORE_REGULARIZERS = (
    option(
        *("dropout", float | None, _REGULARIZERS, "X"),
        "Share of hidden units that each step switches off, from 0 to below 1.",
        shown="0",
    ),
    option(
        *("input_dropout", float | None, _REGULARIZERS, "X"),
        "Share of inputs that each step switches off.",
        shown="0",
    ),
    option(
        *("input_noise", float | None, _REGULARIZERS, "X"),
        "Deviation of the noise that each step adds to the inputs, whose own is 1.",
        shown="0",
    ),
    option(
        *("mixup", float | None, _REGULARIZERS, "X"),
        "Each step mixes every row with another one: α of the Beta(α, α) that draws by how much.",
        shown="0",
    ),
    option(
        *("label_smoothing", float | None, _REGULARIZERS, "X"),
        "Share of each target that is spread over all classes.",
        shown="0",
    ),
    option(
        *("patience", int | None, _REGULARIZERS, "N"),
        "Stop early: after so many epochs in which the validation loss has not improved, return to "
        "the best one.",
        shown="never stops early",
    ),
    option(
        *("max_norm", float | None, _REGULARIZERS, "X"),
        "Largest norm of the weights into a hidden unit.",
        shown="no limit",
    ),
    option(
        *("averaging", float | None, _REGULARIZERS, "X"),
        "Judge a moving average of the weights with this decay, such as 0.99.",
        shown="0",
    ),
    option(
        *("lam_schedule", str | None, _REGULARIZERS, "NAME"),
        "How λ rises in the first half of the steps: constant (at once), linear or cosine.",
        shown="constant",
    ),
    option(
        *("relaxed_epochs", int | None, _REGULARIZERS, "N"),
        "At every λ, train what the penalty leaves for so many epochs more without it; zeros stay.",
        shown="0; the choice alone is relaxed, and compared",
    ),
)
_ROWS_AS_IMAGES = (
    option(
        *("image", str | None, _IMAGES, "HxW"),
        "Every row is an image of H rows and W columns of pixels. Each epoch then sees every image "
        "turned, shifted and resized anew.",
        shown="rows are no images",
    ),
    option(*("rotate", float | None, _IMAGES, "X"), "Most degrees, either way.", shown="10"),
    option(
        *("shift", float | None, _IMAGES, "X"),
        "Farthest shift, as a share of height and width.",
        shown="0.1",
    ),
    option(
        *("scale", float | None, _IMAGES, "X"),
        "Largest change of size, as a share of it.",
        shown="0.1",
    ),
    switch("flip", _IMAGES, "Mirror every second image: say so if that means the same.", "--flip"),
)
DASK = option(
    *("dask", str | None, _TRAINING, "ADDRESS"),
    "Train on the workers of a Dask cluster, by its scheduler's address such as tcp://host:8786; "
    "local starts one on this machine, local:8787 with its dashboard. The numbers do not depend "
    "on it.",
    shown="threads of this process",
)
TRAINING = (*_DESCENT, *_MORE_REGULARIZERS, *_ROWS_AS_IMAGES)
WITHOUT_DROPOUT = tuple(one for one in TRAINING if one.name != "dropout")
"""Where dropout is what is varied."""
PENALTY = (
    option(
        *("penalty", str | None, _PENALTY, "NAME,…"),
        "Penalties to try, separated by commas: l1, l2, elastic_net, group_units (whole units "
        "vanish), group_inputs (whole inputs vanish).",
        shown="l1,l2,elastic_net; with --tune all also group_inputs",
    ),
    option(
        *("lambdas", str | None, _PENALTY, "X,X,…"),
        "Strengths λ to try, separated by commas, such as 0.001,0.01,0.1. The penalty added to "
        "the mean loss is λ Σ|w| for L1 and λ/2 Σw² for L2.",
        shown="found automatically",
    ),
    option(
        *("metric", str | None, _PENALTY, "NAME"),
        "What the best λ is best at. Classes: log_loss, accuracy, balanced_accuracy, roc_auc. "
        "Numbers: mean_squared_error, rmse, r2.",
        shown="the loss",
    ),
    option(
        *("rule", str, _PENALTY, "NAME"),
        "Which λ is recommended: minimum (the best) or one_standard_error (the strongest that "
        "is as good as the best within its noise).",
        default="minimum",
    ),
)
TUNE = (
    option(
        *("tune", str, _JOINT, "NAME"),
        "path: penalties along λ. all: penalty, λ, dropout, noise, mixup, label smoothing, "
        "learning rate, epochs, width and depth together.",
        default="path",
    ),
    option(
        *("budget", str | None, _JOINT, "TIME"),
        "What the joint search may take: a time such as 60s or 10m, or a number of fits such as "
        "500fits, which gives the same result however busy the machine is.",
        shown="60s",
    ),
    option(
        *("committee", int | None, _JOINT, "N"),
        "Networks of the best recipe whose predictions are averaged.",
        shown="5",
    ),
    option(
        *("storage", str | None, _JOINT, "FILE"),
        "Keep Optuna's journal of the joint search in a file, and go on from it; --study keeps the "
        "fits too.",
        shown="in memory",
    ),
)
STUDY = option(
    *("study", str | None, _OUTPUT, "FILE"),
    "Keep every fit in a file such as moons.study, and go on from it: only what is missing is "
    "trained. More λ, penalties, folds or repeats may be added.",
    shown="none",
)
WITH = option(
    *("exhibits", list[str] | None, _OUTPUT, "NAME,…"),
    "Add demonstrations, separated by commas: capacity, interaction, learning-curve.",
    shown="none",
    names=("--with",),
)
OUTPUT = (
    option(
        *("output", str | None, _OUTPUT, "PATH"),
        "The report: a file, or a directory for it.",
        shown="./shrinkage-SOURCE.html",
        names=("--output", "-o"),
    ),
    switch("json", _OUTPUT, "Print the findings as JSON.", "--json"),
    switch("quiet", _OUTPUT, "Print only the path of the report.", "--quiet", "-q"),
)
LESSON = (
    option(
        *("only", str | None, _LESSON, "NAME,…"),
        "Only these exhibits, separated by commas, such as neurons,l2,lambdas.",
        shown="all",
    ),
    option(
        *("seeds", int, _LESSON, "N"),
        "Draws of data and first weights behind each interval, at least 2.",
        default=10,
    ),
    option(
        *("epochs", int, _LESSON, "N"),
        "Passes over the lesson's hundred points; exhibits with more rows take fewer.",
        default=2000,
    ),
    option(
        *("seed", int, _LESSON, "N"),
        "Of everything random: the same seed gives the same numbers.",
        default=0,
    ),
    option(
        *("threads", int | None, _LESSON, "N"),
        "Networks trained at the same time; the numbers do not depend on it.",
        shown="all cores",
    ),
    option(
        *("output", str | None, _OUTPUT, "PATH"),
        "The page: a file, or a directory for it.",
        shown="./lesson.html",
        names=("--output", "-o"),
    ),
    switch("json", _OUTPUT, "Print claims, verdicts and tables as JSON.", "--json"),
    switch("quiet", _OUTPUT, "Print only the path of the page.", "--quiet", "-q"),
)
CONVERSION = (
    Declared(
        "value",
        str | None,
        typer.Argument(
            metavar="VALUE",
            help="The number to convert; two separated by a comma for a setting of two.",
            show_default="0.01",
        ),
    ),
    option(
        *("source", str | None, _SETTINGS, "NAME"),
        "The setting that the number is of, such as keras.l2; --list shows all.",
        shown=False,
        names=("--from",),
    ),
    option(
        *("target", str | None, _SETTINGS, "NAME"),
        "The setting that is wanted, such as torch.sgd.",
        shown="all",
        names=("--to",),
    ),
    switch("list", _SETTINGS, "Show all settings, each with its λ.", "--list"),
    option(*("rows", int | None, _AROUND, "N"), "Training rows.", shown=False),
    option(*("batch_size", int | None, _AROUND, "N"), "Rows in one step.", shown=False),
    option(
        *("learning_rate", float | None, _AROUND, "X"),
        "Of the training that the number is from; decoupled decay depends on it.",
        shown=False,
    ),
    option(
        *("to_learning_rate", float | None, _AROUND, "X"),
        "Of the training that it is for.",
        shown="the same",
    ),
    option(
        *("momentum", float | None, _AROUND, "X"),
        "Of sgd, for a penalty that acts after it.",
        shown=False,
    ),
    option(
        *("l1_ratio", float | None, _AROUND, "X"),
        "Share of L1 in a mixture, from 0 (L2) to 1 (L1).",
        shown=False,
    ),
    option(
        *("targets", int | None, _AROUND, "N"),
        "Columns of the target of a regression, 0 for classes.",
        shown="0, or 1 where the setting is of a regression",
    ),
    switch("json", _OUTPUT, "Print the answer as JSON.", "--json"),
    switch("quiet", _OUTPUT, "Print only the number.", "--quiet", "-q"),
)
AUDIT = (
    Declared(
        "network",
        str,
        typer.Argument(
            metavar="MODULE:FACTORY",
            help="A Python module in the current folder, and a function in it that returns a "
            "PyTorch module or a Keras model, or a tuple of it and its optimizer; or the network "
            "itself.",
            show_default=False,
        ),
        inspect.Parameter.empty,
    ),
    option(
        *("output", str | None, _NETWORK, "LAYER"),
        "Name of the output layer.",
        shown="the last one",
    ),
    switch("strict", _OUTPUT, "Exit with 1 when an error or a warning is found.", "--strict"),
    switch("json", _OUTPUT, "Print the audit as JSON.", "--json"),
)
