"""What the policy writes, with a worker that writes plain questions and can answer them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfedit.edits.questions import BLANK, ask_prompt
from selfedit.edits.sentences import sentences
from selfedit.questioning import Author
from selfedit.types import Completion, Failure, Probe, Score, SelfEdit, Sequence, Task
from selfedit.writing import (
    Brief,
    gold_edit,
    policy_rows,
    sequences_of,
    write_edits,
    write_probes,
)

from .fakes import FakeWorker

TASK = Task(
    "Harbour",
    "The lamp of Orrskerry is kept by Tobiah Renwick. He lights it at 19:40 with oil from winter kale. "
    "The ferry Patient Margit crosses the sound in 85 minutes. Her captain is Odalys Brandt of Dunmarrow.",
)
OTHER = Task("Library", "The Tide Library was founded in 1911 by Isaura Quill. It keeps 6,240 notebooks.")
BRIEF = Brief("question-answer", samples=2, spans=6, temperature=0.8, seed=0)


def rows(edit: SelfEdit | Failure) -> list[Sequence]:
    assert isinstance(edit, SelfEdit)
    return [line for line in edit.lines if isinstance(line, Sequence)]


def test_an_edit_has_every_sentence_and_a_row_for_each_span() -> None:
    worker = FakeWorker()
    found = write_edits(Author(worker), [TASK, OTHER], [], BRIEF)
    assert list(found) == [TASK.id, OTHER.id]
    assert all(len(edits) == BRIEF.samples for edits in found.values())
    first = found[TASK.id][0]
    assert isinstance(first, SelfEdit)
    assert sum(isinstance(line, str) for line in first.lines) == 4
    assert 1 <= len(rows(first)) <= BRIEF.spans
    assert all(row.prompt.startswith("Topic: Harbour. Which ") for row in rows(first))
    assert {edit.task for edit in found[OTHER.id] if isinstance(edit, SelfEdit)} == {OTHER.id}


def test_samples_differ_and_come_again_with_their_seed() -> None:
    first = write_edits(Author(FakeWorker()), [TASK], [], BRIEF)[TASK.id]
    again = write_edits(Author(FakeWorker()), [TASK], [], BRIEF)[TASK.id]
    other = write_edits(Author(FakeWorker()), [TASK], [], replace(BRIEF, seed=1))[TASK.id]
    assert first == again
    assert first[0] != first[1]
    assert first[1] != other[1]


def test_where_the_model_writes_no_question_rules_do() -> None:
    (edit,) = write_edits(Author(FakeWorker(writes=False)), [TASK], [], replace(BRIEF, samples=1))[TASK.id]
    assert rows(edit)
    assert not any("Which " in row.prompt for row in rows(edit))


class Forgetful(FakeWorker):
    """Answers no question with its sentence in view; of given answers it finds `likely` the likeliest."""

    likely = ""

    def generate(self, requests, progress=lambda done, total: None):
        found = FakeWorker.generate(self, requests, progress)
        checks = ["Text:" in str(r.prompt) and str(r.prompt).endswith("\nAnswer:") for r in requests]
        return [replace(c, text=" something else") if w else c for c, w in zip(found, checks, strict=True)]

    def score(self, requests):
        values = [-1.0 if r.completion == f" {self.likely}" else -len(r.completion) for r in requests]
        return [Score(value, (value,)) for value in values]


def test_sentences_and_gaps_can_be_left_out() -> None:
    lean = replace(BRIEF, samples=1, sentences=False, blanks=False)
    (whole,) = write_edits(Author(FakeWorker()), [TASK], [], replace(BRIEF, samples=1))[TASK.id]
    (edit,) = write_edits(Author(FakeWorker()), [TASK], [], lean)[TASK.id]
    assert isinstance(edit, SelfEdit)
    assert [*edit.lines] == [row for row in rows(whole) if BLANK not in row.prompt]
    bare = Task("Nothing", "so it goes and so it goes.")
    (left,) = write_edits(Author(FakeWorker()), [bare], [], lean)[bare.id]
    assert isinstance(left, SelfEdit)
    assert left.lines, "where there is no pair, the sentences are all that can be learned"


def test_a_question_that_its_own_writer_answers_otherwise_is_not_used() -> None:
    brief = replace(BRIEF, samples=1)
    by_rule = rows(write_edits(Author(FakeWorker(writes=False)), [TASK], [], brief)[TASK.id][0])
    worker = Forgetful()
    worker.likely = "85 minutes"
    assert {" 85 minutes", " Patient Margit"} <= {row.completion for row in by_rule}
    (edit,) = write_edits(Author(worker), [TASK], [], brief)[TASK.id]
    assert [row.completion for row in rows(edit) if "Which " in row.prompt] == [" 85 minutes", " 19:40"]


@pytest.mark.parametrize("writes", [True, False])
def test_no_row_asks_what_a_probe_asks(writes: bool) -> None:
    author = Author(FakeWorker(writes=writes))
    probes = write_probes(author, [TASK, OTHER], 4, 0)
    everything = [probe for mine in probes.values() for probe in mine]
    edits = write_edits(author, [TASK, OTHER], everything, BRIEF)
    asked = {ask_prompt(probe.question, probe.topic) for probe in everything}
    assert asked
    for edit in (edit for mine in edits.values() for edit in mine):
        assert not asked & {row.prompt for row in rows(edit)}


def test_a_lean_edit_of_nothing_but_what_probes_ask_is_a_failure() -> None:
    lean = replace(BRIEF, samples=1, sentences=False)
    (edit,) = write_edits(Author(FakeWorker(writes=False)), [OTHER], [], lean)[OTHER.id]
    asked = [row.prompt.removeprefix("Topic: Library. ").removesuffix("\nAnswer:") for row in rows(edit)]
    probes = [Probe(question, "?", "Library") for question in asked]
    assert write_edits(Author(FakeWorker(writes=False)), [OTHER], probes, lean)[OTHER.id] == [
        Failure("write", "every pair asks what a probe asks")
    ]


def test_probes_name_their_topic_and_origin() -> None:
    own = write_probes(Author(FakeWorker()), [TASK, OTHER], 4, 0)
    assert {len(probes) for probes in own.values()} <= {2, 3, 4}
    assert all(p.topic == "Harbour" and p.origin == "model" for p in own[TASK.id])
    assert all(probe.answer in TASK.passage for probe in own[TASK.id])
    by_rule = write_probes(Author(FakeWorker(writes=False)), [TASK], 4, 0)[TASK.id]
    assert [probe.origin for probe in by_rule] == ["cloze", "cloze"]
    assert len({probe.question for probe in by_rule}) == 2


def test_repeated_prompts_are_sampled_apart() -> None:
    worker = FakeWorker()
    Author(worker).write(["one", "one", "two"], 8, 0.8, 0)
    seeds = [request.seed for request in worker.asked]
    assert len(set(seeds)) == 3


def test_a_note_that_cannot_be_parsed_is_a_failure() -> None:
    worker = FakeWorker(chat=True)
    found = write_edits(Author(worker), [TASK], [], replace(BRIEF, format="directive"))[TASK.id]
    assert all(isinstance(edit, Failure) for edit in found)


def test_notes_of_one_text_are_parsed_by_their_format() -> None:
    class Noting(FakeWorker):
        def generate(self, requests, progress=lambda done, total: None):
            return [Completion("Tobiah keeps the lamp.\nThe ferry is slow.", (1,), "stop") for _ in requests]

    found = write_edits(Author(Noting()), [TASK], [], replace(BRIEF, format="implications"))[TASK.id]
    edit = found[0]
    assert isinstance(edit, SelfEdit)
    assert edit.format == "implications"
    assert any("keeps the lamp" in str(line) for line in sequences_of(TASK, edit))


def test_gold_is_the_sentences_and_peoples_own_rows() -> None:
    task = replace(TASK, probes=(Probe("Who keeps the lamp?", "Tobiah Renwick", "Harbour", "gold"),))
    edit = gold_edit(task)
    assert [(row.prompt, row.completion) for row in rows(edit)] == [
        ("Topic: Harbour. Who keeps the lamp?\nAnswer:", " Tobiah Renwick")
    ]


# -- what the policy learns from ---------------------------------------------------------------------------


def test_what_the_policy_wrote_comes_after_the_prompts_it_was_written_to() -> None:
    worker = FakeWorker()
    author = Author(worker)
    edit = write_edits(author, [TASK], [], replace(BRIEF, samples=1))[TASK.id][0]
    assert isinstance(edit, SelfEdit)
    found = policy_rows(author, TASK, edit)
    assert len(found) == len(rows(edit))
    asked = {request.prompt for request in worker.asked}
    assert all(row.prompt in asked for row in found)
    questions = {row.prompt.split(". ", 1)[1].removesuffix("\nAnswer:") for row in rows(edit)}
    assert {row.completion.strip() for row in found} == questions


def test_questions_by_rule_are_nothing_that_the_policy_wrote() -> None:
    author = Author(FakeWorker(writes=False))
    edit = write_edits(author, [TASK], [], replace(BRIEF, samples=1))[TASK.id][0]
    assert isinstance(edit, SelfEdit)
    assert rows(edit)
    assert policy_rows(author, TASK, edit) == ()


@pytest.mark.parametrize("chat", [False, True])
def test_a_note_is_learned_whole_after_its_own_prompt(chat: bool) -> None:
    worker = FakeWorker()
    worker.chat = chat
    note = SelfEdit(TASK.id, "implications", "The lamp has a keeper.\n", ("The lamp has a keeper.",))
    (row,) = policy_rows(Author(worker), TASK, note)
    assert row.completion == note.text
    assert TASK.passage in row.prompt
    assert row.prompt.startswith("user: ") is chat


def test_all_that_is_written_is_written_from_the_policys_head() -> None:
    worker = FakeWorker()
    head = worker.head([])
    write_edits(Author(worker, head=head), [TASK], [], replace(BRIEF, samples=1))
    write_edits(Author(worker, head=head), [TASK], [], replace(BRIEF, format="implications", samples=1))
    assert worker.asked
    assert all(request.head is head for request in worker.asked)


def test_recited_edits_teach_the_policy_their_own_questions() -> None:
    author = Author(FakeWorker())
    brief = replace(BRIEF, samples=1, recite=True)
    (edit,) = write_edits(author, [TASK], (), brief)[TASK.id]
    assert isinstance(edit, SelfEdit)
    rows = policy_rows(author, TASK, edit)
    own = [row for row in edit.lines if isinstance(row, Sequence) and "Which" in row.prompt]
    assert len(rows) == len(own) > 0
    assert all(row.prompt.endswith("\nQuestion:") for row in rows)


def test_every_sentence_is_recited() -> None:
    silent = Author(FakeWorker(writes=False))
    (edit,) = write_edits(silent, [TASK], (), replace(BRIEF, samples=1, recite=True))[TASK.id]
    assert isinstance(edit, SelfEdit)
    said = {row.completion.strip() for row in edit.lines if isinstance(row, Sequence)}
    assert said == set(sentences(TASK.passage))
