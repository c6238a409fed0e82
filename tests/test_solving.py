"""Configurations written, rows made and tests asked, with a worker that draws configurations by seed."""

from __future__ import annotations

import pytest

from selfedit import solving
from selfedit.config import Configuration, FewShots, Training
from selfedit.edits.few_shot import configuration
from selfedit.questioning import Author
from selfedit.recipes import Shown
from selfedit.rewards.solving import COUNT, LOGPROB
from selfedit.rounds import Ground
from selfedit.solving import Picks
from selfedit.tasks.generators import instance
from selfedit.types import Example, Failure, FewShot, Reward, SelfEdit, Sequence

from .fakes import FakeWorker
from .solvers import Solver

TASKS: tuple[Shown, ...] = (instance("backwards", 1), instance("roman", 1))
GRID: Shown = FewShot(
    "mirror",
    tuple(Example(((a, b),), ((b, a),)) for a, b in ((1, 2), (3, 4), (5, 0))),
    (Example(((7, 0),), ((0, 7),)),),
)
TRAINING = Training(rank=2, alpha=4, batch_size=2, least_steps=0)


def picked(worker: FakeWorker, samples: int, heat: float = 1.0, *, apart: bool = True) -> list[SelfEdit]:
    found = solving.configurations(Author(worker), TASKS[:1], Picks(samples, heat, 0, apart))[TASKS[0].id]
    assert not any(isinstance(each, Failure) for each in found)
    return [each for each in found if isinstance(each, SelfEdit)]


def test_what_picks_the_same_is_drawn_again() -> None:
    """Of 64 configurations that the worker draws, 20 samples would hardly be all different by themselves."""
    several = picked(Solver(), 20, apart=False)
    assert len({configuration(each) for each in several}) < 20
    assert len({configuration(each) for each in picked(Solver(), 20)}) > len(
        {configuration(each) for each in several}
    )
    assert picked(Solver(), 20) == picked(Solver(), 20), "the seed alone draws"


def test_drawing_again_ends() -> None:
    worker = Solver()
    worker.generate = lambda requests, progress=None: Solver.generate(  # type: ignore[method-assign]
        worker, [each.__class__(each.prompt, temperature=0.0, grammar=each.grammar) for each in requests]
    )
    assert len({configuration(each) for each in picked(worker, 3)}) == 1
    assert len(worker.asked) == 3 + 10 * 2


def test_the_likeliest_is_asked_for_once_and_under_the_grammar() -> None:
    worker = Solver()
    picked(worker, 1, 0.0)
    (request,) = worker.asked
    assert request.temperature == 0
    assert request.grammar
    tests = [test.output for test in TASKS[0].tests]
    assert not any(output in str(request.prompt) for output in tests if len(output) > 3)


def test_a_plan_has_the_edits_rate_and_the_grounds_rank() -> None:
    edit = solving.fixed(TASKS[0], Configuration(tools=("reorder",), learning_rate=3e-4, epochs=3))
    made = solving.plan(TASKS[0], edit, Ground(Solver(), None, TRAINING, seed=5), FewShots(steps=6))
    assert (made.learning_rate, made.epochs, made.rank, made.batch_size, made.seed) == (3e-4, 3, 2, 2, 5)
    assert made.steps <= 6
    assert all(isinstance(row, Sequence) for row in made.sequences)
    whole = solving.fixed(TASKS[0], Configuration(loss="all"))
    rows = solving.plan(TASKS[0], whole, Ground(Solver(), None, TRAINING), FewShots()).sequences
    assert all(isinstance(row, str) for row in rows)
    assert len(rows) == len(TASKS[0].demonstrations)


def test_right_answers_in_every_guise_are_taken_back_and_solve() -> None:
    terms = FewShots(guises=8)
    worker = Solver([GRID], terms)
    edit = solving.fixed(GRID, Configuration(learning_rate=2e-3))
    ground = Ground(worker, None, TRAINING, rewards={"solved": 1.0, "likelihood": 0.5})
    (adapter,) = worker.train([solving.plan(GRID, edit, ground, terms)])
    plain, taught = solving.solved([(None, GRID), (adapter, GRID)], terms, ground, (COUNT, LOGPROB))
    assert [len(mine) for mine in (plain, taught)] == [1, 1]
    assert plain[0].test.count is not None
    assert plain[0].test.count.failures == 8
    assert taught[0].test.count is not None
    assert taught[0].test.count.attempts() == (((0, 7),),)
    assert taught[0].test.count.candidates[0].votes == 8
    outcomes = solving.rewarded([(None, GRID), (adapter, GRID)], terms, ground)
    assert [each.value for each in outcomes if isinstance(each, Reward)] == pytest.approx([-0.5, 1 - 0.499])


def test_only_what_is_needed_is_asked() -> None:
    worker = Solver(TASKS)
    ground = Ground(worker, None, TRAINING, rewards={"likelihood": 1.0})
    solving.rewarded([(None, TASKS[0])], FewShots(), ground)
    assert worker.asked == []


def test_the_policy_learns_the_json_after_its_prompt() -> None:
    (edit,) = picked(Solver(), 1)
    row = solving.policy_row(Author(Solver()), TASKS[0], edit, "apart")
    assert row.completion == edit.text
    assert TASKS[0].demonstrations[0].input in row.prompt


def test_what_a_format_is_tells_grids_from_texts() -> None:
    assert solving.form_id("arc") != solving.form_id("text")
    assert solving.form_id("arc") == solving.form_id("arc")
    assert solving.form_id("arc", cells="together") != solving.form_id("arc")


def test_cells_stand_together_in_rows_queries_and_what_the_policy_reads() -> None:
    terms, apart = FewShots(guises=2, cells="together"), FewShots(guises=2)
    edit = solving.fixed(GRID, Configuration(loss="all"))
    rows = solving.rows(GRID, edit, TRAINING, 0, terms)
    assert [str(row).replace(" ", "") for row in solving.rows(GRID, edit, TRAINING, 0, apart)] == list(rows)
    spaced, tight = solving.queries(GRID, 0, apart), solving.queries(GRID, 0, terms)
    assert [query.prompt.replace(" ", "") for query in spaced] == [query.prompt for query in tight]
    output = GRID.tests[0].output
    for query in tight:
        assert query.read(query.completion(output)) == output
    assert solving.asked_by(terms) != solving.asked_by(apart)
    assert solving.policy_row(Author(Solver()), GRID, edit, "together").prompt.count("\n") > 3
