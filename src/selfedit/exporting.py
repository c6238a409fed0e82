"""Taking the model elsewhere: a head as a plain model, as one LoRA, or as its adapters; with a card.

Reads the store and changes nothing in it. The folder comes under its name whole, or not at all.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator
from collections.abc import Sequence as Items
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit import model_card
from selfedit.asking import NEWEST, asked_again, check_kept, correctness, head_named, reporting
from selfedit.config import recorded
from selfedit.errors import ExportError, SelfEditError, StoreError, UsageError
from selfedit.lessons import Hire, Pupil
from selfedit.measuring import Interval
from selfedit.model_card import Learned
from selfedit.rewards import mean_over_passages, paired_interval
from selfedit.serving import routed
from selfedit.store import CommitRow, ProbeResult, Store
from selfedit.store.hidden import hidden
from selfedit.types import Head

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.engine.export import Base

FORMS = ("merged", "lora", "adapters")
MANIFEST = "manifest.json"
FULL = "free space, or choose another folder"


@final
@dataclass(frozen=True)
class Wanted:
    """What to write. Raises UsageError for what does not go together."""

    form: str = "merged"
    rank: int | None = None
    """Of one LoRA: at most this rank."""
    error: float | None = None
    """Of one LoRA: the least rank with which no layer is further off, relative to its update."""
    dtype: str | None = None
    """Of a merged model; None is the type that the store is computed in."""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise UsageError(f"form {self.form!r}: unknown; choose {', '.join(FORMS)}")
        if self.form != "lora" and (self.rank is not None or self.error is not None):
            raise UsageError(
                "a rank or an error bound is for one LoRA; choose the form lora, or leave it out"
            )
        if self.rank is not None and self.error is not None:
            raise UsageError("a rank and an error bound exclude each other; give one of them")
        if self.rank is not None and self.rank < 1:
            raise UsageError(f"rank {self.rank}: choose a whole number from 1")
        if self.error is not None and not 1e-6 <= self.error < 1:
            raise UsageError(f"error {self.error}: choose a share from 0.000001 to below 1")
        if self.dtype is not None and self.form != "merged":
            raise UsageError("a type is for a merged model; adapters are float32: leave it out")
        if self.dtype is not None:
            _check_dtype(self.dtype)


def _check_dtype(dtype: str) -> None:
    from selfedit.engine.export import DTYPES

    if dtype not in DTYPES:
        raise UsageError(f"dtype {dtype!r}: unknown; choose {', '.join(DTYPES)}")


@final
@dataclass(frozen=True)
class Lora:
    """One LoRA in the place of all adapters, and what it loses (Frobenius, relative to the summed update)."""

    rank: int
    full_rank: int
    """The rank with which nothing is lost."""
    error: float
    """Over all layers together."""
    worst_error: float
    worst_layer: str


@final
@dataclass(frozen=True)
class Compared:
    """The live commits' reporting probes, asked at the head and with what was exported."""

    asked: int
    passages: int
    right_head: float | None
    """Means over passages; None where there was nothing to ask."""
    right_export: float | None
    difference_ci95: Interval | None
    """Of the export's correctness less the head's, paired over passages."""
    answers_differ: int
    """How many answers are not word for word the same."""


@final
@dataclass(frozen=True)
class Entry:
    """One adapter of several: where it lies, and the head that it belongs on."""

    folder: str
    commit: str
    adapter: str
    head_trained_on: str
    """Hash of the head."""
    trained_on: tuple[str, ...]
    """The commits in that head, in order; some may not be live any more."""
    alone: bool = False
    """It answers without the others, the questions about what it learned."""


@final
@dataclass(frozen=True)
class Exported:
    """What an `export` wrote."""

    folder: Path
    form: str
    base: str
    weights: str
    """Hash of the base's weights."""
    head: str
    dtype: str
    commits: tuple[str, ...]
    """In the order in which their adapters are merged."""
    stale: tuple[str, ...] = ()
    """Those that were trained on what is no longer there, and wait to be retrained."""
    lora: Lora | None = None
    probes: Compared | None = None
    adapters: tuple[Entry, ...] = ()
    files: int = 0
    """Those that hold the model; card and manifest come on top."""
    bytes: int = 0
    seconds: float = 0.0


@final
@dataclass(frozen=True)
class Order:
    """Which commits are to be written, from where, as what, and to which folder."""

    store: Store
    hire: Hire
    rows: tuple[CommitRow, ...]
    wanted: Wanted
    base: Base
    work: Path

    @property
    def commits(self) -> tuple[str, ...]:
        return tuple(row.id for row in self.rows)


def export(
    store: Store, hire: Hire, folder: str | os.PathLike[str], wanted: Wanted, at: str | None = None
) -> Exported:
    """Write the head, or with `at` the head as of a commit, to a folder that is new or empty.

    Raises ExportError where that cannot be done, StoreError where nothing is there to be exported.
    """
    from selfedit.engine.export import base_of

    began = time.monotonic()
    target = free_folder(folder)
    rows = head_named(store, NEWEST if at is None else at)
    if not rows:
        raise StoreError(
            f"{store.path}: nothing is learned there; learn something, or name a commit with --at"
        )
    check_kept(store, rows)
    with placed(target) as work:
        order = Order(store, hire, rows, wanted, base_of(store.base), work)
        done = _WRITERS[wanted.form](order, _outline(order, target))
        files = [file for file in work.rglob("*") if file.is_file()]
        done = replace(done, files=len(files), bytes=sum(file.stat().st_size for file in files))
        _describe(order, done)
    return replace(done, seconds=time.monotonic() - began)


def _outline(order: Order, target: Path) -> Exported:
    """What is the same in every form."""
    store, rows = order.store, order.rows
    return Exported(
        folder=target,
        form=order.wanted.form,
        base=store.base,
        weights=store.weights,
        head=Head(store.weights, tuple(store.adapter(row.adapter) for row in rows)).id,
        dtype=store.dtype,
        commits=order.commits,
        stale=tuple(row.id for row in store.stale() if row.id in order.commits),
    )


# -- the forms ---------------------------------------------------------------------------------------------


def _merged(order: Order, done: Exported) -> Exported:
    pupil, dtype = order.hire(order.rows), order.wanted.dtype
    pupil.begin("writing the model")
    pupil.worker.save_merged(pupil.worker.head(_whole(pupil)), order.work, dtype)
    return replace(done, dtype=dtype or pupil.worker.dtype)


def _whole(pupil: Pupil) -> tuple[Adapter, ...]:
    """The adapters whose sum answers as the store does. Raises ExportError where there is no such sum."""
    alone = sum(each.routed for each in pupil.live)
    if alone and len(pupil.live) > 1:
        raise ExportError(
            f"{alone} of {len(pupil.live)} commits answer each alone, and their sum would answer nothing; "
            "make one of them with `selfedit consolidate`, or export with --form adapters"
        )
    return tuple(each.adapter for each in pupil.live)


def _lora(order: Order, done: Exported) -> Exported:
    from selfedit.engine.lowrank import summed

    pupil, wanted = order.hire(order.rows), order.wanted
    progress = pupil.begin("summing up")
    found = summed(
        _whole(pupil), rank=wanted.rank, error=wanted.error, base=order.base.place, progress=progress
    )
    found.adapter.save(order.work)
    worst_layer, worst = found.worst
    lora = Lora(found.adapter.rank, found.full_rank, found.overall, worst, worst_layer)
    return replace(done, dtype=pupil.worker.dtype, lora=lora, probes=_compared(order, found.adapter))


def _adapters(order: Order, done: Exported) -> Exported:
    """No model is loaded for it."""
    from selfedit.engine import Adapter

    entries: list[Entry] = []
    digits = max(3, len(str(len(order.rows))))
    for number, row in enumerate(order.rows, 1):
        config = {**order.store.adapter(row.adapter).config, "base_model_name_or_path": order.base.place}
        folder = f"{number:0{digits}}-{row.id[:12]}"
        adapter = Adapter.from_file(order.store.adapter_path(row.adapter), config)
        if adapter.hash != row.adapter:
            raise StoreError(
                f"adapter {row.adapter[:12]}: its weights are damaged; `selfedit verify` says which file"
            )
        adapter.save(order.work / folder)
        trained_on = order.store.trained_on(row.id)
        entries.append(Entry(folder, row.id, row.adapter, row.head_trained_on, trained_on, routed(row)))
    return replace(done, adapters=tuple(entries))


_WRITERS: dict[str, Callable[[Order, Exported], Exported]] = {
    "merged": _merged,
    "lora": _lora,
    "adapters": _adapters,
}


def _compared(order: Order, adapter: Adapter) -> Compared:
    held = reporting(order.store, order.rows)
    head = asked_again(order.hire, order.rows, held, "asking the head")
    lora = asked_again(order.hire, (), held, "asking the LoRA", adapter)
    a, b = correctness(held, lora), correctness(held, head)
    return Compared(
        asked=len(held),
        passages=len(b),
        right_head=mean_over_passages(b),
        right_export=mean_over_passages(a),
        difference_ci95=paired_interval(a, b, seed=0),
        answers_differ=sum(lora[probe].text != head[probe].text for probe in held),
    )


# -- card and manifest -------------------------------------------------------------------------------------


def _describe(order: Order, done: Exported) -> None:
    probes = order.store.all_probes(order.commits)
    learned = [_learned(order.store, row, probes.get(row.id, [])) for row in order.rows]
    plain = {name: value for name, value in asdict(done).items() if name not in ("folder", "seconds")}
    base = asdict(order.base)
    if done.form == "merged":
        del base["place"]  # the folder needs nothing of this machine
    manifest = {**plain, "base": base, "commits": [_as_json(each) for each in learned]}
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (order.work / MANIFEST).write_text(text + "\n", encoding="utf-8")
    (order.work / "README.md").write_text(model_card.card(done, order.base, learned), encoding="utf-8")


def _as_json(learned: Learned) -> dict[str, Any]:
    """Without where the documents lay on this machine."""
    found = asdict(learned)
    for source in found["sources"]:
        del source["place"]
    return found


def _learned(store: Store, row: CommitRow, probes: Items[ProbeResult]) -> Learned:
    asked = [each for each in probes if each.role == "report"]
    return Learned(
        commit=row.id,
        time=row.time,
        sources=row.sources,
        titles=tuple(dict.fromkeys(task.title for task in store.tasks(row.id) if task.title)),
        figures=row.figures,
        questions=len(asked),
        passages=len({each.task for each in asked}),
        recites=recorded(row.settings).recites,
    )


# -- the folder --------------------------------------------------------------------------------------------


def free_folder(folder: str | os.PathLike[str]) -> Path:
    """The folder's full path, if it is new or empty. Raises ExportError."""
    target = Path(os.path.realpath(folder))
    try:
        if target.is_dir() and (target.samefile(Path.cwd()) or any(target.iterdir())):
            raise ExportError(
                f"{folder}: not empty, or the folder that you are in; name a new or empty folder"
            )
        if not _near(target).is_dir() or (target.exists() and not target.is_dir()):
            raise ExportError(f"{folder}: a file is in the way; name a new or empty folder")
    except OSError as error:
        raise ExportError(f"{folder}: cannot be read ({error.strerror}); choose another folder") from error
    return target


@contextmanager
def placed(target: Path) -> Generator[Path]:
    """A hidden folder near `target`, which takes its name when all went well, and is gone if not."""
    try:
        with hidden(_near(target), f"{target.name}.export") as work:
            try:
                yield work
            except SelfEditError as error:
                raise type(error)(str(error).replace(str(work), str(target))) from error
            _settle(work, target)
    except OSError as error:
        raise ExportError(f"{target}: cannot be written ({error.strerror or error}); {FULL}") from error


def _near(target: Path) -> Path:
    """The next above it that is there."""
    return next(parent for parent in target.parents if parent.exists())


def _settle(work: Path, target: Path) -> None:
    """To the disk first, readable for others, then under its name."""
    for file in work.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        target.rmdir()
    os.rename(work, target)
