"""The commands and options, as `--help` shows them. Nothing heavy is imported here."""

from __future__ import annotations

from typing import Annotated

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
    no_args_is_help=True,
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


@app.callback(help=_ABOUT)
def shrinkage(
    version: Annotated[  # its callback does the work
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """What stands before a command."""


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
        typer.Option(
            help="Column to predict. Several for a regression of several: repeat the option, or "
            "separate them by commas.",
            show_default="the column called target, label, class or y",
            metavar="COLUMN",
            rich_help_panel=_DATA,
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            help="What kind of prediction: auto (found from the target), classification or "
            "regression.",
            metavar="NAME",
            rich_help_panel=_DATA,
        ),
    ] = "auto",
    folds: Annotated[
        int | None,
        typer.Option(
            help="Parts of the cross-validation: the rows are cut into so many, and each is "
            "predicted by networks trained on the others.",
            show_default=_BY_SIZE,
            parser=_whole,
            metavar="N",
            rich_help_panel=_DATA,
        ),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(
            help="Repeat the cross-validation with other cuts: narrower intervals, longer run.",
            show_default=_BY_SIZE,
            parser=_whole,
            metavar="N",
            rich_help_panel=_DATA,
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Rows of a toy problem (moons, circles, spirals, xor, blobs).",
            show_default="500",
            parser=_whole,
            metavar="N",
            rich_help_panel=_DATA,
        ),
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            help="Spread of the noise in a toy problem.",
            show_default="set for each problem",
            parser=_number,
            metavar="X",
            rich_help_panel=_DATA,
        ),
    ] = None,
    hidden: Annotated[
        str,
        typer.Option(
            help="Units of each hidden layer, separated by commas; none for a linear model.",
            metavar="N,N,…",
            rich_help_panel=_NETWORK,
        ),
    ] = "128,128",
    activation: Annotated[
        str,
        typer.Option(
            help="After each hidden layer: relu, leaky_relu, elu, selu, gelu, silu, tanh, sigmoid "
            "or identity.",
            metavar="NAME",
            rich_help_panel=_NETWORK,
        ),
    ] = "relu",
    initialization: Annotated[
        str | None,
        typer.Option(
            help="Spread of the first weights: he, glorot or lecun.",
            show_default="the one that suits the activation",
            metavar="NAME",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the training rows.",
            show_default=_BY_SIZE,
            parser=_whole,
            metavar="N",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Rows in one step.",
            show_default=_BY_SIZE,
            parser=_whole,
            metavar="N",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            help="adam, adamw (L2 becomes decoupled weight decay), rmsprop or sgd.",
            metavar="NAME",
            rich_help_panel=_TRAINING,
        ),
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Of the first step.",
            show_default="one that suits the optimizer",
            parser=_number,
            metavar="X",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    schedule: Annotated[
        str,
        typer.Option(
            help="cosine (the learning rate falls to 0) or constant.",
            metavar="NAME",
            rich_help_panel=_TRAINING,
        ),
    ] = "cosine",
    momentum: Annotated[
        float | None,
        typer.Option(help="Of sgd.", show_default="0.9", parser=_number, metavar="X", rich_help_panel=_TRAINING),
    ] = None,
    nesterov: Annotated[
        bool,
        typer.Option("--nesterov", help="Nesterov's momentum, for sgd.", rich_help_panel=_TRAINING),
    ] = False,
    class_weight: Annotated[
        str,
        typer.Option(
            help="none, or balanced: rare classes count as much as frequent ones.",
            metavar="NAME",
            rich_help_panel=_TRAINING,
        ),
    ] = "none",
    seed: Annotated[
        int,
        typer.Option(
            help="Of everything random: the same seed gives the same numbers.",
            parser=_whole,
            metavar="N",
            rich_help_panel=_TRAINING,
        ),
    ] = 0,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Networks trained at the same time; the numbers do not depend on it.",
            show_default="all cores",
            parser=_whole,
            metavar="N",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    penalty: Annotated[
        str,
        typer.Option(
            help="Penalties to try, separated by commas: l1, l2, elastic_net.",
            metavar="NAME,…",
            rich_help_panel=_PENALTY,
        ),
    ] = "l1,l2,elastic_net",
    lambdas: Annotated[
        str | None,
        typer.Option(
            help="Strengths λ to try, separated by commas, such as 0.001,0.01,0.1. λ multiplies "
            "Σ|w| for L1 and ½ Σw² for L2, and is added to the mean loss.",
            show_default="found automatically",
            metavar="X,X,…",
            rich_help_panel=_PENALTY,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="What the best λ is best at: log_loss, accuracy, balanced_accuracy or roc_auc; "
            "for numbers mean_squared_error, rmse or r2.",
            show_default="the loss",
            metavar="NAME",
            rich_help_panel=_PENALTY,
        ),
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            help="Which λ is recommended: minimum (the best), or one_standard_error (the strongest "
            "that is as good as the best within its noise).",
            metavar="NAME",
            rich_help_panel=_PENALTY,
        ),
    ] = "minimum",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="The report: a file, or a directory for it.",
            show_default="./shrinkage-SOURCE.html",
            metavar="PATH",
            rich_help_panel=_OUTPUT,
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
    import shlex

    from shrinkage.cli.interruption import Stopped

    command = shlex.join(["shrinkage", *(context.obj or [])])
    try:
        from shrinkage.cli.options import read_options
        from shrinkage.cli.run import carry_out

        return carry_out(read_options(context.params, command))
    except KeyboardInterrupt:
        raise Stopped from None
