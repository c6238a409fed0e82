"""Votes: counted, ties broken in one way, and unreadable answers neither votes nor crashes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfedit.rewards import Ballot, judged, share_solved, vote
from selfedit.types import Failure, Reward

BAD = Failure("read", "no grid")


def test_most_votes_first() -> None:
    count = vote([Ballot("b"), Ballot("a"), Ballot(BAD), Ballot("a"), Ballot("c")])
    assert count.attempts() == ("a", "b")
    assert [candidate.votes for candidate in count.candidates] == [2, 1, 1]
    assert count.failures == 1
    assert count.solved("b")
    assert not count.solved("c")
    assert count.solved("c", most=3)


def test_ties_go_to_the_likelier_and_then_to_the_first() -> None:
    assert vote([Ballot("a", -2.0), Ballot("b", -1.0)]).attempts(1) == ("b",)
    assert vote([Ballot("a", -1.0), Ballot("b", -1.0)]).attempts(1) == ("a",)
    assert vote([Ballot("a", -9.0), Ballot("b", -0.1), Ballot("a", -9.0)]).attempts(1) == ("a",)
    assert vote([Ballot("a", -1.0), Ballot("a", -3.0)]).candidates[0].logprob == -2.0


def test_without_an_answer_nothing_is_solved_and_nothing_fails() -> None:
    for ballots in ([], [Ballot(BAD)] * 3):
        count = vote(ballots)
        assert count.attempts() == ()
        assert not count.solved("a")
        assert count.failures == len(ballots)


def test_grids_are_answers() -> None:
    grid = ((1, 2), (3, 4))
    assert vote([Ballot(((1, 2), (3, 4))), Ballot(((1,),)), Ballot(grid)]).attempts(1) == (grid,)


def test_a_tasks_share() -> None:
    counts = [vote([Ballot("a")]), vote([Ballot(BAD)])]
    assert share_solved(counts, ["a", "b"]) == 0.5
    assert share_solved(counts[:1], ["a"]) == 1.0


def test_a_tasks_reward_is_what_is_solved_or_how_likely_the_right_answers_were() -> None:
    counts = [vote([Ballot("a"), Ballot(BAD)]), vote([Ballot("x"), Ballot("y"), Ballot("x"), Ballot(BAD)])]
    assert judged(counts, ["a", "b"]) == Reward(0.5, {"solved": 0.5, "malformed": 2 / 6})
    dense = judged(counts, ["a", "b"], [-1.0, -2.0])
    assert dense == Reward(-1.5, {"solved": 0.5, "malformed": 2 / 6, "logprob": -1.5})
    assert judged([vote([])], ["a"]) == Reward(0.0, {"solved": 0.0, "malformed": 0.0})
    assert judged(counts, ["a", "y"], most=1).value == 0.5


@given(st.lists(st.sampled_from("abc") | st.just(BAD)))
def test_attempts_are_distinct_and_never_fewer_than_there_are_answers(answers: list[str | Failure]) -> None:
    count = vote(map(Ballot, answers))
    attempts = count.attempts()
    said = {answer for answer in answers if isinstance(answer, str)}
    assert len(set(attempts)) == len(attempts) == min(2, len(said))
    assert sum(candidate.votes for candidate in count.candidates) + count.failures == len(answers)
