"""Few-shot: JSON in which the model picks how its own training rows are made of a task's demonstrations.

Switches turn families of variants on; the loss covers all tokens or the held-out output's; learning rate and
epochs lie within `BOUNDS`. The rows are leave-one-out (SEAL, arXiv 2506.10943, section 3.2). Where an edit
would take more than `most_steps` optimiser steps, rows are left out, drawn by the seed; the official code
does not train such an edit at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, cast, final, overload

import regex

from selfedit.edits.directive import finite
from selfedit.edits.notation import Notation
from selfedit.edits.parsing import MOST_TEXT, json_objects
from selfedit.edits.rewording import Solve, text_variants
from selfedit.edits.variants import grid_variants, shown_id
from selfedit.types import Failure, FewShot, Grid, SelfEdit, Sequence, Value, content_hash, rng_for

BOUNDS: Mapping[str, tuple[float, float]] = {"learning_rate": (1e-6, 5e-3), "epochs": (1, 20)}
DEFAULTS: Mapping[str, Any] = {"loss": "output", "learning_rate": 1e-4, "epochs": 2}
"""What stands where an edit says nothing usable; every switch is off."""
MOST_STEPS = 375
MOST_AGAIN = 10
"""Times that duplicates of a configuration are sampled again."""

_LEARNING_RATE = r"(?:0\.00000[1-9]|0\.0000[1-9]|0\.000[1-9]|0\.00[1-4]|0\.005)"
_OLD_NAMES = regex.compile(r"\Ause_|_augment(?:ations|ers)\Z|\Anum_train_")

Variants = Callable[[FewShot[Value], tuple[str, ...], int], Items[FewShot[Value]]]
"""Task, the switches that are on, seed → tasks of one test each, which are trained on."""


SPACED, TIGHT = Notation(), Notation("")
Cells = Literal["apart", "together"]
"""Whether a space parts the cells of a grid's row."""


@final
@dataclass(frozen=True, slots=True)
class FewShotFormat(Generic[Value]):
    """A way of picking a configuration. Knows nothing of models; serves base and instruct models alike."""

    tools: Mapping[str, str]
    """What each switch does, in the order of the grammar."""
    variants: Variants[Value]
    notation: Notation = SPACED
    name: str = "few-shot"
    max_tokens: int = 96

    @property
    def grammar(self) -> str:
        """Matches valid configurations only, whole; for the `regex` module, which tells a partial match."""
        switches = ", ".join(f'"{tool}": (?:true|false)' for tool in self.tools)
        return (
            rf'\{{{switches}, "loss": "(?:all|output)", '
            rf'"learning_rate": {_LEARNING_RATE}, "epochs": (?:1[0-9]?|20?|[3-9])\}}'
        )

    def prompt(self, task: FewShot[Value], *, chat: bool) -> str | list[dict[str, str]]:
        """Chat messages, or a plain text to be continued. The tests are not shown."""
        return [{"role": "user", "content": self._instruction(task)}] if chat else self._opening(task)

    def parse(self, task: FewShot[Value], text: str) -> SelfEdit | Failure:
        """The configuration of the first JSON object that names a part of one, wherever it stands.

        Unknown keys are ignored, numbers out of bounds clamped; what is not usable is left at `DEFAULTS`.
        Any text gives an edit or a Failure; none raises.
        """
        text = text.encode("utf-8", "replace").decode()
        body = text.removeprefix(self._opening(task)).removeprefix(self._instruction(task))
        chosen = first_object(body[:MOST_TEXT], {*self.tools, *DEFAULTS})
        if chosen is None:
            shown = body.strip()[:60]
            return Failure("parse", f"{self.name}: no JSON object with switches or settings in {shown!r}")
        return SelfEdit(task.id, self.name, text, (), self._settings(chosen))

    def sequences(
        self,
        task: FewShot[Value],
        edit: SelfEdit,
        *,
        seed: int = 0,
        batch_size: int = 2,
        most_steps: int = MOST_STEPS,
    ) -> tuple[str | Sequence, ...]:
        """The rows of the edit, at most what its epochs allow within `most_steps`; repeats are left out."""
        on = tuple(tool for tool in self.tools if edit.settings.get(tool))
        whole = edit.settings["loss"] == "all"
        found = (self.notation.row(each, all_tokens=whole) for each in self.variants(task, on, seed))
        rows = tuple(dict.fromkeys(found))
        most = max(1, most_steps // edit.settings["epochs"]) * batch_size
        kept = rng_for("rows", seed, shown_id(task)).sample(range(len(rows)), min(most, len(rows)))
        return tuple(rows[i] for i in sorted(kept))

    def _settings(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        settings: dict[str, Any] = {tool: _switch(chosen.get(tool)) for tool in self.tools}
        settings |= {"loss": _loss(chosen.get("loss", chosen.get("strategy")))}
        for name, (low, high) in BOUNDS.items():
            value = finite(chosen.get(name))
            clamped = DEFAULTS[name] if value is None else min(max(value, low), high)
            settings[name] = round(clamped) if name == "epochs" else float(f"{clamped:.3g}")
        return settings

    def _shape(self) -> str:
        switches = {tool: at == 0 for at, tool in enumerate(self.tools)}
        return json.dumps({**switches, "loss": "output", "learning_rate": 0.0003, "epochs": 3})

    def _instruction(self, task: FewShot[Value]) -> str:
        tools = "\n".join(f"- {tool}: {does}" for tool, does in self.tools.items())
        return (
            "These inputs and outputs follow one rule.\n\n"
            f"{self.notation.demonstrations(task)}\n\n"
            "A language model will be trained to follow the rule on new inputs. Its training rows are made "
            "of the examples above, each asked for in turn with the others in view. Decide which variants of "
            f"them to add, true or false:\n{tools}\n"
            'Decide too: loss ("all" tokens of a row, or the "output" alone), learning_rate (0.000001 to '
            "0.005) and epochs (1 to 20). Add what leaves the rule as it is, and nothing that breaks it. "
            f"Reply with one JSON object of this shape and nothing else:\n{self._shape()}"
        )

    def _opening(self, task: FewShot[Value]) -> str:
        tools = "; ".join(f"{tool} = {does}" for tool, does in self.tools.items())
        return (
            "Training settings, chosen to suit the rule behind some examples\n\n"
            f"{self.notation.demonstrations(task)}\n\n"
            f"Variants to add: {tools}.\nSettings for another rule:\n{self._shape()}\n"
            "Settings for the rule above:\n"
        )


# -- the formats ------------------------------------------------------------------------------------

GRID_TOOLS: Mapping[str, str] = {
    "basic": "the grids rotated, mirrored, transposed, shifted, or with their mirror image beside them",
    "size": "every cell doubled in height, in width, or in both",
    "chain": "the grids rotated, mirrored or transposed, and then doubled",
    "repeat": "two copies of each grid one below the other, side by side, or both",
}
TEXT_TOOLS: Mapping[str, str] = {
    "reorder": "the examples in other orders",
    "rename": "letters and digits exchanged for others, alike in inputs and outputs",
    "labels": "other words in the place of the outputs, where these are a few labels",
}
EXTRA_TEXT_TOOLS: Mapping[str, str] = {
    "jitter": "other numbers in the inputs, with the outputs that the rule gives",
    "paraphrase": "the inputs in other words",
}

GRIDS: FewShotFormat[Grid] = FewShotFormat(
    GRID_TOOLS, lambda task, on, seed: grid_variants(task, on, seed=seed)
)
TIGHT_GRIDS = replace(GRIDS, notation=TIGHT)


def text_format(solve: Solve | None = None, *, paraphrases: bool = False) -> FewShotFormat[str]:
    """The format for text tasks, with the switches for which there is a rule or tasks have paraphrases."""
    given = {"jitter": solve is not None, "paraphrase": paraphrases}
    tools = {**TEXT_TOOLS, **{tool: does for tool, does in EXTRA_TEXT_TOOLS.items() if given[tool]}}

    def variants(task: FewShot[str], on: tuple[str, ...], seed: int) -> list[FewShot[str]]:
        return text_variants(task, on, seed=seed, solve=solve)

    return FewShotFormat(tools, variants)


TEXTS = text_format()
REWORDED = text_format(paraphrases=True)


@overload
def format_of(
    kind: Literal["arc"], *, paraphrases: bool = False, cells: Cells = "apart"
) -> FewShotFormat[Grid]: ...
@overload
def format_of(
    kind: Literal["text"], *, paraphrases: bool = False, cells: Cells = "apart"
) -> FewShotFormat[str]: ...
def format_of(
    kind: Literal["arc", "text"], *, paraphrases: bool = False, cells: Cells = "apart"
) -> FewShotFormat[Grid] | FewShotFormat[str]:
    """The format for tasks of grids, or for those of texts: without paraphrases, or with some."""
    if kind == "arc":
        return GRIDS if cells == "apart" else TIGHT_GRIDS
    return REWORDED if paraphrases else TEXTS


# -- configurations that come twice -----------------------------------------------------------------


def configuration(edit: SelfEdit) -> str:
    """A hash of what the edit picked: two edits that read differently may pick the same."""
    return content_hash(["configuration", edit.format, dict(edit.settings)])


def to_resample(
    edits: Iterable[SelfEdit | Failure], *, attempt: int = 0, most: int = MOST_AGAIN
) -> tuple[int, ...]:
    """Places of the edits that pick what one before them picked; none once `attempt` has reached `most`.

    A Failure is an outcome, and is not sampled again.
    """
    seen: set[str] = set()
    again: list[int] = []
    for at, edit in enumerate(edits):
        if isinstance(edit, Failure):
            continue
        picked = configuration(edit)
        if picked in seen:
            again.append(at)
        seen.add(picked)
    return tuple(again) if attempt < most else ()


# -- what the model wrote ---------------------------------------------------------------------------


def first_object(text: str, wanted: set[str]) -> dict[str, Any] | None:
    """The first JSON object with one of the wanted keys, objects within it laid open; None where none is.

    The official code's spellings of the keys (`use_basic_augmentations`, `num_train_epochs`) count too.
    """
    laid_open = map(_flat, json_objects(text))
    return next((found for found in laid_open if found.keys() & {*wanted, "strategy"}), None)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in (*value.values(), value):
        if isinstance(part, dict):
            pairs = cast("dict[str, Any]", part).items()
            found |= {_OLD_NAMES.sub("", name.strip().lower()): each for name, each in pairs}
    return found


def _switch(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "yes", "on"))


def _loss(value: Any) -> str:
    words = str(value).lower() if isinstance(value, str) else ""
    return next((loss for loss in ("output", "all") if loss in words), DEFAULTS["loss"])
