"""Where texts lie in a base: the mean over a text's tokens of what one of its layers reads.

The first token is left out where there are others: attention rests on it whatever it is, so that it would
drown what the text says. Knows nothing of what the means are for.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex
import torch
from torch import Tensor

from selfedit.engine.attention import Pass
from selfedit.engine.layout import Rows, passes
from selfedit.engine.model import Model
from selfedit.errors import UsageError

_NUMBER = regex.compile(r"\.(\d+)\.")


def input_of(model: Model, layer: int) -> str:
    """The name of what a decoder layer (from 0) reads first. Raises UsageError where there is none such."""
    specs = model.specs(tuple(model.layers))
    numbers = [(spec, int(found[1])) for spec in specs if (found := _NUMBER.search(spec.name))]
    for spec, number in numbers:
        if number == layer:
            return spec.group or spec.name
    most = max((number for _, number in numbers), default=-1)
    raise UsageError(f"layer {layer}: the base has layers 0 to {most}; choose one of them")


@torch.no_grad()
def read_means(model: Model, rows: Sequence[Sequence[int]], layer: int, tokens: int) -> Tensor:
    """The means [B, H] in float32 over rows of token ids, none of them empty; `tokens` a pass at most."""
    name = input_of(model, layer)
    found: dict[int, Tensor] = {}
    seen: list[Tensor] = []
    model.run.use(None, None)
    model.run.watch = lambda each, x_NH: seen.append(x_NH) if each == name else None
    try:
        for part in passes(range(len(rows)), lambda at: len(rows[at]), tokens):
            lengths = [len(rows[at]) for at in part]
            ids_N = torch.tensor([each for at in part for each in rows[at]], device=model.device)
            seen.clear()
            model.hidden(ids_N, Pass(Rows.of(lengths, model.device)))
            for at, x_TH in zip(part, seen[0].float().split(lengths), strict=True):
                found[at] = x_TH[min(1, len(x_TH) - 1) :].mean(0).cpu()
    finally:
        model.run.watch = None
    return torch.stack([found[at] for at in range(len(rows))])
