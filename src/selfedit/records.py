"""Result files of the official SEAL repository: what they say, in the measures of our own tables.

Such a file holds, for each passage (*article*), the self-edits that were tried (*completions*), and for each
of them every question once a seed, with the verdicts on the answers before training and after. Figures are
made from those verdicts, by the code that makes our own; the file's own means are only compared with them.
Knows nothing of stores, models or terminals.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast, final

from selfedit.errors import RecordError, UsageError
from selfedit.rewards import bootstrap_interval, mean_over_passages, paired_interval, spread_over_passages
from selfedit.types import Sequence

T = TypeVar("T")
Interval = tuple[float, float]

LIMIT = 1 << 30
"""Unpacked bytes; the published files have some few million."""
ROUNDING = 2e-4
"""So far may a mean in the file lie from its verdicts': the official code rounds to four digits, twice."""

_WANTED = "give a result file of the official query server (articles, their completions, their questions)"


@final
@dataclass(frozen=True, slots=True)
class TriedEdit:
    """A self-edit as it was tried: its text, and the verdicts before training and after."""

    place: str
    text: str
    before: tuple[bool, ...]
    after: tuple[bool, ...]
    questions: int
    """Asked in one seed. One that stands twice in the passage's list counts twice: it is asked twice."""
    recorded: float | None
    """The mean after training as the file has it."""

    @property
    def mean(self) -> float:
        return sum(self.after) / len(self.after)


@final
@dataclass(frozen=True, slots=True)
class Article:
    """A passage: the prompt that asked for self-edits, those that were tried, and the file's own means."""

    place: str
    prompt: str
    edits: tuple[TriedEdit, ...]
    recorded_before: float | None
    recorded_after: float | None

    @property
    def questions(self) -> int:
        return max(edit.questions for edit in self.edits)

    def before(self) -> list[float]:
        return [float(right) for edit in self.edits for right in edit.before]

    def after(self) -> list[float]:
        return [float(right) for edit in self.edits for right in edit.after]


@final
@dataclass(frozen=True, slots=True)
class Record:
    """One result file."""

    path: str
    articles: tuple[Article, ...]
    recorded_before: float | None
    recorded_after: float | None


@final
@dataclass(frozen=True, slots=True)
class RecordFigures:
    """Means over passages of the mean over a passage's verdicts (questions, seeds and self-edits alike)."""

    baseline_accuracy: float
    baseline_ci95: Interval
    baseline_std: float | None
    """Standard deviation of the passages' means; None for a single passage."""
    adapter_accuracy: float
    ci95: Interval
    """Of the accuracy after training, by bootstrap over passages."""
    adapter_std: float | None
    gain: float
    gain_ci95: Interval
    """Of after less before, paired over passages."""
    articles: int
    questions: int
    verdicts: int
    """On answers after training: questions times seeds times self-edits."""


# -- figures --------------------------------------------------------------------------------------


def figures(record: Record, *, seed: int = 0) -> RecordFigures:
    """The file's figures from its verdicts. `seed` draws the resamples of the intervals."""
    names = [f"{number:08}" for number in range(len(record.articles))]
    before = {name: article.before() for name, article in zip(names, record.articles, strict=True)}
    after = {name: article.after() for name, article in zip(names, record.articles, strict=True)}
    baseline, adapter = _found(mean_over_passages(before)), _found(mean_over_passages(after))
    return RecordFigures(
        baseline_accuracy=baseline,
        baseline_ci95=_found(bootstrap_interval(before, seed=seed)),
        baseline_std=spread_over_passages(before),
        adapter_accuracy=adapter,
        ci95=_found(bootstrap_interval(after, seed=seed)),
        adapter_std=spread_over_passages(after),
        gain=adapter - baseline,
        gain_ci95=_found(paired_interval(after, before, seed=seed)),
        articles=len(record.articles),
        questions=sum(article.questions for article in record.articles),
        verdicts=sum(map(len, after.values())),
    )


def disagreements(record: Record, found: RecordFigures) -> tuple[str, ...]:
    """Where a mean in the file is not that of its verdicts, a line each; empty for a sound file."""
    pairs = [
        ("overall.baseline_mean_accuracy", record.recorded_before, found.baseline_accuracy),
        ("overall.adapter_mean_accuracy", record.recorded_after, found.adapter_accuracy),
    ]
    for article in record.articles:
        stats = f"{article.place}.stats"
        pairs.append((f"{stats}.baseline_accuracy", article.recorded_before, _mean(article.before())))
        pairs.append((f"{stats}.adapter_mean_accuracy", article.recorded_after, _mean(article.after())))
        pairs += [(f"{edit.place}.stats.adapter_mean", edit.recorded, edit.mean) for edit in article.edits]
    return tuple(
        f"{record.path}: {place} is {recorded:g}, but the verdicts give {computed:.4f}; the verdicts count"
        for place, recorded, computed in pairs
        if recorded is not None and not _near(recorded, computed)
    )


# -- the best self-edits --------------------------------------------------------------------------


def best_pairs(record: Record) -> tuple[Sequence, ...]:
    """For each article its prompt and its best self-edit, stripped; where that is blank there is no pair.

    Best is the highest mean of the verdicts. Between equal ones the file's own means decide, which stray from
    the verdicts' by the rounding of each seed and so decided for the published pairs; then the first.
    Raises RecordError where an article has no prompt, or where no pair is left.
    """
    pairs: list[Sequence] = []
    for article in record.articles:
        text = max(article.edits, key=_rank).text.strip()
        if text and not article.prompt.strip():
            raise RecordError(
                f"{record.path}: {article.place}: no prompt; without it there is no pair to write"
            )
        if text:
            pairs.append(Sequence(article.prompt, text))
    if not pairs:
        raise RecordError(
            f"{record.path}: every best completion is blank (a run without self-edits?); leave --sft out"
        )
    return tuple(pairs)


def write_pairs(pairs: Items[Sequence], path: Path, *, source: Path) -> None:
    """Write JSON Lines of `{"prompt", "completion"}`, packed if the name ends in .gz: whole, or not at all.

    A file of that name is replaced, but never `source`, from which the pairs were read.
    """
    data = b"".join(_line(pair) for pair in pairs)
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise UsageError(f"{path}: not a plain file; name the file to write, OUT.jsonl")
        if target.exists() and source.exists() and target.samefile(source):
            raise UsageError(f"{path}: that is the file that is read; choose another name")
        _replace(target, gzip.compress(data, mtime=0) if target.suffix == ".gz" else data)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written ({os.strerror(error.errno or 0)}); choose another place"
        ) from error


def _replace(target: Path, data: bytes) -> None:
    incoming = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        with incoming.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        incoming.replace(target)
    finally:
        incoming.unlink(missing_ok=True)


def _rank(edit: TriedEdit) -> tuple[float, float]:
    """Its mean by the verdicts, then by the file, if that is the same mean but for rounding."""
    if edit.recorded is not None and _near(edit.recorded, edit.mean):
        return edit.mean, edit.recorded
    return edit.mean, edit.mean


def _line(pair: Sequence) -> bytes:
    row = {"prompt": pair.prompt, "completion": pair.completion}
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair: UTF-8 has no form for it, JSON's escapes do
        return json.dumps(row).encode() + b"\n"


def _near(recorded: float, computed: float) -> bool:
    return abs(recorded - computed) <= ROUNDING


def _mean(values: Items[float]) -> float:
    return sum(values) / len(values)


def _found(value: T | None) -> T:
    assert value is not None, "an article without verdicts came through"
    return value


# -- reading --------------------------------------------------------------------------------------


def read(path: str | os.PathLike[str]) -> Record:
    """The record in a .json or .json.gz file; RecordError where it is none, with the place and the remedy."""
    name = os.fspath(path)
    try:
        value = json.loads(_unpacked(_bytes(name), name))
    except json.JSONDecodeError as error:
        raise RecordError(
            f"{name}, line {error.lineno}: not JSON ({error.msg} at column {error.colno}); {_WANTED}"
        ) from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{name}: not UTF-8 text at byte {error.start}; {_WANTED}") from error
    except (RecursionError, ValueError) as error:
        raise RecordError(f"{name}: JSON too deep, or with a number too long; {_WANTED}") from error
    return _record(_Node(name, "", value))


def _bytes(name: str) -> bytes:
    try:
        mode = os.stat(name).st_mode
        if not stat.S_ISREG(mode):
            raise RecordError(f"{name}: {'a folder' if stat.S_ISDIR(mode) else 'no plain file'}; {_WANTED}")
        with open(name, "rb") as file:
            return _bounded(file.read, name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RecordError(f"{name}: no such file; check the path") from error
    except PermissionError as error:
        raise RecordError(f"{name}: permission denied; make it readable for you (chmod u+r)") from error
    except (OSError, ValueError) as error:
        raise RecordError(f"{name!r}: cannot be read ({error}); check the disk and the path") from error


def _unpacked(data: bytes, name: str) -> bytes:
    """`data`, without gzip around it; what it is is told by its first bytes, not by its name."""
    if not data.startswith(b"\x1f\x8b"):
        if name.endswith(".gz"):
            raise RecordError(
                f"{name}: not gzip, though it is called so; rename it to .json or fetch it again"
            )
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return _bounded(file.read, name)
    except EOFError as error:
        raise RecordError(f"{name}: the gzip file is cut off; fetch it again") from error
    except (OSError, zlib.error) as error:
        raise RecordError(f"{name}: the gzip file is damaged ({error}); fetch it again") from error


def _bounded(read: Callable[[int], bytes], name: str) -> bytes:
    """All there is to read, in pieces: what would unpack to more than fits is refused before it does."""
    data = bytearray()
    while piece := read(1 << 20):
        data += piece
        if len(data) > LIMIT:
            raise RecordError(f"{name}: larger than {LIMIT >> 20:,} MiB; {_WANTED}")
    return bytes(data)


def _record(root: _Node) -> Record:
    overall = root.optional("overall")
    return Record(
        root.file,
        tuple(_article(node) for node in root.member("articles").items()),
        _share(overall, "baseline_mean_accuracy"),
        _share(overall, "adapter_mean_accuracy"),
    )


def _article(node: _Node) -> Article:
    stats, prompt = node.optional("stats"), node.optional("prompt")
    return Article(
        node.place,
        prompt.text() if prompt else "",
        tuple(_edit(each) for each in node.member("completions").items()),
        _share(stats, "baseline_accuracy"),
        _share(stats, "adapter_mean_accuracy"),
    )


def _edit(node: _Node) -> TriedEdit:
    asked = list(node.member("questions").items())
    seeds = Counter(str(rep.value) if (rep := question.optional("rep")) else "" for question in asked)
    return TriedEdit(
        node.place,
        node.member("text").text(),
        tuple(question.member("baseline_correct").flag() for question in asked),
        tuple(question.member("adapter_correct").flag() for question in asked),
        max(seeds.values()),
        _share(node.optional("stats"), "adapter_mean"),
    )


def _share(node: _Node | None, name: str) -> float | None:
    found = node.optional(name) if node else None
    return found.share() if found else None


@final
@dataclass(frozen=True, slots=True)
class _Node:
    """A value of the file, and the place where it stands."""

    file: str
    place: str
    value: object

    def member(self, name: str) -> _Node:
        found = self.optional(name)
        if found is None:
            raise self._error(f"no {name}")
        return found

    def optional(self, name: str) -> _Node | None:
        """The member, or None where there is none, or null."""
        value = self.value
        if not isinstance(value, dict):
            raise self._error(f"{_called(value)}, not an object")
        found = cast(dict[str, object], value).get(name)
        return None if found is None else _Node(self.file, f"{self.place}.{name}".lstrip("."), found)

    def items(self) -> Iterator[_Node]:
        """The elements of a list that must not be empty."""
        values = self.value
        if not isinstance(values, list):
            raise self._error(f"{_called(values)}, not a list")
        if not values:
            raise self._error("empty")
        for number, value in enumerate(cast(list[object], values)):
            yield _Node(self.file, f"{self.place}[{number}]", value)

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self._error(f"{_called(self.value)}, not text")
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self._error(f"{_called(self.value)}, not true or false")
        return self.value

    def share(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self._error(f"{_called(self.value)}, not a number")
        if not 0 <= self.value <= 1:
            raise self._error("not a share from 0 to 1")
        return float(self.value)

    def _error(self, what: str) -> RecordError:
        return RecordError(f"{self.file}: {f'{self.place}: ' if self.place else ''}{what}; {_WANTED}")


def _called(value: object) -> str:
    kinds = ((dict, "an object"), (list, "a list"), (str, "text"), (bool, "true or false"))
    other = "null" if value is None else "a number"
    return next((name for kind, name in kinds if isinstance(value, kind)), other)
