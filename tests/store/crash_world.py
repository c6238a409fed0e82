"""What the crash tests put into a store, and what a store may look like after a crash.

Commits are about made-up documents, each marked by a word that stands in all of its texts and nowhere else,
so that a file can be asked whether anything of it is left. No torch, no pytest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from samples import WEIGHTS

from selfedit.errors import StoreError
from selfedit.store import (
    AdapterRow,
    CommitRow,
    Cost,
    Figures,
    NewAdapter,
    NewCommit,
    ProbeAnswer,
    ProbeResult,
    Source,
    Store,
    sequence_text,
    text_hash,
    texts_of,
    trial_key,
)
from selfedit.types import Head, Probe, Reward, SelfEdit, Sequence, Task, TrainingPlan, Trial

# -- documents ------------------------------------------------------------------------------------


def mark(doc: int) -> str:
    """The word that stands in every text of a document."""
    return f"Qz{doc:05d}zQ"


def passage(doc: int) -> str:
    return f"The {mark(doc)} was built by Ada in {1000 + doc}. " * 3


def task_of(doc: int) -> Task:
    probes = tuple(
        Probe(f"What {n} of {mark(doc)}?", f"{mark(doc)} {n}", mark(doc), "cloze") for n in range(3)
    )
    return Task(f"About {mark(doc)}", passage(doc), probes, f"page-{doc}.md")


def edit_of(doc: int) -> SelfEdit:
    lines = (
        f"Ada built the {mark(doc)}.",
        Sequence(f"Who built {mark(doc)}?", f"Ada, says {mark(doc)}", 0.5),
    )
    return SelfEdit(task_of(doc).id, "question-answer", f"Q: who built {mark(doc)}? A: Ada", lines)


def trial_of(doc: int) -> Trial:
    return Trial(edit_of(doc), TrainingPlan((passage(doc),)), Reward(0.5, {"concise": 1.0}), "unkept")


def new_commit(number: int, doc: int, head: tuple[AdapterRow, ...], replayed: int | None) -> NewCommit:
    """Commit `number`, about document `doc`, on a head with these adapters, replaying another's passage."""
    task, edit = task_of(doc), edit_of(doc)
    own = (task.passage, *edit.lines)
    plan = TrainingPlan(
        (*own, *(() if replayed is None else (passage(replayed),))),
        rank=4,
        head=Head(WEIGHTS, head) if head else None,
        seed=number,
    )
    before, after = ProbeAnswer(f"not {mark(doc)}", False, False), ProbeAnswer(f"Ada of {mark(doc)}", True)
    docs = [doc] if replayed is None else [doc, replayed]
    return NewCommit(
        adapter=NewAdapter(f"adapter-{number}", weights(number), {"r": 4}),
        plan=plan,
        sources=(Source(f"page-{doc}.md", text_hash(passage(doc)), 40, f"/pages/{doc}.md"),),
        tasks=(task,),
        edits=(edit,),
        trials=(trial_of(doc),),
        probes=tuple(ProbeResult(probe, task.id, "report", None, before, after) for probe in task.probes),
        figures=Figures(0.0, 1.0, concise_before=0, concise_after=0.75),
        gate={"accepted": True, "reason": f"all of {mark(doc)} is known"},
        settings={"docs": docs},
        cost=Cost(1.5, 640),
        text_tasks={text_hash(sequence_text(each)): task.id for each in own},
    )


def weights(name: object) -> bytes:
    return hashlib.sha256(str(name).encode()).digest() * 100


def blob_name(name: object) -> str:
    return f"{hashlib.sha256(weights(name)).hexdigest()}.safetensors"


# -- rounds of training ---------------------------------------------------------------------------

RUN, RECIPE = "run", {"mark": "Qz-run-zQ"}


ROUND_MARK = "Qz-round-zQ"
"""The word that stands in every text of every round."""


def record_of(number: int) -> dict[str, str]:
    return {"best": f"Ada built {ROUND_MARK} in {number} years."}


def new_policy(number: int, below: tuple[AdapterRow, ...]) -> tuple[NewAdapter, TrainingPlan]:
    """What round `number` reinforces, on the policies of the rounds before it."""
    line = Sequence(f"Write about {ROUND_MARK}.", f"Ada took {number} years for {ROUND_MARK}")
    plan = TrainingPlan((line,), rank=4, head=Head(WEIGHTS, below) if below else None)
    return NewAdapter(policy_name(number), weights(policy_name(number)), {"r": 4}), plan


def policy_name(number: int) -> str:
    return f"policy-{number}"


# -- what is in a store ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What a store holds, in the words of these tests; two are equal if nothing was lost or half done."""

    commits: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Number of a commit → the document that it learned, and the one that it replayed."""
    head: tuple[int, ...] = ()
    erased: frozenset[int] = frozenset()
    """Documents."""
    tried: bool = False
    """Is there a trial of the document that comes next?"""
    reports: int = 0
    """How many there are about the newest commit."""
    rounds: int = 0
    """How many rounds of the one run have ended; one without any is as good as none."""

    @classmethod
    def read(cls, store: Store) -> Self:
        """What `store` shows through its own door."""
        log = store.log()
        commits = {number_of(each): tuple(each.settings["docs"]) for each in reversed(log)}
        report = store.report("proof", log[0].id) if log else None
        return cls(
            commits,
            tuple(number_of(each) for each in store.head()),
            frozenset(each.settings["docs"][0] for each in log if each.erased),
            store.trial(trial_name(cls(commits).next_doc)) is not None,
            report["number"] if report else 0,
            len(store.rounds(RUN)),
        )

    @property
    def newest(self) -> int:
        return max(self.commits, default=0)

    @property
    def next_doc(self) -> int:
        return max((doc for doc, *_ in self.commits.values()), default=0) + 1

    def live_docs(self) -> tuple[int, ...]:
        return tuple(self.commits[number][0] for number in self.head)

    def gone(self, number: int) -> bool:
        """Were this commit's weights trained on anything that was erased?"""
        return not self.erased.isdisjoint(self.commits[number])


def number_of(commit: CommitRow) -> int:
    return int(commit.adapter.removeprefix("adapter-"))


def trial_name(doc: int) -> str:
    return f"trial-{doc}"


# -- what must hold -------------------------------------------------------------------------------


def half_done(store: Store, known: Known, *, skip: Container[str] = ()) -> Iterator[str]:
    """Whatever is half there in a store that holds `known`; commits with an id in `skip` are not read."""
    for commit in store.log():
        if commit.id not in skip:
            yield from _half(store, commit, known)
    yield from _half_rounds(store, known)
    yield from (f"verify: {problem}" for problem in store.verify().problems)


def _half(store: Store, commit: CommitRow, known: Known) -> Iterator[str]:
    number = number_of(commit)
    doc, *replayed = known.commits[number]
    if not known.gone(number) and _weights(store, commit.adapter) != weights(number):
        yield f"half: commit {number} has other weights, or none"
    if doc in known.erased:
        return
    expected = new_commit(number, doc, (), replayed[0] if replayed else None)
    found = {
        "tasks": store.tasks(commit.id) == expected.tasks,
        "self-edits": store.edits(commit.id) == expected.edits,
        "probes": store.probes(commit.id) == expected.probes,
        "texts": store.texts_used(commit.id) == texts_of(expected.plan),
        "gate report": store.gate_report(commit.id) == expected.gate,
        "sources": commit.sources == expected.sources,
        "trial": store.trial(trial_key(trial_of(doc))) is not None,
    }
    yield from (f"half: commit {number} has other {part}" for part, same in found.items() if not same)


def _half_rounds(store: Store, known: Known) -> Iterator[str]:
    rows = store.rounds(RUN)
    if known.rounds and [each.recipe for each in store.runs()] != [RECIPE]:
        yield "half: the run has another recipe"
    if [each.number for each in rows] != [*range(1, known.rounds + 1)]:
        yield f"half: the run has the rounds {[each.number for each in rows]}"
    for each in rows:
        name = policy_name(each.number)
        if (each.record, each.adapter) != (record_of(each.number), name):
            yield f"half: round {each.number} has another record or policy"
        if _weights(store, name) != weights(name):
            yield f"half: round {each.number} has other weights, or none"


def _weights(store: Store, adapter: str) -> bytes | None:
    try:
        return store.adapter_path(adapter).read_bytes()
    except StoreError:
        return None


def not_erased(store: Store, known: Known) -> Iterator[str]:
    """Whatever is left on the disk of what `known` says is erased, or of a run that it does not have."""
    contents = {path: path.read_bytes() for path in files(store.path)}
    dropped = [] if known.rounds else [ROUND_MARK]
    for path, found in contents.items():
        gone = [*map(mark, known.erased), *dropped]
        marks = [each for each in gone if each.encode() in found]
        yield from (f"erase undone: {each} stands in {path.name}" for each in marks)
    names = {path.name for path in contents}
    left = [number for number in known.commits if known.gone(number) and blob_name(number) in names]
    yield from (f"erase undone: the weights of commit {number} are there" for number in left)


def superfluous(store: Store, known: Known) -> Iterator[str]:
    """Files that collecting garbage ought to have removed."""
    needed = {blob_name(number) for number in known.commits if not known.gone(number)}
    needed |= {blob_name(policy_name(number)) for number in range(1, known.rounds + 1)}
    places = [store.path / "blobs", store.heads_folder]
    found = {path.name for place in places for path in files(place)}
    yield from (f"garbage: {name} is there after gc" for name in sorted(found - needed))


def difference(expected: Known, found: Known) -> list[str]:
    """What a store that should hold `expected` has too little and too much, a line each."""
    lost = [f"lost: commit {number}" for number in expected.commits if number not in found.commits]
    more = [f"from nowhere: commit {number}" for number in found.commits if number not in expected.commits]
    names = [each.name for each in fields(Known) if each.name != "commits"]
    pairs = [(name, getattr(expected, name), getattr(found, name)) for name in names]
    return [
        *lost,
        *more,
        *(f"{name}: {found} in place of {was}" for name, was, found in pairs if found != was),
    ]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
