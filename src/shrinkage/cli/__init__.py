"""The command line: ``shrinkage run SOURCE`` and what goes wrong on the way."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

from shrinkage.cli.interruption import NOTHING_YET, Interruption, Stopped
from shrinkage.errors import ShrinkageError, suggestion
from shrinkage.terminal.plain import discard, plain, say

__all__ = ["main"]

DEBUG = "SHRINKAGE_DEBUG"
"""Environment variable that asks for the traceback of an unexpected error."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Without the program's name; that of the process by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 unexpected error (or what ``audit --strict`` finds), 2 input that
        cannot be used, 130 stopped by Ctrl-C (143 by SIGTERM).
    """
    _prepare_streams()
    if argv is None and not sys.warnoptions and not os.environ.get(DEBUG):
        warnings.simplefilter("ignore")  # a library's advice to programmers is not for the user
    arguments = list(sys.argv[1:] if argv is None else argv)
    with Interruption() as interruption:
        try:
            code = _invoke(arguments)
            interruption.check()  # Typer makes an exit code of a signal before a command begins
            return code
        except (KeyboardInterrupt, Stopped):
            say(NOTHING_YET, "shrinkage: ")
            if interruption.leaves:
                interruption.end_now()
            # `python -m` ends as if by Ctrl-C once code from a string, such as a dataclass makes,
            # was interrupted, whoever caught that, unless other such code ran to its end.
            exec("")  # noqa: S102  # nothing is executed
            return interruption.exit_code
        except ShrinkageError as error:
            say(str(error))
            return 2
        except BrokenPipeError:
            return 0
        except Exception as error:  # noqa: BLE001  # the last line of defence before a traceback
            if hasattr(error, "format_message"):  # Typer's, in whichever module it keeps them
                say(_usage(error, arguments))
                return 2
            if os.environ.get(DEBUG):
                traceback.print_exc()
            say(_unexpected(error))
            return 1
        finally:
            _flush()


def _invoke(arguments: list[str]) -> int:
    from typer.main import get_command

    from shrinkage.cli.app import app

    command = get_command(app)
    code = command.main(
        args=list(arguments), prog_name="shrinkage", standalone_mode=False, obj=arguments
    )
    return int(code or 0)


def _usage(error: Exception, arguments: list[str]) -> str:
    """What is wrong with the command, as one sentence with a remedy."""
    possibilities = getattr(error, "possibilities", None)
    option = getattr(error, "option_name", None)
    if option and str(getattr(error, "message", "")).startswith("No such option"):
        if option[1:2] in "0123456789.":
            word = next((word for word in arguments if word.startswith(option)), option)
            return f"'{word}' reads like an option, and no number here is negative; leave its sign"
        near = f"did you mean '{possibilities[0]}'?" if possibilities else _help(arguments)
        return f"there is no option '{option}'; {near}"
    message = str(getattr(error, "message", ""))
    if type(error).__name__ == "MissingParameter":
        from shrinkage.cli.declared import BUNDLED

        if arguments[:1] == ["audit"]:
            return f"which network? write module:factory, such as net:make; {_help(arguments)}"
        return f"which table? name a file, or one of the bundled {BUNDLED}; {_help(arguments)}"
    if message.startswith("No such command"):
        return _no_such_command(arguments)
    parameter = getattr(error, "param", None)
    if parameter is not None and parameter.opts:
        message = f"{parameter.opts[0]}: {message}"
    message = f"{message[:1].lower()}{message[1:]}".rstrip(".")
    return f"{message}; {_help(arguments)}"


def _no_such_command(arguments: list[str]) -> str:
    """People forget `run`, or misspell it."""
    from shrinkage.cli.app import COMMANDS
    from shrinkage.cli.declared import BUNDLED

    given = next((word for word in arguments if not word.startswith("-")), "")
    is_table = given in BUNDLED.split(", ") or os.path.sep in given or "." in given
    if is_table:
        return f"there is no command '{given}'; did you mean 'shrinkage run {given}'?"
    return f"there is no command '{given}'; {suggestion(given, COMMANDS)}"


def _help(arguments: list[str]) -> str:
    command = f"shrinkage {arguments[0]}" if _is_command(arguments) else "shrinkage"
    return f"{command} --help lists what there is"


def _is_command(arguments: list[str]) -> bool:
    from shrinkage.cli.app import COMMANDS

    return bool(arguments) and arguments[0] in COMMANDS


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"the system refused to go on: {error.strerror.lower()}{where}"
    if isinstance(error, MemoryError):
        return "the memory is not enough; use a smaller table, network or batch, or fewer --threads"
    what = f"{type(error).__name__}: {plain(str(error))}".rstrip(": ")
    remedy = (
        "please report it with the traceback above"
        if os.environ.get(DEBUG)
        else f"please report it; the same command with {DEBUG}=1 before it shows the traceback"
    )
    return f"unexpected {what}; {remedy}"


def _prepare_streams() -> None:
    """A closed stream is nowhere, and a terminal that cannot show λ gets a question mark."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # until the process ends
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _flush() -> None:
    """Write what is buffered now, so that a reader who has gone causes no complaint at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)
