"""An audit as one piece of HTML, for a notebook or a page, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from shrinkage.frameworks.audit_text import COLUMNS, Numbered, cells, numbered

if TYPE_CHECKING:
    from shrinkage.frameworks.audit import Audit, Row

# Colours of text are the host's own, so it reads on any background; those of severities are of a
# bar alone, beside the word.
_STYLE = """<style>
.shrinkage-audit { font: 14px/1.45 system-ui, sans-serif; color: inherit; max-width: 72rem; }
.shrinkage-audit :is(p, ol, table) { margin: 0 0 0.8rem; }
.shrinkage-audit .scroll { overflow-x: auto; }
.shrinkage-audit table { border-collapse: collapse; background: none; font-size: 13px; }
.shrinkage-audit caption { text-align: left; padding: 0 0 0.4rem; color: inherit; }
.shrinkage-audit tr { background: none !important; }
.shrinkage-audit :is(th, td) {
  padding: 0.25rem 1rem 0.25rem 0; text-align: left !important; vertical-align: top;
  color: inherit; border: 0;
}
.shrinkage-audit thead th { border-bottom: 1px solid currentColor; white-space: nowrap; }
.shrinkage-audit tbody tr.first :is(th, td) {
  border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent);
}
.shrinkage-audit tbody th { font-weight: 400; font-family: ui-monospace, monospace; }
.shrinkage-audit td { white-space: nowrap; }
.shrinkage-audit ol { padding: 0; list-style: none; }
.shrinkage-audit li { margin: 0 0 0.9rem; padding-left: 0.7rem; border-left: 4px solid #6b7785; }
.shrinkage-audit li.error { border-color: #d13438; }
.shrinkage-audit li.warning { border-color: #b7791f; }
.shrinkage-audit li p { margin: 0 0 0.25rem; }
.shrinkage-audit pre {
  margin: 0; padding: 0.4rem 0.6rem; overflow-x: auto; font: 12.5px/1.4 ui-monospace, monospace;
  color: inherit; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: 3px;
}
</style>"""
_CAPTION = "What regularizes each parameter"


def as_html(audit: Audit) -> str:
    """The table and the flags.

    Parameters
    ----------
    audit : Audit
        Of any framework.

    Returns
    -------
    str
        One element with its style; it asks for nothing from elsewhere.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    body = "".join(line for row in audit.rows for line in _row(audit, row))
    optimizer = f"<br>Optimizer: {escape(audit.optimizer)}" if audit.optimizer else ""
    flags = "".join(map(_flag, numbered(audit)))
    said = f"<ol>{flags}</ol>" if flags else "<p>Nothing is flagged.</p>"
    return (
        f'{_STYLE}<div class="shrinkage-audit">'
        f"<p><strong>{escape(audit.title)}</strong>{optimizer}</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_CAPTION}">'
        f"<table><caption>{_CAPTION}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{said}</div>"
    )


def _row(audit: Audit, row: Row) -> Iterator[str]:
    lines = cells(audit, row)
    for place, (name, kind, shape, setting, words, marks) in enumerate(lines):
        both = f"<td>{escape(setting)}</td><td>{escape(words)}</td>"
        if place:
            yield f"<tr>{both}</tr>"
            continue
        span = f' rowspan="{len(lines)}"' if len(lines) > 1 else ""
        yield (
            f'<tr class="first"><th scope="row"{span}>{escape(name)}</th>'
            f"<td{span}>{escape(kind)}</td><td{span}>{escape(shape)}</td>{both}"
            f"<td{span}>{escape(marks)}</td></tr>"
        )


def _flag(shown: Numbered) -> str:
    flag = shown.flag
    remedy = f"<p>{escape(shown.remedy)}</p>" if shown.remedy else ""
    code = f'<pre tabindex="0"><code>{escape(shown.code)}</code></pre>' if shown.code else ""
    return (
        f'<li class="{flag.severity}"><p><strong>{escape(shown.head)}</strong> '
        f"{escape(flag.sentence)}</p>{remedy}{code}</li>"
    )
