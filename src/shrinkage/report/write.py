"""Render the page, and put it where it was asked for: whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from shrinkage.errors import SettingError
from shrinkage.exhibits import Shown
from shrinkage.findings import Findings
from shrinkage.lesson.runner import Taught
from shrinkage.report.embed import Embedded, embed, json_for_html, policy
from shrinkage.report.lesson import lesson_page
from shrinkage.report.page import Page, page, page_alone
from shrinkage.report.run import RunInfo


def render(findings: Findings | Shown | Taught, run: RunInfo) -> str:
    """The report as one HTML document.

    Parameters
    ----------
    findings : Findings, Shown or Taught
        Of a complete or an interrupted study, verified or not; of one exhibit alone; or of the
        lesson.
    run : RunInfo
        What to say of its making.

    Returns
    -------
    str
        Everything inline: no address in it is ever asked for.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loader = PackageLoader("shrinkage.report", "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_tied,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def source(name: str) -> str:
        return loader.get_source(environment, name)[0]

    contents = _contents(findings, run)
    embedded: Embedded = embed(contents.stage)
    program = source("downloads.js") + source("report.js")
    settings = contents.settings | embedded.settings | {"file": _file(contents.facts["name"])}
    # The only text that is not escaped: our own files, Bokeh's, and JSON without a "<" in it.
    return environment.get_template(contents.template).render(
        **contents.facts,
        places=embedded.places,
        policy=policy(embedded.bokeh, program),
        style=Markup(source("report.css")),  # noqa: S704
        bokeh=Markup(embedded.bokeh),  # noqa: S704
        program=Markup(program),  # noqa: S704
        documents=Markup(embedded.documents),  # noqa: S704
        settings=Markup(json_for_html(settings)),  # noqa: S704
    )


def _contents(findings: Findings | Shown | Taught, run: RunInfo) -> Page:
    if isinstance(findings, Taught):
        return lesson_page(findings, run)
    return page_alone(findings, run) if isinstance(findings, Shown) else page(findings, run)


def _file(name: str) -> str:
    """What files of its figures begin with.

    Examples
    --------
    >>> _file("Über den Mond.csv"), _file("???")
    ('shrinkage-über-den-mond', 'shrinkage-figures')
    """
    stem = name.removesuffix(".gz").rsplit(".", 1)[0] if "." in name else name
    words = re.findall(r"\w+", stem.lower())
    return "-".join(["shrinkage", *(words or ["figures"])])[:80]


def _tied(value: Any) -> Any:
    """Keep "λ = 0.01" on one line wherever it is shown."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return value.replace("λ = ", "λ\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def write(findings: Findings | Shown | Taught, run: RunInfo, path: str | os.PathLike[str]) -> Path:
    """Render the report into a file.

    Parameters
    ----------
    findings, run
        See :func:`render`.
    path : str or path
        Where; an existing file is replaced in one step, so that no reader sees half a report.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    SettingError
        When nothing can be written there; nothing is left behind.
    """
    target = Path(path).absolute()
    if target.is_dir():
        raise SettingError(
            f"cannot write the report to '{path}': it is a folder; name a file in it"
        )
    text = render(findings, run)
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            newline="\n",
            dir=target.parent,
            prefix=f".{target.name[:100]}.",
            delete=False,
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        temporary.chmod(0o666 & ~_mask())
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"cannot write the report to '{path}': {reason}; choose another place with --output"
        ) from error
    return target


def _mask() -> int:
    """The process's file mode mask; a temporary file would otherwise be its owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
