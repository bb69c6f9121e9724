"""The metrics as tables: accuracies by features and protocol, measures of samples beside those of real images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from components.artifacts.metric_keys import Accuracy, OfImages, beside, features_title, read_key
from components.report.number import Number, number


@dataclass(frozen=True)
class AccuracyRow:
    """One view. `cells` in the order of the columns; None where it was not measured."""

    title: str
    definition: str
    is_reference: bool
    cells: list[Number | None]


@dataclass(frozen=True)
class AccuracyTable:
    """`groups`: (title, number of columns) of the head's first line; `columns` its second. `best`: the keys of the best
    of each column, references aside."""

    groups: list[tuple[str, int]]
    columns: list[str]
    rows: list[AccuracyRow]
    best: set[str]


@dataclass(frozen=True)
class MeasureRow:
    """`what`: the measure; `of`: of which images, against which. `floor`: the same of real images."""

    what: str
    of: str
    result: Number
    floor: Number | None


def accuracy_table(values: Mapping[str, float], definitions: Mapping[str, str]) -> AccuracyTable | None:
    """None, if no accuracy was measured. `definitions`: by view, as the protocol words it."""
    measured = [reading for reading in map(read_key, values) if isinstance(reading, Accuracy) and not reading.is_spread]
    if not measured:
        return None
    protocols = sorted({accuracy.protocol for accuracy in measured}, key=lambda protocol: protocol.order)
    views = list(dict.fromkeys(accuracy.features for accuracy in sorted(measured, key=_by_view)))
    rows = [
        AccuracyRow(
            features_title(view),
            definitions.get(view, ""),
            replace(protocols[0], features=view).is_reference,
            [_number_if_measured(replace(protocol, features=view).key, values) for protocol in protocols],
        )
        for view in views
    ]
    groups = [(title, len(list(several))) for title, several in groupby(map(_group, protocols))]
    return AccuracyTable(groups, list(map(_column, protocols)), rows, _best(rows))


def _by_view(accuracy: Accuracy) -> tuple[bool, int]:
    """What E has learned, then what it is held against; BN+CReLU and AvePool first."""
    known = ("bn_crelu", "avepool", "mu", "untrained_bn_crelu", "untrained_avepool", "pixels", "discriminator")
    return accuracy.is_reference, known.index(accuracy.features) if accuracy.features in known else len(known)


def _group(protocol: Accuracy) -> str:
    if protocol.neighbours:
        return "k nearest neighbours"
    return protocol.labels_title or "linear probe"


def _column(protocol: Accuracy) -> str:
    return f"k = {protocol.neighbours}" if protocol.neighbours else f"top-{protocol.top}"


def _best(rows: list[AccuracyRow]) -> set[str]:
    best = set()
    for column in zip(*(row.cells for row in rows if not row.is_reference), strict=True):
        numbers = [cell for cell in column if cell is not None]
        if len(numbers) > 1:
            highest = max(cell.value for cell in numbers)
            best |= {cell.key for cell in numbers if cell.value == highest}
    return best


def measure_rows(values: Mapping[str, float]) -> list[MeasureRow]:
    """All measures of images, in the order of their measure, the larger counts first; a floor beside its number."""
    readings = [reading for reading in map(read_key, values) if isinstance(reading, OfImages) and not reading.is_spread]
    floors = {floor for reading in readings for floor in beside(reading.key, values).values()}
    shown = [reading for reading in readings if reading.key not in floors]
    return [_measure_row(reading, values) for reading in sorted(shown, key=_by_measure)]


def _by_measure(reading: OfImages) -> tuple[int, str, str, int]:
    return reading.rank, reading.name, reading.derived, -reading.count


def _measure_row(reading: OfImages, values: Mapping[str, float]) -> MeasureRow:
    floor = beside(reading.key, values).get("real images")
    return MeasureRow(
        reading.what, reading.of, number(reading.key, values), None if floor is None else number(floor, values)
    )


def _number_if_measured(key: str, values: Mapping[str, float]) -> Number | None:
    return number(key, values) if key in values else None


def unread(values: Mapping[str, float]) -> list[Number]:
    """Numbers of keys that nobody here knows: shown as they are."""
    return [number(key, values) for key in sorted(values) if read_key(key) is None]
