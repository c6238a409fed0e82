"""What `stream` is asked to do: documents learned one after another, by several methods side by side.

Knows nothing of files, and of what a strategy does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from selfedit.config.recipe import PAIRS, Name, Section, Seed
from selfedit.config.retention import Retention
from selfedit.config.settings import BUILT_IN, Settings, Training
from selfedit.types import content_hash

BASE, JOINT = "base", "joint"
"""Rows that no method is called by: the model that was never edited, and one adapter of all documents."""
RouterName = Literal["bm25", "topics", "titles"]
MethodName = Annotated[str, StringConstraints(pattern=r"^[\w.+-]+$", min_length=1, max_length=40)]


class StreamMethod(Section):
    """A way of learning one document after another."""

    name: MethodName
    """As its row is called."""
    retention: Retention = Retention()
    """Strategies, and their numbers."""
    router: RouterName = "titles"
    """With the strategy router or superposition, what finds the document: `bm25` or `topics` by a question's
    words among all passages, `titles` by its topic first, else as `ask` finds the passage."""

    @property
    def routed(self) -> bool:
        """Whether each document's adapter stands on the bare base, and a rule finds a question's document."""
        return self.retention.routed or self.retention.superposed


class StreamWrite(Settings):
    """How self-edits are written: once a document, greedily, by the base with the writer that ships."""

    format: Name = "question-answer"
    """One that ships, or the path of a template file."""
    spans: int = Field(default=14, ge=1, le=200)
    """Answers that the question-answer format asks for in each passage."""
    recite: bool = False
    """As `learn` does: a question is trained with its sentence; asked, this is said first, and then read."""
    hints: int = Field(default=3, ge=0, le=100)
    """Where sentences are recited: rows for each, with a few of its words for a question."""


def _method(name: str, *strategies: Any) -> StreamMethod:
    return StreamMethod(name=name, retention=Retention(strategies=strategies))


class StreamRecipe(Section):
    """A whole experiment. Equal recipes give equal results on one machine."""

    base: Name = BUILT_IN
    """The model: a built-in name, a hub name, a folder or a GGUF file."""
    seed: Seed = 0
    """Whatever is drawn is drawn by it."""
    data: Name = "squad/val_report.json"
    """Passages with questions: a path below the data folder, or an absolute one."""
    sequences: int = Field(default=10, ge=1, le=10_000)
    """Of other passages each, drawn from the data with titles mixed."""
    documents: int = Field(default=8, ge=1, le=10_000)
    """Passages that a sequence learns, one after another."""
    write: StreamWrite = StreamWrite()
    training: Training = Training()
    """The fine-tune of each document."""
    methods: Annotated[tuple[StreamMethod, ...], Field(min_length=1, max_length=64)] = (
        _method("naive", "naive"),
        _method("replay", "replay"),
        _method("router", "router"),
    )
    """Side by side; differences are told against the first."""
    joint: bool = True
    """Also a row of one adapter that is trained on all documents at once: the ceiling."""
    grader: Literal["rules", "words", "local", "base"] = "words"
    """Who says whether an answer is right."""
    answer_tokens: int = Field(default=24, ge=1, le=4096)
    """The longest answer."""
    accuracy: Literal["ends", "all", "off"] = "ends"
    """Where answers are asked: of a document just after it and after the last, of all learned so far after
    every step, or nowhere."""
    likelihood: Literal["ends", "all"] = "all"
    """Where log-probabilities of the expected answers are taken: of all documents after every step, or of a
    document just after it and of all after the last. Where sentences are recited, each one has to be said."""
    canaries: int = Field(default=64, ge=0, le=10_000)
    """Of those that ship: questions of general ability, asked of the base and after the last document."""
    own_probes: int = Field(default=4, ge=1, le=100)
    """Self-written questions of each document, by which strategies see what fades; never people's."""
    fall: float = Field(default=0.1, ge=0, le=100)
    """With bisection: nats a token that earlier documents' own questions may lose by a new adapter."""

    @property
    def id(self) -> str:
        """A hash of what rows have in common; other methods or more sequences make the same table larger."""
        held = self.model_dump(mode="json")
        for name in ("methods", "sequences", "joint", "accuracy", "likelihood"):
            del held[name]
        if not self.write.recite:  # as in streams of earlier versions
            del held["write"]["recite"], held["write"]["hints"]
        return content_hash(["stream", held])

    @property
    def names(self) -> tuple[str, ...]:
        """The methods, and `joint` where it is asked for."""
        return (*(each.name for each in self.methods), *((JOINT,) if self.joint else ()))

    @model_validator(mode="after")
    def _consistent(self) -> StreamRecipe:
        if self.write.recite and self.write.format != PAIRS:
            remedy = f"needs write.format {PAIRS}; or choose false"
            raise PydanticCustomError("contradiction", "{remedy}", {"key": "write.recite", "remedy": remedy})
        for at, each in enumerate(self.methods):
            for key, wrong, remedy in self._wrong(at, each):
                if wrong:
                    raise PydanticCustomError("contradiction", "{remedy}", {"key": key, "remedy": remedy})
        return self

    def _wrong(self, at: int, method: StreamMethod) -> list[tuple[str, bool, str]]:
        twice = method.name in [each.name for each in self.methods[:at]]
        used = method.retention.strategies
        return [
            ("methods", twice, f"has two of the name {method.name}; give each a name of its own"),
            (
                "methods",
                method.name in (BASE, JOINT),
                f"has one of the name {method.name}, which is a row of its own; choose another name",
            ),
            (
                "methods",
                method.retention.routed and "bisection" in used,
                f"has {method.name} with router and bisection; no adapter disturbs another, so leave one out",
            ),
        ]
