"""What the numbers were measured on: processor, cores, versions; nothing that names the machine."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shrinkage.engine.pool import available_threads

PACKAGES = (
    "shrinkage", "numpy", "numba", "llvmlite", "scipy", "scikit-learn", "keras", "jax", "jaxlib"
)  # fmt: skip


def cores() -> int:
    """Cores that this process may use."""
    return available_threads()


def processor() -> str:
    """The processor's name, with family and model where the name alone is vague."""
    fields: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    except OSError:
        return platform.processor() or platform.machine()
    name = fields.get("model name") or platform.machine()
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields.get('model', '?')})"
    return name


def describe() -> dict[str, str | int | float]:
    """Processor, cores, memory, system and Python."""
    facts: dict[str, str | int | float] = {"processor": processor(), "cores": cores()}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        facts["memory, GiB"] = round(memory / 2**30, 1)
    facts["system"] = f"{platform.system()} {platform.machine()}"
    facts["python"] = platform.python_version()
    return facts


def versions() -> dict[str, str]:
    """Versions of the packages that take part."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


class Others:
    """How many cores other programs kept busy, from its making to :meth:`cores`."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._all, self._own = _all_seconds(), _own_seconds()

    def cores(self) -> float | None:
        """Mean number of cores; None where the system does not tell."""
        everybody = _all_seconds()
        if everybody is None or self._all is None:
            return None
        theirs = everybody - self._all - (_own_seconds() - self._own)
        return round(max(0.0, theirs / (time.perf_counter() - self._begin)), 2)


def _all_seconds() -> float | None:
    """Processor time of all programs, in seconds."""
    try:
        values = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    except OSError:
        return None
    # user, nice, system, irq, softirq, steal; without idle and waiting for disks
    return (sum(values[:3]) + sum(values[5:8])) / float(os.sysconf("SC_CLK_TCK"))


def _own_seconds() -> float:
    """Processor time of this process and of those it started and saw end, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
