"""Controls: what each answers, and what a lenient and a strict grader give to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from selfedit.rewards import CONTROLS, ControlPassage, ControlRow, control_rows, mismatched
from selfedit.types import Failure, GradeRequest, Probe, Task, Verdict

SENTENCES = (
    "Karg was founded in 1921 by Mira Osk.",
    "Its harbour holds 40 boats and freezes in January.",
    "The warden of the harbour is called Ottoline.",
)
THINGS = ("Karg", "1921", "Mira Osk", "40 boats", "January", "Karg", "Ottoline")
GOLDS = ("1921", "Mira Osk", "40", "January", "Ottoline", "Karg")


def passage(
    golds: Sequence[str] = GOLDS, *, title: str = "Karg", things: Sequence[str] = THINGS
) -> ControlPassage:
    probes = tuple(Probe(f"Question {n}?", gold, title) for n, gold in enumerate(golds))
    return ControlPassage(Task(title, " ".join(SENTENCES), probes), SENTENCES, tuple(things))


def answers(control: str, of: ControlPassage | None = None, seed: int = 0) -> list[str]:
    return [request.prediction for request in CONTROLS[control](of or passage(), seed)]


class By:
    """A grader by a rule, which keeps what it was asked."""

    def __init__(self, rule: Callable[[GradeRequest], Verdict | Failure]) -> None:
        self.rule = rule
        self.asked: list[list[GradeRequest]] = []

    @property
    def name(self) -> str:
        return "rule"

    def grade(self, requests: Sequence[GradeRequest]) -> list[Verdict | Failure]:
        self.asked.append(list(requests))
        return [self.rule(request) for request in requests]


def verdict(right: bool) -> Verdict:
    return Verdict(right, float(right))


def recalls(request: GradeRequest) -> Verdict:
    """Right if the answer has 60 % of the gold answer's words, however much else it has."""
    wanted = request.answer.casefold().replace(".", "").split()
    had = request.prediction.casefold().replace(".", "").replace(",", "").split()
    return verdict(sum(word in had for word in wanted) >= 0.6 * len(wanted))


def exactly(request: GradeRequest) -> Verdict:
    return verdict(request.prediction == request.answer)


def earned(grader: By, passages: Sequence[ControlPassage]) -> dict[str, ControlRow]:
    return {row.control: row for row in control_rows(grader, passages)}


# -- who answers how ------------------------------------------------------------------------------


@pytest.mark.parametrize("control", CONTROLS)
def test_each_question_is_asked_with_its_gold_in_order_and_the_same_again(control: str) -> None:
    requests = CONTROLS[control](passage(), 3)
    assert [(r.question, r.answer) for r in requests] == [
        (p.question, p.answer) for p in passage().task.probes
    ]
    assert requests == CONTROLS[control](passage(), 3)


def test_the_plain_ones() -> None:
    assert answers("gold") == list(GOLDS)
    assert answers("empty") == [""] * 6
    assert answers("title") == ["Karg"] * 6


def test_the_reciter_draws_a_sentence_for_each_question() -> None:
    drawn = [answer for seed in range(20) for answer in answers("reciter", seed=seed)]
    assert set(drawn) == set(SENTENCES)
    assert min(drawn.count(sentence) for sentence in SENTENCES) > 20  # of 120
    assert len({tuple(answers("reciter", seed=seed)) for seed in range(20)}) > 10


def test_the_reciter_says_the_same_whatever_else_is_asked() -> None:
    assert answers("reciter", passage(GOLDS[:2])) == answers("reciter")[:2]


def test_the_lister_says_each_thing_once_and_no_more_than_64_words() -> None:
    assert answers("lister")[0] == "Karg, 1921, Mira Osk, 40 boats, January, Ottoline"
    many = answers("lister", passage(things=[f"thing number {n}" for n in range(40)]))
    assert all(len(answer.split()) == 64 for answer in many)
    assert answers("lister", passage(things=())) == [""] * 6


def test_the_mismatch_is_the_answer_to_another_question() -> None:
    for seed in range(10):
        assert all(a != b and a in GOLDS for a, b in zip(answers("mismatch", seed=seed), GOLDS, strict=True))
    drawn = {answers("mismatch", seed=seed)[0] for seed in range(60)}
    assert drawn == set(GOLDS) - {"1921"}


def test_the_mismatch_leaves_out_questions_of_the_same_gold() -> None:
    assert answers("mismatch", passage(["Karg", "the Karg!", "Lim"]))[:2] == ["Lim", "Lim"]
    assert CONTROLS["mismatch"](passage(["Karg", "karg"]), 0) == []
    assert CONTROLS["mismatch"](passage(["Karg"]), 0) == []
    assert answers("mismatch", passage(["$", "%"])) == ["%", "$"]


def test_the_mismatch_of_given_answers() -> None:
    probes = passage(["Karg", "Lim"]).task.probes
    assert mismatched(probes, ["in Karg", "by the Lim"], 0) == [
        GradeRequest("Question 0?", "Karg", "by the Lim"),
        GradeRequest("Question 1?", "Lim", "in Karg"),
    ]
    with pytest.raises(ValueError, match="1 answers to 2 probes"):
        mismatched(probes, ["x"], 0)


def test_a_passage_needs_a_sentence() -> None:
    with pytest.raises(ValueError, match="no sentence"):
        ControlPassage(Task("Karg", ""), ())


# -- what they earn -------------------------------------------------------------------------------


def test_recall_pays_for_reciting_and_for_listing() -> None:
    rows = earned(By(recalls), [passage()] * 20)
    assert {name: rows[name].accuracy for name in ("gold", "empty", "mismatch")} == {
        "gold": 1.0, "empty": 0.0, "mismatch": 0.0,
    }  # fmt: skip
    assert rows["title"].accuracy == pytest.approx(1 / 6)
    assert rows["lister"].accuracy == 1.0
    reciter = rows["reciter"].accuracy
    assert reciter is not None
    assert 0.1 < reciter < 0.7


def test_a_strict_grader_pays_for_the_gold_alone() -> None:
    rows = earned(By(exactly), [passage(GOLDS[:5])] * 3)
    assert {name: row.accuracy for name, row in rows.items()} == {
        "gold": 1.0, "empty": 0.0, "title": 0.0, "mismatch": 0.0, "reciter": 0.0, "lister": 0.0,
    }  # fmt: skip
    assert rows["gold"].ci95 == (1.0, 1.0)


def test_rows_are_means_over_passages() -> None:
    def right(request: GradeRequest) -> Verdict:
        return verdict(request.answer == "Karg")

    rows = earned(By(right), [passage(["Karg"]), passage(["1921", "Karg", "40", "January"])])
    assert (rows["gold"].accuracy, rows["gold"].n, rows["gold"].passages) == (0.625, 5, 2)
    low, high = rows["gold"].ci95 or (1, 0)
    assert (low, high) == (0.25, 1.0)
    assert (rows["mismatch"].accuracy, rows["mismatch"].n, rows["mismatch"].passages) == (0.25, 4, 1)


def test_a_failure_is_counted_and_no_wrong_answer() -> None:
    def moody(request: GradeRequest) -> Verdict | Failure:
        return Failure("grade", "timed out") if request.answer == "40" else verdict(True)

    rows = earned(By(moody), [passage(["Karg", "40"]), passage(["40"])])
    gold = rows["gold"]
    assert (gold.accuracy, gold.n, gold.passages, gold.failures) == (1.0, 1, 1, 2)
    dead = earned(By(lambda request: Failure("grade", "down")), [passage()])["title"]
    assert (dead.accuracy, dead.ci95, dead.n, dead.failures) == (None, None, 0, 6)


def test_the_grader_is_asked_once_a_control() -> None:
    grader = By(exactly)
    control_rows(grader, [passage(), passage(["Karg"])])
    assert [len(asked) for asked in grader.asked] == [7, 7, 7, 6, 7, 7]
    assert all(row.accuracy is None and row.n == 0 for row in control_rows(grader, []))


def test_a_row_as_json() -> None:
    row = control_rows(By(exactly), [passage()])[0]
    assert json.loads(json.dumps(row.as_json())) == {
        "control": "gold",
        "grader": "rule",
        "accuracy": 1.0,
        "ci95": [1.0, 1.0],
        "n": 6,
        "passages": 1,
        "failures": 0,
    }


def test_another_seed_draws_other_answers() -> None:
    one, two = By(exactly), By(exactly)
    control_rows(one, [passage()], seed=1)
    control_rows(two, [passage()], seed=2)
    assert one.asked[:3] == two.asked[:3]
    assert one.asked[4] != two.asked[4]
