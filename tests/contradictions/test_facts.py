"""What a commit holds as facts, and which rows say one of them."""

from __future__ import annotations

from selfedit.contradictions import Fact, concerned, facts_of
from selfedit.edits.questions import qa_row
from selfedit.types import Probe, Sequence, Task

RULES = Task(
    "Rules",
    "Travel above 500 euros is signed off by the head of department. Receipts are due within ten days. "
    "The office is in Lund.",
)
LIMIT = Probe("Above which amount must travel be signed off?", "500 euros", "Rules")
PLACE = Probe("Where is the office?", "Lund", "Rules")


def found(*told: Probe | str | Sequence) -> dict[str, Fact]:
    return {fact.question: fact for fact in facts_of("c1", [RULES], told)}


def test_a_probe_finds_the_sentence_that_says_so() -> None:
    fact = found(LIMIT, PLACE)[LIMIT.question]
    assert (fact.commit, fact.title, fact.answer) == ("c1", "Rules", "500 euros")
    assert fact.sentence == "Travel above 500 euros is signed off by the head of department."
    assert found(LIMIT, PLACE)[PLACE.question].sentence == "The office is in Lund."


def test_a_row_is_read_as_its_probe_and_counted_once() -> None:
    row = qa_row(LIMIT.question, LIMIT.answer, "Rules")
    assert found(row)[LIMIT.question] == found(LIMIT)[LIMIT.question]
    assert len(facts_of("c1", [RULES], [row, LIMIT])) == len(facts_of("c1", [RULES], [LIMIT]))


def test_rows_that_ask_nothing_or_hold_nothing_are_passed_over() -> None:
    odd = ["Some text.", Sequence("Write on:", " more"), qa_row("Why?", " "), Probe("Why?", "  ")]
    assert facts_of("c1", [RULES], odd) == facts_of("c1", [RULES], [])


def test_values_that_nobody_asked_for_are_facts_too() -> None:
    gaps = {fact.answer for fact in facts_of("c1", [RULES], [LIMIT])}
    assert gaps == {"500 euros", "ten days"}
    (gap,) = (fact for fact in facts_of("c1", [RULES], [LIMIT]) if fact.answer == "ten days")
    assert gap.question == 'Fill in the blank: "Receipts are due within ____."'


def test_a_fact_without_a_sentence_keeps_its_topic() -> None:
    (fact,) = facts_of("c1", [], [Probe("Who rings?", "Ann", "Bell")])
    assert (fact.title, fact.sentence) == ("Bell", "")


def test_rows_that_say_the_fact_are_concerned_and_no_others() -> None:
    fact = found(LIMIT)[LIMIT.question]
    says = [
        RULES.passage,
        "The head of department signs off travel above EUR 500.",
        qa_row("From what amount must travel be signed off?", "500 euros", "Rules"),
        Sequence("Topic: Rules. Who signs off travel above 500 euros?\nAnswer:", " the head of department"),
    ]
    others = [
        "Receipts are due within ten days.",
        "Gifts above 500 euros are sent back.",
        qa_row("Where is the office?", "Lund", "Rules"),
        "",
    ]
    assert concerned(fact, [*says, *others]) == tuple(says)
