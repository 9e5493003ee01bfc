"""The commands and options, as `--help` shows them. Nothing heavy is imported here."""
# ruff: noqa: ARG001 (the options are read from the context, as one mapping)

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

BUNDLED = "moons, circles, spirals, xor, blobs, breast_cancer, wine, digits, diabetes"

_DATA = "Data"
_NETWORK = "Network"
_TRAINING = "Training"
_PENALTY = "Penalty and λ"
_OUTPUT = "Output"
_BY_SIZE = "chosen from the table's size"

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
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


def _option(
    panel: str,
    value: str,
    explanation: str,
    *,
    default: str | bool = True,
    names: tuple[str, ...] = (),
) -> Any:
    """An option with a value; `default` says in words what None stands for."""
    return typer.Option(
        *names,
        help=explanation,
        show_default=default,
        metavar=value,
        rich_help_panel=panel,
        parser={"N": _whole, "X": _number}.get(value),
    )


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"shrinkage {version('shrinkage')}")
        raise typer.Exit


_ABOUT = """How much regularization does this neural network need, and what is the proof?

Networks are trained on your table, without a penalty and with penalties of many strengths.
You learn whether the network overfits, which penalty helps and how sure that is.
You get one HTML file that shows why.

Try it: [bold]shrinkage run moons[/bold]
"""
_RUN = """Find out how much regularization a network needs on a table, and write the proof.

Examples:
[bold]shrinkage run moons[/bold]
[bold]shrinkage run credit-g.csv --target target --hidden 64,64[/bold]
[bold]shrinkage run houses.csv --target price --penalty l2 --lambdas 0.01,0.1[/bold]
"""


@app.callback(help=_ABOUT, invoke_without_command=True)
def shrinkage(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """What stands before a command; help when there is none."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(help=_RUN)
def run(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Your table (CSV, TSV or Parquet, also compressed with gzip), or a bundled one: "
            f"{BUNDLED}.",
            show_default=False,
        ),
    ],
    target: Annotated[
        list[str] | None,
        _option(
            _DATA,
            "COLUMN",
            "Column to predict. Several for a regression of several: repeat the option, or "
            "separate them by commas.",
            default="the column called target, label, class or y",
        ),
    ] = None,
    task: Annotated[
        str,
        _option(
            _DATA,
            "NAME",
            "What is predicted: classification, regression, or auto to tell from the target.",
        ),
    ] = "auto",
    folds: Annotated[
        int | None,
        _option(
            _DATA,
            "N",
            "Parts of the cross-validation: each is predicted by networks trained on the others.",
            default=_BY_SIZE,
        ),
    ] = None,
    repeats: Annotated[
        int | None,
        _option(
            _DATA,
            "N",
            "Repeat the cross-validation with other parts: narrower intervals, longer run.",
            default=_BY_SIZE,
        ),
    ] = None,
    samples: Annotated[
        int | None,
        _option(
            _DATA,
            "N",
            "Rows of a toy problem (moons, circles, spirals, xor, blobs).",
            default="1,000",
        ),
    ] = None,
    noise: Annotated[
        float | None,
        _option(_DATA, "X", "Spread of the noise in a toy problem.", default="suits the problem"),
    ] = None,
    hidden: Annotated[
        str,
        _option(
            _NETWORK,
            "N,N,…",
            "Units of each hidden layer, separated by commas; none for a linear model.",
        ),
    ] = "128,128",
    activation: Annotated[
        str,
        _option(
            _NETWORK,
            "NAME",
            "After each hidden layer: relu, leaky_relu, elu, selu, gelu, silu, tanh, sigmoid or "
            "identity.",
        ),
    ] = "relu",
    initialization: Annotated[
        str | None,
        _option(
            _NETWORK,
            "NAME",
            "Spread of the first weights: he, glorot or lecun.",
            default="suits the activation",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        _option(_TRAINING, "N", "Passes over the training rows.", default=_BY_SIZE),
    ] = None,
    batch_size: Annotated[
        int | None, _option(_TRAINING, "N", "Rows in one step.", default=_BY_SIZE)
    ] = None,
    optimizer: Annotated[
        str,
        _option(
            _TRAINING,
            "NAME",
            "adam, adamw (L2 becomes decoupled weight decay), rmsprop or sgd.",
        ),
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        _option(_TRAINING, "X", "Of the first step.", default="suits the optimizer"),
    ] = None,
    schedule: Annotated[
        str,
        _option(_TRAINING, "NAME", "cosine (the learning rate falls to 0) or constant."),
    ] = "cosine",
    momentum: Annotated[float | None, _option(_TRAINING, "X", "Of sgd.", default="0.9")] = None,
    nesterov: Annotated[
        bool,
        typer.Option("--nesterov", help="Nesterov's momentum, for sgd.", rich_help_panel=_TRAINING),
    ] = False,
    class_weight: Annotated[
        str,
        _option(
            _TRAINING, "NAME", "none, or balanced: rare classes count as much as frequent ones."
        ),
    ] = "none",
    seed: Annotated[
        int,
        _option(_TRAINING, "N", "Of everything random: the same seed gives the same numbers."),
    ] = 0,
    threads: Annotated[
        int | None,
        _option(
            _TRAINING,
            "N",
            "Networks trained at the same time; the numbers do not depend on it.",
            default="all cores",
        ),
    ] = None,
    penalty: Annotated[
        str,
        _option(_PENALTY, "NAME,…", "Penalties to try, separated by commas: l1, l2, elastic_net."),
    ] = "l1,l2,elastic_net",
    lambdas: Annotated[
        str | None,
        _option(
            _PENALTY,
            "X,X,…",
            "Strengths λ to try, separated by commas, such as 0.001,0.01,0.1. The penalty added to "
            "the mean loss is λ Σ|w| for L1 and λ/2 Σw² for L2.",
            default="found automatically",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        _option(
            _PENALTY,
            "NAME",
            "What the best λ is best at. Classes: log_loss, accuracy, balanced_accuracy, roc_auc. "
            "Numbers: mean_squared_error, rmse, r2.",
            default="the loss",
        ),
    ] = None,
    rule: Annotated[
        str,
        _option(
            _PENALTY,
            "NAME",
            "Which λ is recommended: minimum (the best) or one_standard_error (the strongest that "
            "is as good as the best within its noise).",
        ),
    ] = "minimum",
    output: Annotated[
        str | None,
        _option(
            _OUTPUT,
            "PATH",
            "The report: a file, or a directory for it.",
            default="./shrinkage-SOURCE.html",
            names=("--output", "-o"),
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print the findings as JSON.", rich_help_panel=_OUTPUT),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print only the path of the report.", rich_help_panel=_OUTPUT
        ),
    ] = False,
) -> int:
    """Read the options and carry them out; the exit code."""
    from shrinkage.cli.interruption import Stopped

    command = shlex.join(["shrinkage", *(context.obj or [])])
    try:
        from shrinkage.cli.options import read_options
        from shrinkage.cli.run import carry_out

        return carry_out(read_options(context.params, command))
    except KeyboardInterrupt:
        raise Stopped from None
