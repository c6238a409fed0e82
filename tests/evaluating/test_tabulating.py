"""The table with a worker that learns by heart: what rows say, what is kept, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.errors import DocumentError, UsageError
from selfedit.evaluating import Table, TableRow, Wanted
from selfedit.recipes import parse_recipe
from selfedit.store import Store
from selfedit.types import Failure, Sequence

from ..fakes import FakeWorker
from .conftest import PLACES, SMALL, Made

QUESTIONS = 2 * len(PLACES)


def row(table: Table, method: str) -> TableRow:
    return next(each for each in table.rows if each.method == method)


def test_what_is_known_beforehand_and_what_is_taught_stand_side_by_side(measured: Made) -> None:
    knows = {f"Topic: {name}. Who keeps the lamp of {name}?": f"Keeper {name}son" for name in PLACES}
    table = measured(FakeWorker(knows=knows), "base,passage,gold")
    assert [each.method for each in table.rows] == ["base", "passage", "gold"]
    assert row(table, "base").accuracy == 0.5
    assert row(table, "passage").accuracy == 0.5
    gold = row(table, "gold")
    assert (gold.accuracy, gold.concise, gold.n, gold.passages) == (1.0, 1.0, QUESTIONS, len(PLACES))
    assert gold.against_base == 0.5
    assert gold.against_base_ci95 == (0.5, 0.5)
    assert gold.against_before_ci95 == (0.5, 0.5)
    assert gold.mismatch == 0.0
    assert gold.margin == 1.0
    assert gold.tokens > row(table, "passage").tokens > row(table, "base").tokens == 0
    assert row(table, "base").against_base is None


def test_a_second_call_computes_nothing(measured: Made) -> None:
    every = "base,in-context,retrieval,passage,untrained,teacher,best-of-n,gold,joint:3"
    first = measured(FakeWorker(), every)
    idle = FakeWorker()
    second = measured(idle, every)
    assert second.rows == first.rows
    assert second.missing == first.missing
    assert not idle.plans
    assert not idle.asked


def test_a_row_that_is_added_computes_only_itself(measured: Made) -> None:
    measured(FakeWorker(), "base,passage")
    later = FakeWorker()
    measured(later, "base,passage,gold")
    assert len(later.plans) == len(PLACES)


def test_what_is_broken_off_goes_on_where_it_stopped_and_ends_alike(measured: Made) -> None:
    whole = measured(FakeWorker(), "base,passage,untrained", place="whole")

    class Broken(FakeWorker):
        def train(self, plans, progress=lambda done, total: None):
            if len(self.plans) >= 8:
                raise KeyboardInterrupt
            return super().train(plans, progress)

    broken = Broken()
    with pytest.raises(KeyboardInterrupt):
        measured(broken, "base,passage,untrained")
    later = FakeWorker()
    ended = measured(later, "base,passage,untrained")
    assert len(broken.plans) + len(later.plans) == 2 * len(PLACES)
    assert [replace(each, seconds=0) for each in ended.rows] == [
        replace(each, seconds=0) for each in whole.rows
    ]


def test_another_grader_takes_no_new_answers(measured: Made) -> None:
    measured(FakeWorker(), "base,gold")
    idle = FakeWorker()
    table = measured(idle, "base,gold", SMALL.replace("rules", "words"))
    assert row(table, "gold").accuracy == 1.0
    assert not idle.plans
    assert not idle.asked


@pytest.mark.parametrize("change", ["epochs: 2", "learning_rate: 0.002"])
def test_other_training_is_another_result(measured: Made, change: str) -> None:
    measured(FakeWorker(), "gold")
    again, name = FakeWorker(), change.split(":")[0]
    line = {"epochs": "epochs: 1", "learning_rate": "learning_rate: 0.001"}[name]
    measured(again, "gold", SMALL.replace(line, change))
    assert len(again.plans) == len(PLACES)


def test_in_view_and_retrieval_put_a_passage_into_the_prompt(measured: Made) -> None:
    worker = FakeWorker()
    measured(worker, "in-context")
    shown = {each.prompt for each in worker.asked}
    assert len(shown) == QUESTIONS
    assert all("Text: The lamp of" in prompt for prompt in shown)
    later = FakeWorker()
    measured(later, "retrieval")
    assert not later.asked, "every question finds its own passage, and that was asked already"


def test_a_base_with_a_chat_template_is_shown_the_passage_in_a_chat(measured: Made) -> None:
    worker = FakeWorker(chat=True)
    measured(worker, "base,in-context")
    plain = [each.prompt for each in worker.asked if isinstance(each.prompt, str)]
    turns = [each.prompt[0] for each in worker.asked if not isinstance(each.prompt, str)]
    assert len(plain) == len(turns) == QUESTIONS
    assert all(turn["role"] == "user" and "The lamp of" in turn["content"] for turn in turns)


def test_the_teacher_is_paired_on_the_passages_that_it_wrote_on(measured: Made) -> None:
    table = measured(FakeWorker(), "base,teacher")
    teacher = row(table, "teacher")
    assert (teacher.passages, teacher.n) == (2, 4)
    assert teacher.against_base == 0.0
    assert teacher.against_base_ci95 is not None


def test_several_formats_are_rows_of_their_own(measured: Made) -> None:
    text = SMALL.replace("samples: 3", "samples: 3, formats: [question-answer, rewrite]")
    table = measured(FakeWorker(), "untrained", text)
    assert [each.method for each in table.rows] == ["untrained:question-answer", "untrained:rewrite"]


def test_what_could_not_be_parsed_leaves_the_passage_and_is_counted(measured: Made) -> None:
    text = SMALL.replace("samples: 3", "samples: 3, formats: [directive]")
    table = measured(FakeWorker(), "untrained", text)
    assert row(table, "untrained").unusable == len(PLACES)
    assert row(table, "untrained").passages == len(PLACES)


def test_seeds_are_averaged_and_writing_counts_once(measured: Made) -> None:
    worker = FakeWorker()
    table = measured(worker, "untrained", SMALL.replace("report: {", "report: {seeds: [0, 1, 2], "))
    only = row(table, "untrained")
    assert (only.seeds, only.n, only.passages) == (3, QUESTIONS, len(PLACES))
    assert len(worker.plans) == 3 * len(PLACES)
    assert {plan.seed for plan in worker.plans} == {0, 1, 2}
    writing = {each.line.task: each.line.writing for each in table.graded}
    lines = sum(each.line.seconds for each in table.graded)
    assert only.seconds == pytest.approx(sum(writing.values()) + lines)


def test_one_adapter_for_many_passages(measured: Made) -> None:
    worker = FakeWorker()
    table = measured(worker, "joint:4")
    assert [each.method for each in table.rows] == ["passage joint:4", "untrained joint:4"]
    assert len(worker.plans) == 2 * 3
    assert [len(plan.sequences) for plan in worker.plans[:3]] == [4, 4, 2]


def test_fixed_tools_make_the_same_rows_for_every_passage(measured: Made) -> None:
    worker = FakeWorker()
    table = measured(worker, "tools:split+reorder,tools:cloze")
    assert [each.method for each in table.rows] == ["tools:split+reorder", "tools:cloze"]
    assert not worker.asked or all("Answer:" in str(each.prompt) for each in worker.asked)
    questions = [[row for row in plan.sequences if isinstance(row, Sequence)] for plan in worker.plans]
    assert sum(map(bool, questions)) == len(PLACES)
    assert sum(not mine for mine in questions) == len(PLACES)


def test_a_failed_training_is_counted_and_is_no_wrong_answer(measured: Made) -> None:
    class Half(FakeWorker):
        def train_iter(self, plans, progress=lambda done, total: None):
            for index, result in super().train_iter(plans, progress):
                bad = "Harbour" in str(plans[index].sequences)
                yield index, Failure("train", "NaN in step 1") if bad else result

    gold = row(measured(Half(), "gold"), "gold")
    assert (gold.failures, gold.passages, gold.accuracy) == (1, len(PLACES) - 1, 1.0)


def test_where_all_training_fails_there_is_no_figure(measured: Made) -> None:
    gold = row(measured(FakeWorker(unteachable=True), "base,gold"), "gold")
    assert gold.accuracy is None
    assert gold.ci95 is None
    assert gold.failures == len(PLACES)


def test_collapsed_adapters_are_counted(measured: Made) -> None:
    gold = row(measured(FakeWorker(collapses_above=1e-9), "gold"), "gold")
    assert gold.collapsed == len(PLACES)


def test_best_of_n_tries_its_samples_on_its_own_questions(measured: Made) -> None:
    worker = FakeWorker()
    measured(worker, "best-of-n")
    assert len(worker.plans) == (3 + 1) * len(PLACES)


def test_rows_that_cannot_be_had_say_why(measured: Made) -> None:
    table = measured(FakeWorker(), "base,warm,rounds")
    assert [each.method for each in table.rows] == ["base"]
    assert [line.split(":")[0] for line in table.missing] == ["no row warm", "no row rounds"]
    assert "selfedit train" in table.missing[1]


def test_a_limit_takes_a_sample_that_larger_ones_hold(measured: Made) -> None:
    few = measured(FakeWorker(), "passage", limit=3)
    more = FakeWorker()
    many = measured(more, "passage", limit=5)
    tasks = [[each.line.task for each in table.graded] for table in (few, many)]
    assert tasks[1][:3] == tasks[0]
    assert len(more.plans) == 2


def test_what_the_table_was_made_of_can_be_found_again(measured: Made, tmp_path: Path) -> None:
    table = measured(FakeWorker(), "untrained")
    with Store.open(tmp_path / "memory") as store:
        held = store.report("eval", parse_recipe(SMALL, "x").id)
        assert held is not None
        task, _, key = held["lines"]["untrained"][0]
        kept = store.result("row", key)
        sample = store.result("sample", kept["sample"])
        passage = store.result("row", held["passages"][task])
    assert kept["answers"] == list(table.graded[0].line.answers)
    assert sample["edits"][0]["format"] == "question-answer"
    assert passage["passage"].startswith(f"The lamp of {passage['title']}")
    assert [each["answer"] for each in passage["questions"]] == [gold for _, gold in kept["questions"]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("bas", "choose among"),
        ("joint:1", "choose among"),
        ("base,base", "there twice"),
        ("tools:restate", "choose among"),
    ],
)
def test_rows_that_there_are_not_are_named(rows: str, said: str, data: Path) -> None:
    with pytest.raises(UsageError, match=said):
        Wanted(parse_recipe(SMALL, "x"), data, tuple(rows.split(","))).check()


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such data set; say --data FOLDER"):
        Wanted(parse_recipe(SMALL, "x"), tmp_path).check()
    with pytest.raises(UsageError, match="no data folder"):
        Wanted(parse_recipe(SMALL, "x")).check()


def test_a_teacher_file_that_is_none_is_one_line(data: Path) -> None:
    (data / "teacher_edits.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(DocumentError, match="take the file anew"):
        Wanted(parse_recipe(SMALL, "x"), data).check()
