"""A capacity sweep in words: headline, sentences and its table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shrinkage.exhibits.exhibit import Table
from shrinkage.intervals import Interval, decimals
from shrinkage.verify.complexity import ISLAND_ROWS

if TYPE_CHECKING:
    from shrinkage.exhibits.capacity_record import Capacity, WidthPoint

LENGTH = "boundary length"
LENGTH_UNIT = "per standard deviation"


def headline(found: Capacity) -> str:
    """The verdict, with the widths that it is about."""
    best, widest = found.points[found.best], found.points[-1]
    if found.verdict == "narrower" and best is not widest:
        fits = "fit the training rows better and " if _fits_better(best, widest) else ""
        verb = "validates" if best.hidden == (1,) else "validate"
        return f"{_capital(best.label)} {verb} best; {widest.label} {fits}predict new rows worse"
    if found.verdict == "wider":
        return f"The widest network, {widest.label}, validates best"
    if _bounded(found.gain):
        return f"No narrower network is shown to validate better than {widest.label}"
    return f"One fold alone cannot tell whether {widest.label} are too many"


def _fits_better(best: WidthPoint, widest: WidthPoint) -> bool:
    return widest.loss.train.estimate < best.loss.train.estimate


def sentences(found: Capacity) -> tuple[str, ...]:
    """Errors, verdict, test rows and boundary, each with numbers."""
    parts = [_fitting(found), _verdict(found), _tested(found), _boundary(found)]
    return tuple(part for part in parts if part)


def _fitting(found: Capacity) -> str:
    first, last, best = found.points[0], found.points[-1], found.points[found.best]
    train = (first.loss.train, last.loss.train)
    verb = "falls" if train[1].estimate < train[0].estimate else "goes"
    text = (
        f"From {first.label} to {last.label} the training {found.loss_name} {verb} from "
        f"{train[0].with_unit(found.unit)} to {train[1].with_unit(found.unit)}; the validation "
        f"{found.loss_name} is least with {best.label}, {_of(best.loss.validation, found.unit)}"
    )
    if best is not last:
        text += f", and {_of(last.loss.validation, found.unit)} with {last.label}"
    return f"{text} (95% intervals over folds)."


def _of(interval: Interval, unit: str) -> str:
    return interval.with_unit(unit)


def _verdict(found: Capacity) -> str:
    gain, widest = found.gain, found.points[-1].label
    if gain is None:
        return f"No narrower network shares a fold with {widest}, so nothing can be compared."
    amount = _of(gain, found.unit)
    how = "chosen on the other folds"
    if found.verdict == "narrower":
        return (
            f"A narrower network ({how}) lowers the validation {found.loss_name} of {widest} by "
            f"{amount}: the capacity beyond that is spent on noise, unless something restrains it."
        )
    if found.verdict == "wider":
        return (
            f"The best narrower network ({how}) has a validation {found.loss_name} "
            f"{_of(-gain, found.unit)} above that of {widest}: here width does not hurt."
        )
    return (
        f"Whether {widest} are too many is unclear: the best narrower network ({how}) changes the "
        f"validation {found.loss_name} by {_of(-gain, found.unit)}."
    )


def _tested(found: Capacity) -> str:
    best, widest = found.points[found.best], found.points[-1]
    other = widest if best is not widest else found.points[0]
    if other.against_best is None or other.loss.test is None or best.loss.test is None:
        return ""
    rows = f"On {found.test_rows:,} untouched rows"
    many = f"means of {other.networks} networks" if other.networks > 1 else "one network each"
    change = other.against_best
    levels = (
        f"{other.label}: {_of(other.loss.test, found.unit)}, {best.label}: "
        f"{_of(best.loss.test, found.unit)}, difference {_of(change, found.unit)}"
    )
    if not change.bounded:
        return f"{rows}, too few to tell, the {found.loss_name} is, {many}: {levels}."
    if change.low > 0:
        outcome = f"{other.label} predict worse than {best.label}"
    elif change.high < 0:
        outcome = f"{other.label} predict better than {best.label}, against the choice by folds"
    else:
        outcome = f"no clear difference between {other.label} and {best.label}"
    return f"{rows}: {outcome} ({found.loss_name}, {many}; {levels})."


def _boundary(found: Capacity) -> str:
    if found.why_no_boundary is not None:
        return found.why_no_boundary
    first, last = found.points[0], found.points[-1]
    if first.length is None or last.length is None or last.islands is None or not first.islands:
        return ""
    verb = "grows" if last.length.estimate > first.length.estimate else "goes"
    clear = "" if _apart(first.length, last.length) else " — not clearly apart"
    counts = (_few(first.islands), _few(last.islands))
    islands = f"and the islands in it from {counts[0]} to {counts[1]}"
    if counts == ("0", "0"):
        islands = "without islands at either end"
    return (
        f"The boundary {verb} from {first.length} to {last.length} standard deviations of length "
        f"for each square standard deviation of the plane{clear}, {islands} (95% intervals over "
        f"{last.networks} networks; an island is an enclosed region of one class with at most "
        f"{ISLAND_ROWS} training rows)."
    )


def _few(count: Interval) -> str:
    """A mean of counts; where all networks agree, a whole number."""
    if count.low == count.high:
        return f"{count.estimate:.0f}"
    return _cell(count, 1)


def _apart(one: Interval, other: Interval) -> bool:
    return one.bounded and other.bounded and (one.high < other.low or other.high < one.low)


def _bounded(interval: Interval | None) -> bool:
    return interval is not None and interval.bounded


def table(found: Capacity) -> Table:
    """A row for each width; the best is pointed out."""
    measured: dict[str, list[Interval | None]] = {
        f"training {found.loss_name}": [point.loss.train for point in found.points],
        f"validation {found.loss_name}": [point.loss.validation for point in found.points],
        f"test {found.loss_name}": [point.loss.test for point in found.points],
    }
    unit = f" ({found.unit})" if found.unit else ""
    columns = {f"{name}{unit}": _cells(intervals) for name, intervals in measured.items()}
    if found.why_no_boundary is None:
        lengths = [point.length for point in found.points]
        columns[f"{LENGTH} ({LENGTH_UNIT})"] = _cells(lengths)
        columns["islands"] = _cells([point.islands for point in found.points], 1)
    layers = len(found.points[0].hidden)
    names = [f"{point.width:,}" for point in found.points]
    return Table(
        columns=("units" if layers == 1 else f"units in each of {layers} layers", *columns),
        rows=tuple(zip(names, *columns.values(), strict=True)),
        chosen=found.best,
    )


def _cells(intervals: Iterable[Interval | None], places: int | None = None) -> list[str]:
    """Intervals with the same decimals, those that show three digits of the largest estimate."""
    known = list(intervals)
    if places is None:
        places = decimals(*(interval.estimate for interval in known if interval))
    return [_cell(interval, places) for interval in known]


def _cell(interval: Interval | None, places: int) -> str:
    if interval is None:
        return "–"
    estimate = f"{interval.estimate:.{places}f}"
    if not interval.bounded:
        return estimate
    # Adding 0.0 avoids "-0.000".
    low, high = (round(end, places) + 0.0 for end in (interval.low, interval.high))
    return f"{estimate} [{low:.{places}f}, {high:.{places}f}]"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
