"""A description, for people."""

from collections import Counter
from collections.abc import Sequence

from components.train.describe.cost import Cost
from components.train.describe.describe import Description
from components.train.describe.layers import Network

_LEFT_OUT = """\
FLOPs are those of convolutions and matrix products, forward and backward; the rest, the optimiser included, is left
out. Left out of the memory: what operations need while they run (cuDNN's workspace above all), fragmentation, the
device's context, buffers of communication, and the copies of the networks that sheets and the model at the end are
made with."""


def as_text(description: Description) -> str:
    """Tables of fewer than 120 columns: one per network; parameters; phases; memory."""
    tables = [_network(network) for network in description.networks]
    tables += [_parameters(description), _phases(description.cost), _memory(description.cost), _LEFT_OUT]
    return "\n\n".join(tables)


def _network(network: Network) -> str:
    rows = [[layer.name, _shapes(layer.outputs), f"{layer.parameters:,}"] for layer in network.layers]
    return _table([[network.name, "output", "parameters"], *rows, ["together", "", f"{network.parameters:,}"]], "<<>")


def _shapes(outputs: list[list[int]]) -> str:
    return ", ".join("×".join(["N", *map(str, shape)]) for shape in outputs)


def _parameters(description: Description) -> str:
    by_letter: Counter[str] = Counter()
    for network in description.networks:
        by_letter[network.name[0]] += network.parameters
    rows = [[letter, f"{count:,}"] for letter, count in by_letter.items()]
    return _table([["Parameters", ""], *rows, ["together", f"{description.parameters:,}"]], "<>")


def _phases(cost: Cost) -> str:
    head = ["FLOPs (a multiply-add is 2)", "times a step", "of an image", "of a step"]
    rows = [[p.name, f"{p.times_per_step}", _si(p.flops_per_image), _si(p.flops_per_step)] for p in cost.phases]
    return _table([head, *rows, ["together", "", _si(cost.flops_per_image), _si(cost.flops_per_step)]], "<>>>")


def _memory(cost: Cost) -> str:
    memory, images = cost.memory, cost.images_at_a_time

    def activations(what: str, size: int) -> list[str]:
        return [f"activations {what}", _bytes(size), _bytes(size // images)]

    of = "the only process" if cost.processes == 1 else f"each of {cost.processes} processes"
    rows = [
        [f"Memory of {of}, {images} images at a time", "", "per image"],
        ["weights and buffers", _bytes(memory.weights), ""],
        ["gradients", _bytes(memory.gradients), ""],
        ["Adam's moments", _bytes(memory.moments), ""],
        ["averaged weights of G and E", _bytes(memory.averaged_weights), ""],
    ]
    for phase in cost.phases:
        rows.append(activations(f"kept between the passes of {phase.name}", phase.kept_bytes))
        rows.append(activations(f"and their gradients at the peak of {phase.name}", phase.peak_bytes))
    return _table([*rows, ["together, at the higher peak", _bytes(memory.total), ""]], "<>>")


def _bytes(size: int) -> str:
    for power, unit in ((30, "GiB"), (20, "MiB")):
        if size >= 2**power:
            return f"{size / 2**power:,.2f} {unit}"
    return f"{size / 2**10:,.2f} KiB"


def _si(count: int) -> str:
    for power, prefix in ((15, "P"), (12, "T"), (9, "G")):
        if count >= 10**power:
            return f"{count / 10**power:,.2f} {prefix}"
    return f"{count / 10**6:,.2f} M"


def _table(rows: Sequence[Sequence[str]], alignments: str) -> str:
    """Aligned columns, and a line under the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *lines = (
        "  ".join(f"{cell:{a}{width}}" for cell, a, width in zip(row, alignments, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join([head, "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines])
