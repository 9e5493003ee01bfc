"""What the lesson's checklist forbids and users trip over, looked for in any network's audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from shrinkage.frameworks.audit import Action, Flag, Row
from shrinkage.frameworks.parameters import Parameter

Codes = Mapping[str, str]
"""A framework's line of code for the remedy of a check."""

BIASES = "decay on biases"
NORMALIZATION = "decay on normalization"
OUTPUT = "output layer penalized"
EMBEDDINGS = "embeddings decayed"
SLOPES = "decay on PReLU slopes"
NO_ZEROS = "L1 in the loss"
TWICE = "penalized twice"
BARE = "hidden kernels without a penalty"
LIMITS = "a limit, not a penalty"
DROPOUT = "dropout before batch norm"
UNSEEN = "no optimizer given"
FROZEN = "nothing is trained"


def check(rows: Sequence[Row], codes: Codes) -> list[Flag]:
    """All that can be said from the rows alone.

    Parameters
    ----------
    rows : sequence of Row
        Of a network.
    codes : mapping of str to str
        By the names of checks.

    Returns
    -------
    list of Flag
        Empty where all is well.
    """
    flags: list[Flag] = []
    for one in (_frozen, *_FREE, _zeros, _twice, _bare, _limits):
        flags += one(rows, codes)
    return flags


def without_optimizer(flags: Iterable[Flag], remedy: str, code: str) -> list[Flag]:
    """The flags that hold whatever the optimizer is, and that it is not known.

    Parameters
    ----------
    flags : iterable of Flag
        Of a network alone.
    remedy, code : str
        How to tell the optimizer.
    """
    note = Flag(
        UNSEEN,
        "note",
        "The weight decay of an optimizer is not part of the network, so it is not seen here.",
        (),
        remedy,
        code,
    )
    return [*(flag for flag in flags if flag.check != BARE), note]


def dropout_first(pairs: Iterable[tuple[str, str]], *, sure: bool, code: str) -> Iterator[Flag]:
    """Flag dropout layers that stand before a batch normalization.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Names of a dropout layer and the batch normalization after it.
    sure : bool
        Whether the order is that of running, not of definition.
    code : str
        A line with the remedy.
    """
    found = list(pairs)
    if not found:
        return
    said = listed([f"'{dropout}' before '{norm}'" for dropout, norm in found])
    order = "" if sure else " (in the order in which layers are defined; an example input tells)"
    yield Flag(
        DROPOUT,
        "warning" if sure else "note",
        f"Dropout stands before batch normalization{order}: {said}. Its noise widens the variance "
        "that is averaged in training; prediction has no noise, so the averages do not fit it.",
        tuple(dict.fromkeys(name for pair in found for name in pair)),
        "put dropout after the last batch normalization, or use layer normalization",
        code,
    )


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first few names, with commas and an "and".

    Examples
    --------
    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    shown = list(names[:most])
    more = len(names) - most
    last = f"{more} more" if more > 0 else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last


def _named(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(row.parameter.name for row in rows)


def _what(rows: Iterable[Row], meant: Callable[[Action], bool], one: str, many: str) -> str:
    """Settings that are meant, each once, with their verb in the singular or plural."""
    settings = dict.fromkeys(a.setting for row in rows for a in row.actions if meant(a))
    return f"{listed(list(settings), 2)} {one if len(settings) == 1 else many}"


def _shrinks(action: Action) -> bool:
    return action.shrinks


def _leaves_no_zeros(action: Action) -> bool:
    return action.how == "loss" and bool(action.l1 or action.group)


def _limits_norms(action: Action) -> bool:
    return action.how == "limit"


Check = Callable[[Sequence[Row], Codes], Iterator[Flag]]


def _shrunk(
    meant: Callable[[Parameter], bool], name: str, noun: str, why: str, remedy: str
) -> Check:
    """A check that nothing of what is meant is shrunk."""

    def one(rows: Sequence[Row], codes: Codes) -> Iterator[Flag]:
        found = [row for row in rows if meant(row.parameter) and row.shrinking]
        if found:
            yield Flag(
                name,
                "warning",
                f"{_what(found, _shrinks, 'shrinks', 'shrink')} {noun}: {listed(_named(found))}. "
                f"{why}",
                _named(found),
                remedy,
                codes.get(name, ""),
            )

    return one


_FREE = (
    _shrunk(
        lambda parameter: parameter.kind == "bias",
        BIASES,
        "biases",
        "A bias only shifts a unit, so shrinking it costs fit and buys no simplicity.",
        "leave biases free",
    ),
    _shrunk(
        lambda parameter: parameter.kind == "normalization",
        NORMALIZATION,
        "the scales and shifts of normalization",
        "They are few and set the spread of what follows; a scale at 0 silences its channel.",
        "leave them free",
    ),
    _shrunk(
        lambda parameter: parameter.kind == "output kernel",
        OUTPUT,
        "the output layer",
        "The lesson's checklist leaves it free: shrunk, it pulls every answer to the mean.",
        "penalize hidden kernels alone",
    ),
    _shrunk(
        lambda parameter: parameter.kind == "embedding",
        EMBEDDINGS,
        "embeddings",
        "Every step shrinks every row, also those that no example of the batch looks up, so rare "
        "ones fade.",
        "leave embeddings free, or penalize them on their own",
    ),
    _shrunk(
        lambda parameter: parameter.layer_type == "PReLU",
        SLOPES,
        "slopes of PReLU",
        "At 0 it is ReLU, so decay undoes what is learned.",
        "leave them free",
    ),
)


def _frozen(rows: Sequence[Row], codes: Codes) -> Iterator[Flag]:
    if rows and not any(row.parameter.trainable for row in rows):
        yield Flag(
            FROZEN,
            "warning",
            f"All {len(rows)} parameters are frozen, so neither a step nor a penalty changes any.",
            _named(rows),
            "make trainable what is to be trained",
            codes.get(FROZEN, ""),
        )


def _zeros(rows: Sequence[Row], codes: Codes) -> Iterator[Flag]:
    found = [row for row in rows if any(map(_leaves_no_zeros, row.actions))]
    if found:
        acting = [a for row in found for a in row.actions if _leaves_no_zeros(a)]
        kind = "L1" if any(action.l1 for action in acting) else "a group lasso"
        yield Flag(
            NO_ZEROS,
            "warning",
            f"{_what(found, _leaves_no_zeros, 'adds', 'add')} {kind} to the loss: "
            f"{listed(_named(found))}. Its gradient steps over zero, so weights become small and "
            "none becomes exactly zero.",
            _named(found),
            "take proximal steps, which set weights to zero",
            codes.get(NO_ZEROS, ""),
        )


def _twice(rows: Sequence[Row], codes: Codes) -> Iterator[Flag]:
    def doubled(row: Row) -> bool:
        squares = sum(bool(action.l2 or action.decay) for action in row.shrinking)
        return squares > 1 or sum(bool(action.l1) for action in row.shrinking) > 1

    found = [row for row in rows if doubled(row)]
    if found:
        yield Flag(
            TWICE,
            "warning",
            f"{_what(found, _shrinks, 'shrinks twice', 'shrink the same weights')}: "
            f"{listed(_named(found))}. Strengths add up, and neither number is the λ that acts.",
            _named(found),
            "keep one of them",
            codes.get(TWICE, ""),
        )


def _bare(rows: Sequence[Row], codes: Codes) -> Iterator[Flag]:
    kernels = [
        row for row in rows if row.parameter.kind == "hidden kernel" and row.parameter.trainable
    ]
    # A limit restrains too, and what is not known may.
    found = [row for row in kernels if not any(a.how != "outputs" for a in row.actions)]
    if found:
        most = (
            "No hidden kernel is" if len(found) == len(kernels) else "Some hidden kernels are not"
        )
        yield Flag(
            BARE,
            "warning",
            f"{most} regularized by anything: {listed(_named(found))}. The checklist penalizes "
            "every hidden layer.",
            _named(found),
            "penalize them, or be sure that you mean it",
            codes.get(BARE, ""),
        )


def _limits(rows: Sequence[Row], codes: Codes) -> Iterator[Flag]:
    found = [row for row in rows if any(map(_limits_norms, row.actions))]
    if found:
        yield Flag(
            LIMITS,
            "note",
            f"{_what(found, _limits_norms, 'limits', 'limit')} {listed(_named(found))}: what is "
            "within the limit is not shrunk, and no λ equals it.",
            _named(found),
            "",
            codes.get(LIMITS, ""),
        )
