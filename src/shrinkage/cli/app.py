"""The commands, as `--help` shows them. Nothing heavy is imported here."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer

from shrinkage.cli.declared import (
    AUDIT,
    CAPACITY,
    CONVERSION,
    DASK,
    DATA,
    HIDDEN,
    INTERACTION,
    LEARNING_CURVE,
    LESSON,
    NETWORK,
    OUTPUT,
    PENALTY,
    SOURCE,
    STUDY,
    TRAINING,
    TUNE,
    WITH,
    WITHOUT_DROPOUT,
    Declared,
)
from shrinkage.cli.study_commands import COMMANDS as STUDIES

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


COMMANDS: list[str] = []
"""Names of all commands."""
Work = Callable[[Mapping[str, Any], str], int]
"""What a command does with its values and its line; nothing is imported before."""


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
[bold]shrinkage run credit-g.csv --tune all --budget 60s[/bold]
"""
_CAPACITY = """See networks from one unit to many on a table: their boundaries, errors and islands.

None of them has a penalty, so the wide ones show how a network overfits, if it does.

Examples:
[bold]shrinkage capacity moons[/bold]
[bold]shrinkage capacity moons --widths 1,10,50,256,1000 --samples 300[/bold]
[bold]shrinkage capacity credit-g.csv --target target --layers 2 --widths 4,16,64[/bold]
"""
_INTERACTION = """Are a penalty and dropout redundant or complementary on this table?

Every λ is tried with every dropout. What each gains, and both together,
is measured on folds that had no part in choosing.

Examples:
[bold]shrinkage interaction moons[/bold]
[bold]shrinkage interaction credit-g.csv --target target --penalty l1[/bold]
[bold]shrinkage interaction wine --lambdas 0.001,0.01,0.1 --dropouts 0.2,0.5,0.8[/bold]
"""
_LEARNING_CURVE = """Would more rows help more than a penalty?

The network is trained on parts of the rows, without and with a penalty.
You learn what twice the rows would bring, and what the penalty is worth in rows.

Examples:
[bold]shrinkage learning-curve moons[/bold]
[bold]shrinkage learning-curve credit-g.csv --target target --sizes 0.1,0.2,0.4,0.8[/bold]
"""
_LESSON = """See the lesson 'Regularization in Deep Learning' from real runs, on one page.

Every claim of it gets a number that could have come out otherwise, over ten seeds,
and the page says which claims hold here and which do not.

Examples:
[bold]shrinkage lesson[/bold]
[bold]shrinkage lesson --only neurons,l2[/bold]
[bold]shrinkage lesson --seeds 3 --epochs 500 --output quick.html[/bold]
"""
_LAMBDA = """What is this λ, weight decay, alpha or C in another framework?

Exact where a number exists, a sentence where none does. Nothing is trained.
Without --to: in every framework. Without anything: all settings there are.

Examples:
[bold]shrinkage lambda 0.01 --from keras.l2 --to torch.sgd[/bold]
[bold]shrinkage lambda 0.0001 --from sklearn.mlp --to keras.l2 --batch-size 32[/bold]
[bold]shrinkage lambda 1 --from sklearn.logistic --l1-ratio 1 --rows 800[/bold]
[bold]shrinkage lambda 0.01 --from torch.adamw --to optax.adamw --learning-rate 0.001[/bold]
"""
_AUDIT = """What regularizes each parameter of a PyTorch or Keras network of your own?

In one convention and in the framework's own words, with what is wrong about it: decay on
biases, a penalty that reaches nothing, L1 without zeros and more. Nothing is trained.

Examples:
[bold]shrinkage audit net:make[/bold]
[bold]shrinkage audit package.models:build --output head --strict[/bold]
"""


@app.callback(help=_ABOUT, invoke_without_command=True)
def shrinkage(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  # its callback has done the work
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """What stands before a command; help when there is none."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _add(name: str, about: str, work: Work, *declared: Declared) -> None:
    """Add a command with these options."""

    def command(context: typer.Context, **_: Any) -> int:
        from shrinkage.cli.interruption import Stopped

        try:
            return work(context.params, shlex.join(["shrinkage", *(context.obj or [])]))
        except KeyboardInterrupt:
            raise Stopped from None

    # Typer reads a function's signature; this one is made of the declared options.
    first = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    vars(command)["__signature__"] = inspect.Signature(
        [first, *(one.parameter for one in declared)]
    )
    app.command(name, help=about)(command)
    COMMANDS.append(name)


def _training(module: str, exhibit: str | None = None) -> Work:
    """The work of a command that trains networks."""

    def work(raw: Mapping[str, Any], written: str) -> int:
        from shrinkage.cli.options import read_options

        options = read_options({"exhibit": exhibit} | dict(raw), written)
        return int(import_module(module).carry_out(options))

    return work


def _lesson(raw: Mapping[str, Any], written: str) -> int:
    from shrinkage.cli.lesson import carry_out

    return carry_out(raw, written)


def _conversion(raw: Mapping[str, Any], _: str) -> int:
    from shrinkage.cli.convert import carry_out

    return carry_out(raw)


def _audit(raw: Mapping[str, Any], _: str) -> int:
    from shrinkage.cli.audit import carry_out

    return carry_out(raw)


_add(
    "run",
    _RUN,
    _training("shrinkage.cli.run"),
    *(SOURCE, *DATA, HIDDEN, *NETWORK, *TRAINING, DASK, *PENALTY, *TUNE, STUDY, WITH, *OUTPUT),
)
_add(
    "capacity",
    _CAPACITY,
    _training("shrinkage.cli.exhibit", "capacity"),
    *(SOURCE, *CAPACITY, *DATA, *NETWORK, *TRAINING, DASK, STUDY, *OUTPUT),
)
_add(
    "interaction",
    _INTERACTION,
    _training("shrinkage.cli.exhibit", "interaction"),
    *(SOURCE, *INTERACTION, *DATA, HIDDEN, *NETWORK, *WITHOUT_DROPOUT, DASK, STUDY, *OUTPUT),
)
_add(
    "learning-curve",
    _LEARNING_CURVE,
    _training("shrinkage.cli.exhibit", "learning_curve"),
    *(SOURCE, *LEARNING_CURVE, *DATA, HIDDEN, *NETWORK, *TRAINING, DASK, STUDY, *OUTPUT),
)
for _command in STUDIES:
    _add(_command.name, _command.about, _command.work, *_command.declared)
_add("lesson", _LESSON, _lesson, *LESSON)
_add("lambda", _LAMBDA, _conversion, *CONVERSION)
_add("audit", _AUDIT, _audit, *AUDIT)
