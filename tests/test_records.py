"""Official result files: figures from their verdicts, the best self-edits, and what is no such file."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from selfedit import records
from selfedit.errors import RecordError, UsageError
from selfedit.rewards import bootstrap_interval, paired_interval
from selfedit.types import Sequence

Json = dict[str, Any]


def questions(after: str, before: str | None = None, *, seeds: int = 1) -> list[Json]:
    """A row for each verdict: `1` right, `0` wrong, seed by seed."""
    each = len(after) // seeds
    return [
        {
            "rep": number // each,
            "question": f"Where is Karg {number % each}?",
            "answer": "east",
            "baseline_answer": "west",
            "adapter_answer": "east",
            "baseline_correct": before is not None and before[number] == "1",
            "adapter_correct": verdict == "1",
        }
        for number, verdict in enumerate(after)
    ]


def tried(text: str, asked: list[Json], mean: float | None = None) -> Json:
    return {"text": text, "questions": asked, "stats": {"adapter_mean": mean}}


def article(*completions: Json, prompt: str = "Write notes on Karg.") -> Json:
    return {"title": "Karg", "context": "Karg lies east.", "prompt": prompt, "completions": [*completions]}


def saved(folder: Path, value: Any, name: str = "run.json") -> Path:
    path = folder / name
    data = json.dumps(value).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


TWO = {
    "overall": {"baseline_mean_accuracy": 0.25, "adapter_mean_accuracy": 0.625},
    "articles": [
        article(tried("1. Karg lies east.", questions("1101", "1000"))),
        article(tried("1. Lim is a river.", questions("10", "01")), tried("2. Lim.", questions("01", "00"))),
    ],
}


@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
def test_means_over_passages_of_their_verdicts(tmp_path: Path, name: str) -> None:
    found = records.figures(records.read(saved(tmp_path, TWO, name)))
    before = {"a": [1.0, 0, 0, 0], "b": [0.0, 1, 0, 0]}
    after = {"a": [1.0, 1, 0, 1], "b": [1.0, 0, 0, 1]}
    assert (found.baseline_accuracy, found.adapter_accuracy, found.gain) == (0.25, 0.625, 0.375)
    assert found.ci95 == bootstrap_interval(after, seed=0)
    assert found.baseline_ci95 == bootstrap_interval(before, seed=0)
    assert found.gain_ci95 == paired_interval(after, before, seed=0)
    assert (found.baseline_std, found.adapter_std) == (0.0, pytest.approx(0.125 * 2**0.5))
    assert (found.articles, found.questions, found.verdicts) == (2, 6, 8)


def test_a_passage_with_many_questions_weighs_no_more(tmp_path: Path) -> None:
    value = {"articles": [article(tried("a", questions("1"))), article(tried("b", questions("0" * 9)))]}
    assert records.figures(records.read(saved(tmp_path, value))).adapter_accuracy == 0.5


def test_seeds_are_no_questions_but_a_question_asked_twice_is_two(tmp_path: Path) -> None:
    asked = questions("110110", seeds=2)
    for row in asked:
        row["question"] = "Where is Karg?"
    found = records.figures(records.read(saved(tmp_path, {"articles": [article(tried("a", asked))]})))
    assert (found.questions, found.verdicts) == (3, 6)
    assert found.adapter_accuracy == pytest.approx(2 / 3)
    assert found.adapter_std is None


def test_the_verdicts_count_where_the_files_means_say_otherwise(tmp_path: Path) -> None:
    value = json.loads(json.dumps(TWO))
    value["overall"]["adapter_mean_accuracy"] = 0.9
    value["articles"][0]["stats"] = {"baseline_accuracy": 0.2499, "adapter_mean_accuracy": 0.5}
    value["articles"][1]["completions"][1]["stats"]["adapter_mean"] = 0.6
    record = records.read(saved(tmp_path, value))
    found = records.figures(record)
    assert found.adapter_accuracy == 0.625
    lines = records.disagreements(record, found)
    places = ["overall.adapter", "articles[0].stats.adapter", "articles[1].completions[1].stats.adapter"]
    assert all(place in line for place, line in zip(places, lines, strict=True))
    assert "is 0.9, but the verdicts give 0.6250" in lines[0]


def test_rounding_is_no_disagreement(tmp_path: Path) -> None:
    value = {
        "overall": {"baseline_mean_accuracy": 0.0, "adapter_mean_accuracy": 0.6667},
        "articles": [article(tried("a", questions("110"), 0.6667))],
    }
    record = records.read(saved(tmp_path, value))
    assert records.disagreements(record, records.figures(record)) == ()


# -- the best self-edits --------------------------------------------------------------------------


def best(tmp_path: Path, *completions: Json) -> str:
    (pair,) = records.best_pairs(records.read(saved(tmp_path, {"articles": [article(*completions)]})))
    assert pair.prompt == "Write notes on Karg."
    return pair.completion


def test_the_best_is_that_of_the_highest_mean(tmp_path: Path) -> None:
    low, high = tried("low", questions("1000")), tried(" high\n", questions("0111"))
    assert best(tmp_path, low, high) == best(tmp_path, high, low) == "high"


def test_of_equal_ones_the_first(tmp_path: Path) -> None:
    assert (
        best(tmp_path, *(tried(text, questions(v)) for text, v in (("a", "00"), ("b", "10"), ("c", "01"))))
        == "b"
    )


def test_the_rounding_of_the_files_means_decides_between_equal_ones(tmp_path: Path) -> None:
    uneven = tried("uneven", questions("111100100", seeds=3), (1 + 0.3333 + 0.3333) / 3)
    even = tried("even", questions("110110100", seeds=3), (0.6667 + 0.6667 + 0.3333) / 3)
    assert best(tmp_path, uneven, even) == best(tmp_path, even, uneven) == "even"


def test_a_mean_that_its_verdicts_do_not_give_decides_nothing(tmp_path: Path) -> None:
    assert best(tmp_path, tried("a", questions("10")), tried("b", questions("10"), 1.0)) == "a"
    assert best(tmp_path, tried("a", questions("11")), tried("b", questions("10"), 1.0)) == "a"


def test_blank_ones_make_no_pair(tmp_path: Path) -> None:
    blank = article(tried(" ", questions("1")), prompt="")
    mixed = records.read(saved(tmp_path, {"articles": [blank, article(tried("a", questions("0")))]}))
    assert records.best_pairs(mixed) == (Sequence("Write notes on Karg.", "a"),)
    with pytest.raises(RecordError, match="every best completion is blank"):
        records.best_pairs(records.read(saved(tmp_path, {"articles": [blank]})))


def test_a_self_edit_without_its_prompt_is_no_pair(tmp_path: Path) -> None:
    record = records.read(saved(tmp_path, {"articles": [article(tried("a", questions("1")), prompt="")]}))
    with pytest.raises(RecordError, match=r"articles\[0\]: no prompt"):
        records.best_pairs(record)


PAIRS = (Sequence("Über Karg\n", "1. “Ost” ılık"), Sequence("p", "half a \ud83d pair"))


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_pairs_are_written_whole_and_read_back(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    out.write_text("of before")
    records.write_pairs(PAIRS, out, source=tmp_path / "run.json")
    data = gzip.decompress(out.read_bytes()) if name.endswith(".gz") else out.read_bytes()
    rows = [json.loads(line) for line in data.decode().splitlines()]
    assert rows == [{"prompt": pair.prompt, "completion": pair.completion} for pair in PAIRS]
    assert "“Ost” ılık" in data.decode()
    assert os.listdir(tmp_path) == [name]


def test_pairs_go_through_a_link_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("")
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    records.write_pairs(PAIRS, tmp_path / "link.jsonl", source=tmp_path / "run.json")
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "real.jsonl").read_text(encoding="utf-8").count("\n") == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run.json", "the file that is read"),
        (".", "not a plain file"),
        ("missing/out.jsonl", "No such file or directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_where_nothing_can_be_written(tmp_path: Path, name: str, said: str) -> None:
    source = saved(tmp_path, TWO)
    before = source.read_bytes()
    with pytest.raises(UsageError, match=said):
        records.write_pairs(PAIRS, tmp_path / name, source=source)
    assert os.listdir(tmp_path) == ["run.json"]
    assert source.read_bytes() == before


# -- bad input ------------------------------------------------------------------------------------


def put(folder: Path, data: bytes, name: str = "run.json") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


PACKED = gzip.compress(json.dumps(TWO).encode(), mtime=0)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"Dear all,", "run.json", "line 1: not JSON"),
        (b"", "run.json", "not JSON"),
        (b'{"articles": [\n{]', "run.json", "line 2: not JSON"),
        (b"[" * 100_000, "run.json", "JSON too deep"),
        (b'{"articles": "\xff\xfe\xfd"}', "run.json", "not UTF-8 text at byte 14"),
        (json.dumps(TWO).encode(), "run.json.gz", "not gzip, though it is called so"),
        (b"", "run.json.gz", "not gzip"),
        (PACKED[:-20], "run.json.gz", "cut off"),
        (PACKED[:40] + b"\0\0\0\0" + PACKED[44:], "run.json.gz", "damaged"),
        (PACKED[:-8] + b"\0" * 8, "run.json.gz", "damaged"),
        (gzip.compress(b"Dear all,", mtime=0), "run.json.gz", "not JSON"),
    ],
)
def test_what_is_no_json_is_told_with_file_and_remedy(
    tmp_path: Path, data: bytes, name: str, said: str
) -> None:
    path = put(tmp_path, data, name)
    with pytest.raises(RecordError) as caught:
        records.read(path)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(path))
    assert "; " in message
    assert "\n" not in message


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    assert len(records.read(put(tmp_path, PACKED, "run.json")).articles) == 2


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LIMIT", 1 << 20)
    with pytest.raises(RecordError, match="larger than 1 MiB"):
        records.read(put(tmp_path, gzip.compress(b" " * (3 << 20)), "run.json.gz"))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        records.read(tmp_path / "missing.json")
    with pytest.raises(RecordError, match="a folder"):
        records.read(tmp_path)


def without(key: str, *path: str | int) -> Json:
    """The sound file less one key."""
    return changed(lambda node: node.pop(key), *path)


def with_value(key: str, value: Any, *path: str | int) -> Json:
    return changed(lambda node: node.update({key: value}), *path)


def changed(change: Any, *path: str | int) -> Json:
    value = node = json.loads(json.dumps(TWO))
    for step in path:
        node = node[step]
    change(node)
    return value


EDIT = ("articles", 1, "completions", 0)
QUESTION = (*EDIT, "questions", 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"mean_over_sequences": []}, ": no articles;"),
        ([1], ": a list, not an object;"),
        (7, ": a number, not an object;"),
        ({"articles": []}, ": articles: empty;"),
        ({"articles": {}}, ": articles: an object, not a list;"),
        ({"articles": ["x"]}, ": articles[0]: text, not an object;"),
        (without("completions", "articles", 0), ": articles[0]: no completions;"),
        (with_value("completions", [], "articles", 0), ": articles[0].completions: empty;"),
        (without("text", *EDIT), ": articles[1].completions[0]: no text;"),
        (with_value("text", 3, *EDIT), ".text: a number, not text;"),
        (without("questions", *EDIT), ": articles[1].completions[0]: no questions;"),
        (with_value("questions", [], *EDIT), ".questions: empty;"),
        (without("adapter_correct", *QUESTION), ".questions[1]: no adapter_correct;"),
        (without("baseline_correct", *QUESTION), ".questions[1]: no baseline_correct;"),
        (with_value("adapter_correct", None, *QUESTION), ".questions[1]: no adapter_correct;"),
        (with_value("adapter_correct", "yes", *QUESTION), ".adapter_correct: text, not true or false;"),
        (with_value("adapter_correct", 1, *QUESTION), ".adapter_correct: a number, not true or false;"),
        (with_value("overall", "good"), ": overall: text, not an object;"),
        (with_value("adapter_mean_accuracy", 39.7, "overall"), "accuracy: not a share from 0 to 1;"),
        (with_value("adapter_mean_accuracy", float("nan"), "overall"), "not a share from 0 to 1;"),
        (with_value("adapter_mean_accuracy", 10**400, "overall"), "not a share from 0 to 1;"),
        (with_value("adapter_mean_accuracy", True, "overall"), "true or false, not a number;"),
    ],
)
def test_another_json_file_is_told_with_the_place_in_it(tmp_path: Path, value: Any, said: str) -> None:
    path = saved(tmp_path, value)
    with pytest.raises(RecordError) as caught:
        records.read(path)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(path))
    assert message.endswith("(articles, their completions, their questions)")


# -- the published files --------------------------------------------------------------------------

published = pytest.mark.skipif("SELFEDIT_DATA" not in os.environ, reason="SELFEDIT_DATA names no folder")


def official(name: str) -> Path:
    return Path(os.environ["SELFEDIT_DATA"]) / "seal-records" / name


@published
@pytest.mark.parametrize(
    ("name", "before", "after", "spread", "counts"),
    [
        ("eval_base", 0.3267, 0.3968, 0.2786, (200, 974, 974)),
        ("eval_passage_only", 0.3231, 0.3351, 0.2751, (200, 974, 974)),
        ("rank_iter0", 0.3187, 0.4018, 0.1891, (50, 225, 3375)),
    ],
)
def test_the_published_figures(
    name: str, before: float, after: float, spread: float, counts: tuple[int, int, int]
) -> None:
    record = records.read(official(f"{name}.json.gz"))
    found = records.figures(record)
    assert (round(found.baseline_accuracy, 4), round(found.adapter_accuracy, 4)) == (before, after)
    assert found.adapter_std is not None
    assert round(found.adapter_std, 4) == spread
    assert (found.articles, found.questions, found.verdicts) == counts
    assert found.ci95[0] < found.adapter_accuracy < found.ci95[1]
    assert records.disagreements(record, found) == ()


@published
def test_the_published_pairs_to_the_byte(tmp_path: Path) -> None:
    source, out = official("rank_iter0.json.gz"), tmp_path / "out.jsonl"
    records.write_pairs(records.best_pairs(records.read(source)), out, source=source)
    assert out.read_bytes() == gzip.decompress(official("sft_best1of5_iter0.jsonl.gz").read_bytes())
