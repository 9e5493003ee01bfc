"""Ctrl-C and SIGTERM: the first ends the training and keeps what it has, the second ends all."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

_AGAIN = 0.02
"""Seconds until a signal is sent again whose exception was swallowed."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTHING_YET = "stopped before enough fits were finished, so there is nothing to report"


class Stopped(Exception):
    """Interrupted before there was anything to report; Typer lets it pass, unlike Ctrl-C's own."""


class Interruption:
    """Handles both signals while it is entered, in the main thread only.

    The first signal raises `KeyboardInterrupt`, unless :attr:`finishing` is set: then it is only
    noted, because the work that is left takes seconds and should be kept. The second signal ends
    the process at once.

    Attributes
    ----------
    signal : int or None
        The one that came.
    finishing : bool
        Whether it is only noted.
    leaves : bool
        Whether a thread is left behind that nobody may wait for: once all is put away, the process
        has to end without it.
    lastly : list of callable
        What is done even where the process ends at once: quick, and never waiting.
    """

    current: Interruption | None = None

    def __init__(self) -> None:
        self.signal: int | None = None
        self.finishing = False
        self.leaves = False
        self.lastly: list[Callable[[], object]] = []
        self._previous: dict[int, Any] = {}
        self._complain = sys.unraisablehook

    @property
    def exit_code(self) -> int:
        """128 + the number of the signal, as shells count; Ctrl-C's 130 if there was none."""
        return 128 + int(self.signal or signal.SIGINT)

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if a signal came whose exception some library swallowed."""
        if self.signal is not None and not self.finishing:
            raise KeyboardInterrupt

    def end_now(self) -> None:
        """End the process without waiting for any thread."""
        for act in self.lastly:
            with suppress(Exception):
                act()
        if sys.stderr.isatty():
            os.write(2, b"\x1b[?25h\n")  # the progress bar had hidden the cursor
        os._exit(self.exit_code)

    def __enter__(self) -> Self:
        Interruption.current = self
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._previous[number] = signal.signal(number, self._handle)
            self._complain, sys.unraisablehook = sys.unraisablehook, self._swallowed
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
            sys.unraisablehook = self._complain
        Interruption.current = None

    def _swallowed(self, lost: Any) -> None:
        """What a garbage collector's callback or a finalizer raised, which Python only prints.

        A signal may come in the middle of one; it is sent again, to be heard where it counts.
        """
        number = self.signal
        if number is None or not issubclass(lost.exc_type, KeyboardInterrupt):
            self._complain(lost)
            return
        self.signal = None
        again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            self.end_now()
        self.signal = number
        if not self.finishing:
            raise KeyboardInterrupt
        if sys.stderr.isatty():
            os.write(2, b"\nthe report is being made; Ctrl-C again ends at once\n")
