"""A peer in a process of its own, with its own environment, that waits idle between its turns."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_TUNING = {
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
    "MKL_NUM_THREADS", "XLA_FLAGS",
}  # fmt: skip

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class PeerError(Exception):
    """A peer that cannot run; the message is the reason."""


class Worker:
    """A running ``python -m benchmarks.peers.<name>`` that answers one JSON line with another."""

    def __init__(
        self, name: str, environment: dict[str, str] | None = None, core: int | None = None
    ) -> None:
        # What the person's environment says about BLAS could slow a peer down; it decides anew.
        inherited = {key: value for key, value in os.environ.items() if key not in _TUNING}
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115  # closed in close
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.peers.{name}"],
            cwd=ROOT,
            env=inherited | (environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, {core})

    def send(self, **request: Any) -> None:
        """Ask without waiting."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise PeerError(self._last_words()) from None

    def receive(self) -> dict[str, Any]:
        """Wait for the answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def ask(self, **request: Any) -> dict[str, Any]:
        """Ask and wait."""
        self.send(**request)
        return self.receive()

    def _last_words(self) -> str:
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1] if lines else f"it ended with status {status}"

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(prepare: Callable[[], Answer]) -> None:
    """The peer's side: answer until the questions end.

    What libraries print goes to standard error, so that it cannot mix with the answers.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        answer = prepare()
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001  # whatever a peer raises is its reason
            reply = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()
