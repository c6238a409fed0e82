"""What `train` and `eval` are asked to do: rounds of reinforcement, and the table that they are seen in.

Knows nothing of files. Names of formats and rewards are checked by whoever knows them (`selfedit.recipes`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from selfedit.config.settings import BUILT_IN, Settings, Training, Weighted
from selfedit.types import content_hash

ROWS = (
    *("base", "in-context", "retrieval", "passage", "untrained", "warm", "rounds"),
    *("in-context-warm", "teacher", "best-of-n", "gold", "fixed", "oracle", "tools:A+B", "joint:N"),
)
"""Rows of the table. `tools:A+B` stands for any of `TOOLS`, joined by +; `joint:N` for any whole number from
2, of passages in one adapter."""
FEW_SHOT_ROWS = ("in-context", "untrained", "rounds", "fixed", "oracle")
"""Rows of a table on tasks of demonstrations; `fixed` and `oracle` are of no other."""
PAIRS = "question-answer"
"""The format of questions: what a shipped writer writes, and what can be recited."""
FEW_SHOT = "few-shot"
"""The format that self-edits for tasks of demonstrations are written in."""
TOOLS = ("split", "cloze", "reorder")
"""What makes training rows of a passage by rule."""
_TOOLS = re.compile(r"tools:({0})(\+({0}))*".format("|".join(TOOLS)))
_SETS = re.compile(r"(arc[0-9]+|arc-seal|generators)(:.*)?")
"""Names of sets of tasks of demonstrations."""
_SOURCES = ("train", "report")
_JOINT = re.compile(r"joint:([2-9]|[1-9][0-9]{1,4})")


def _printable(text: str) -> str:
    if text.isprintable() and text == text.strip():
        return text
    raise PydanticCustomError("unprintable", "write it without line breaks, and without space around it")


def _apart(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = next((value for at, value in enumerate(values) if value in values[:at]), None)
    if twice is None:
        return values
    raise PydanticCustomError("repeated", "{twice} is there twice; leave one", {"twice": repr(twice)})


def _row(name: str) -> str:
    if name in ROWS[:-2] or _JOINT.fullmatch(name):
        return name
    if _TOOLS.fullmatch(name):
        return "tools:" + "+".join(_apart(tuple(name.removeprefix("tools:").split("+"))))
    raise PydanticCustomError("choice", "choose among {all}", {"all": ", ".join(ROWS), "choices": ROWS})


def _numbers(value: Any) -> Any:
    """Every number as a float: 32 and 32.0 say the same, and have one hash."""
    match value:
        case dict():
            return {name: _numbers(each) for name, each in cast(dict[str, Any], value).items()}
        case list():
            return [_numbers(each) for each in cast(list[Any], value)]
        case int() | float() if not isinstance(value, bool):
            return value + 0.0  # which takes the sign off a zero
        case _:
            return value


def _listed(value: Any) -> Any:
    """One number is a list of one."""
    if isinstance(value, tuple | list):
        return cast(Any, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value,)
    raise PydanticCustomError("number_or_list", "give a number, or a list of numbers")


Name = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1, max_length=64), AfterValidator(_apart)]
MaybeSeeds = Annotated[tuple[Seed, ...], Field(max_length=64), AfterValidator(_apart)]
Temperature = Annotated[float, Field(ge=0, le=2)]


class Section(Settings):
    """Settings with groups of settings in them. A group given in part keeps the rest of its default."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: cls._whole(name, value) for name, value in cast(Mapping[Any, Any], given).items()}

    @classmethod
    def _whole(cls, name: Any, value: Any) -> Any:
        field = cls.model_fields.get(name) if isinstance(name, str) else None
        if field is None or not isinstance(field.default, Settings) or not isinstance(value, Mapping):
            return value
        return {**field.default.model_dump(), **cast(Mapping[Any, Any], value)}


class Data(Settings):
    """Which passages or tasks are learned from, and which ones the table is measured on."""

    kind: Literal["passages", "arc", "text"] = "passages"
    """What a task is: a passage with questions, or demonstrations in grids (`arc`) or in words (`text`)."""
    train: Name = "squad/train.json"
    """Rows of title, context and questions; a path below the data folder, or an absolute one. Tasks of
    demonstrations: a set by name (`arc1:training`, `arc-seal:train`, `generators:build`), or such a path."""
    report: Name = "squad/val_report.json"
    """The same for the table; never what is trained on."""
    passages: int = Field(default=20, ge=1, le=100_000)
    """Of `train`, drawn afresh for every round by the seed."""
    report_passages: int | None = Field(default=96, ge=1, le=100_000)
    """The first so many of `report`, of tasks of demonstrations so many drawn by the seed; null: all."""


class Configuration(Settings):
    """A fixed setting in the place of a few-shot self-edit."""

    tools: Annotated[tuple[Name, ...], Field(max_length=8), AfterValidator(_apart)] = ()
    """Switches that are on: basic, size, chain, repeat for grids; reorder, rename, labels for texts."""
    loss: Literal["output", "all"] = "output"
    """The tokens that bear loss: those of the output, or all."""
    learning_rate: float = Field(default=1e-4, ge=1e-6, le=5e-3)
    """The highest, of AdamW."""
    epochs: int = Field(default=2, ge=1, le=20)
    """Times that each row is trained on."""


class FewShots(Settings):
    """How tasks of demonstrations are picked and asked; of no account for passages."""

    largest: int | None = Field(default=None, ge=1, le=30)
    """Only tasks all of whose grids have at most so many rows and columns; null: all."""
    tasks: int | None = Field(default=None, ge=1, le=100_000)
    """At most so many of `data.train`, drawn once by the seed, for rounds and `fixed`; null: all."""
    instances: int = Field(default=1, ge=1, le=1000)
    """Of every generator, where tasks come from generators."""
    steps: int = Field(default=375, ge=1, le=100_000)
    """Optimiser steps that a self-edit may take; rows beyond them are left out, drawn by the seed."""
    guises: int = Field(default=8, ge=1, le=8)
    """Turns and mirrorings, of eight, in which a test of grids is asked; 1: as it is."""
    copies: int = Field(default=1, ge=1, le=16)
    """Times that each is asked; all but the first with demonstrations shuffled, grids in other colours."""
    cells: Literal["apart", "together"] = "apart"
    """Whether a space parts the cells of a grid's row. Together they cost a third fewer tokens; only for
    tokenizers that read digits one by one, as the built-in model's does."""
    settings: Annotated[tuple[Configuration, ...], Field(min_length=1, max_length=256)] = (Configuration(),)
    """What `fixed` and `oracle` choose among."""
    report_samples: int = Field(default=1, ge=1, le=256)
    """Self-edits for each task of the table: the likeliest one, or so many drawn, and averaged."""
    paraphrase: bool = False
    """The base says the inputs of texts in other words, and self-edits may pick the tool `paraphrase`."""
    solvable: bool = False
    """The table is of tasks alone that the best of `settings` solves, as in SEAL."""


class Write(Settings):
    """How the policy writes self-edits."""

    formats: Annotated[tuple[Name, ...], Field(min_length=1, max_length=32), AfterValidator(_apart)] = (
        "question-answer",
    )
    """Formats that ship, or paths of template files; several take turns."""
    bandit: bool = False
    """Past rewards decide how often each format is written."""
    samples: int = Field(default=5, ge=1, le=256)
    """Self-edits for each passage of a round."""
    temperature: Annotated[
        tuple[Temperature, ...], Field(min_length=1, max_length=1000), BeforeValidator(_listed)
    ] = (0.8,)
    """A number, or a list with one for each round, of which the last goes on."""
    spans: int = Field(default=14, ge=1, le=200)
    """Answers that the question-answer format asks for in each passage."""
    recite: bool = False
    """As `learn` does: a question is trained with its sentence; asked, this is said first, and then read."""
    hints: int = Field(default=3, ge=0, le=100)
    """Where sentences are recited: rows for each, with a few of its words for a question."""


class Judge(Settings):
    """How a self-edit's adapter is tried."""

    seeds: Seeds = (0, 1)
    """An adapter is trained for each."""
    held_out: MaybeSeeds = ()
    """Seeds that every edit is tried with once more, only to say how good the choice was; [] for none."""
    probes: Literal["gold", "own", "both"] = "gold"
    """The data's questions, questions that the model writes with the passage in view, or both."""
    own_probes: int = Field(default=12, ge=1, le=100)
    """Questions that the model writes for each passage."""
    rewards: Annotated[tuple[Weighted, ...], Field(min_length=1, max_length=16)] = (
        Weighted(name="likelihood"),
    )
    """What a self-edit earns: the weighted sum of measures."""
    on: Literal["base", "policy"] = "base"
    """What self-edits are applied to: the base, as `learn` does, or the policy of the round, as in SEAL."""
    grader: Literal["rules", "words", "local", "base"] = "words"
    """Who says whether an answer is right."""
    answer_tokens: int = Field(default=24, ge=1, le=4096)
    """The longest answer."""

    @property
    def weights(self) -> dict[str, float]:
        """The rewards by name; what is named twice counts twice."""
        found: dict[str, float] = {}
        for each in self.rewards:
            found[each.name] = found.get(each.name, 0.0) + each.weight
        return found


class Select(Settings):
    """Which self-edits the policy is reinforced by."""

    method: Literal["best", "halving"] = "halving"
    """Every self-edit on every seed, or successive halving: the worse half is tried no further."""
    keep: int = Field(default=1, ge=1, le=256)
    """Self-edits of each passage."""
    shrink: bool = True
    """A mean over few seeds is drawn towards its passage's mean, as far as it is noise."""
    beat: Annotated[tuple[Literal["base", "passage"], ...], AfterValidator(_apart)] = ("base", "passage")
    """Kept only if better than the model as it was and than training on the passage alone; [] for neither."""


class Reinforce(Section):
    """How the policy learns from what was kept."""

    method: Literal["rest-em", "grpo"] = "rest-em"
    """Fine-tune on the kept self-edits, or on all of them, weighted by their advantage."""
    kl: float = Field(default=0.0, ge=0, le=100)
    """Weight of the KL divergence from the first round's policy in the loss, for each token; 0: none."""
    training: Training = Training(
        rank=16, alpha=32, learning_rate=3e-4, epochs=2, batch_size=10, least_steps=0
    )
    """The policy's fine-tune."""


class Reporting(Section):
    """What the table shows."""

    training: Training = Training()
    """The adapters that the table is measured with."""
    rows: Annotated[tuple[Annotated[str, AfterValidator(_row)], ...], AfterValidator(_apart)] = ROWS[:7]
    """In this order; `rounds` is a row for each round, `joint:N` several; A and B: split, cloze, reorder."""
    seeds: Seeds = (0,)
    """Each row is trained once for each, and averaged."""


class Recipe(Section):
    """A whole experiment. Equal recipes give equal results on one machine."""

    base: Name = BUILT_IN
    """The model: a built-in name, a hub name, a folder or a GGUF file."""
    seed: Seed = 0
    """Whatever is drawn is drawn by it."""
    rounds: int = Field(default=2, ge=1, le=100)
    """Of writing, trying, selecting and reinforcing."""
    data: Data = Data()
    few_shot: FewShots = FewShots()
    write: Write = Write()
    apply: Training = Training(rank=8, alpha=16, learning_rate=4e-3, epochs=1, least_steps=0)
    """The fine-tune that a self-edit is tried by."""
    judge: Judge = Judge()
    select: Select = Select()
    reinforce: Reinforce = Reinforce()
    report: Reporting = Reporting()

    @property
    def id(self) -> str:
        """A hash of all that the policy after any round depends on.

        How many rounds there are, which seeds only look on, and what the table shows is no part of it: a run
        goes on with more rounds or another table. A file or template counts by its name; what is in it, its
        reader must look after.
        """
        return content_hash(["recipe", _numbers(self.depended_on())])

    def depended_on(self) -> dict[str, Any]:
        """All that the policy after any round depends on, as JSON."""
        held = self.told()
        for name in ("rounds", "report"):
            del held[name]
        del held["judge"]["held_out"]
        if not self.write.recite:  # as in runs of earlier versions
            del held["write"]["recite"], held["write"]["hints"]
        for name in ("report", "report_passages"):
            del held["data"][name]
        few_shot = held.get("few_shot", {})
        for name in ("settings", "report_samples", "solvable"):
            few_shot.pop(name, None)
        if not few_shot.get("paraphrase"):
            few_shot.pop("paraphrase", None)  # as in runs of earlier versions
        return held

    def told(self) -> dict[str, Any]:
        """The recipe as JSON, without the keys that are of no account for its kind of task."""
        passages = {"few_shot": True, "data": {"kind"}}
        return self.model_dump(mode="json", exclude=passages if self.data.kind == "passages" else None)

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        for key, wrong, remedy in self._contradictions():
            if wrong:
                raise PydanticCustomError("contradiction", "{remedy}", {"key": key, "remedy": remedy})
        return self

    def _contradictions(self) -> list[tuple[str, bool, str]]:
        samples, formats = self.write.samples, len(self.write.formats)
        few = f"of {samples} (write.samples); choose at most so many"
        return [
            ("data.report", self.data.report == self.data.train, "is data.train too; take other passages"),
            *(self._of_passages() if self.data.kind == "passages" else self._of_demonstrations()),
            (
                "judge.held_out",
                not set(self.judge.held_out).isdisjoint(self.judge.seeds),
                "has a seed that chooses too (judge.seeds); take others",
            ),
            ("write.bandit", self.write.bandit and formats < 2, "needs two formats or more; or choose false"),
            ("select.keep", self.select.keep > samples, f"keeps {self.select.keep} {few}"),
            (
                "reinforce.method",
                self.reinforce.method == "grpo" and samples < 2,
                "is grpo, which compares self-edits; choose write.samples of 2 or more",
            ),
        ]

    def _of_passages(self) -> list[tuple[str, bool, str]]:
        others = [row for row in self.report.rows if row in ("fixed", "oracle")]
        what = "is a set of tasks of demonstrations; choose data.kind arc or text"
        asks = self.write.formats == (PAIRS,)
        return [
            (
                "write.recite",
                self.write.recite and not asks,
                f"needs write.formats [{PAIRS}]; or choose false",
            ),
            (
                "judge.rewards",
                "sentence" in self.judge.weights and not self.write.recite,
                "has sentence, which only what is recited earns; choose write.recite true",
            ),
            *((f"data.{name}", bool(_SETS.fullmatch(getattr(self.data, name))), what) for name in _SOURCES),
            ("report.rows", bool(others), f"has {''.join(others[:1])}, which is for data.kind arc or text"),
        ]

    def _of_demonstrations(self) -> list[tuple[str, bool, str]]:
        kind, rows = self.data.kind, ", ".join(FEW_SHOT_ROWS)
        others = [row for row in self.report.rows if row not in FEW_SHOT_ROWS]
        where = f"for data.kind {kind}"
        right = ("arc", "arc-seal") if kind == "arc" else ("generators",)
        found = {name: _SETS.fullmatch(getattr(self.data, name)) for name in _SOURCES}
        wrong = [name for name, set_ in found.items() if set_ and set_[1].rstrip("0123456789") not in right]
        return [
            *(
                (f"data.{name}", True, f"is no set {where}; choose {right[-1]}:..., or a path")
                for name in wrong
            ),
            (
                "write.formats",
                self.write.formats != (FEW_SHOT,),
                f"are of passages; choose [{FEW_SHOT}] {where}",
            ),
            ("write.recite", self.write.recite, f"is of passages; choose false {where}"),
            ("judge.probes", self.judge.probes != "gold", f"choose gold {where}: its tests"),
            ("select.beat", "passage" in self.select.beat, f"has passage; choose [base] or [] {where}"),
            (
                "apply.least_steps",
                self.apply.least_steps > 0,
                f"choose 0 {where}; few_shot.steps is the bound",
            ),
            (
                "report.training.least_steps",
                self.report.training.least_steps > 0,
                f"choose 0 {where}; few_shot.steps is the bound",
            ),
            ("report.rows", bool(others), f"has {''.join(others[:1])}; choose among {rows} {where}"),
            (
                "few_shot.largest",
                kind == "text" and self.few_shot.largest is not None,
                "is of grids; choose null",
            ),
            (
                "few_shot.paraphrase",
                kind == "arc" and self.few_shot.paraphrase,
                "is of texts; choose false",
            ),
        ]
