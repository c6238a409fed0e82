"""What a recipe costs before it is run: adapters to train, tokens to train on, to read and to write.

Pure arithmetic over counts that the caller took from the data. It counts what the recipe asks for where
nothing fails: failures and repeated self-edits make it cheaper. Graders are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from selfedit.config import Recipe
from selfedit.forecast import Pace, Work
from selfedit.rewards import needs
from selfedit.select import rungs


@final
@dataclass(frozen=True, slots=True)
class Sizes:
    """The data in numbers: two counts, then means over passages, in tokens where nothing else is said."""

    passages: int
    """In the file that is trained on."""
    report_passages: int
    """In the file that reports."""
    probes: float
    """Questions of a passage."""
    passage: float
    question: float
    """A question with its gold answer."""
    answer: float
    """An answer as the model writes it."""
    edit: float
    """All training rows of a self-edit, the passage among them, once through."""
    prompt: float
    """What is read to write one self-edit."""
    written: float
    """What is written for one self-edit."""
    said: float = 0
    """The sentences that are said before an answer, where it is recited."""


@final
@dataclass(frozen=True, slots=True)
class Cost:
    """Work of one kind: how much of it. Tokens that are trained on count once an epoch."""

    edits: int = 0
    """Self-edits written."""
    adapters: int = 0
    """Trained: one for each self-edit and seed, for the floors, for the policy."""
    trained: float = 0
    read: float = 0
    written: float = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.edits + other.edits,
            self.adapters + other.adapters,
            self.trained + other.trained,
            self.read + other.read,
            self.written + other.written,
        )

    def seconds(self, pace: Pace) -> float:
        return pace.seconds(Work((), round(self.trained), round(self.read), round(self.written)))


@final
@dataclass(frozen=True, slots=True)
class Estimate:
    """What each round costs, and the table."""

    rounds: tuple[Cost, ...]
    report: Cost

    @property
    def total(self) -> Cost:
        return total((*self.rounds, self.report))


def estimate(recipe: Recipe, sizes: Sizes) -> Estimate:
    """The cost of the recipe on data of these sizes."""
    return Estimate(
        rounds=(_round(recipe, sizes),) * recipe.rounds,
        report=total(_row(name, recipe, sizes) for name in recipe.report.rows),
    )


def total(costs: Iterable[Cost]) -> Cost:
    """All of them together."""
    return sum(costs, Cost())


def times(count: int, each: Cost) -> Cost:
    """So many of one."""
    return Cost(
        count * each.edits,
        count * each.adapters,
        count * each.trained,
        count * each.read,
        count * each.written,
    )


# -- a round ---------------------------------------------------------------------------------------------


def trials(recipe: Recipe) -> int:
    """Adapters that are trained to choose among the self-edits of one passage, and to check the choice."""
    samples, seeds, after = recipe.write.samples, len(recipe.judge.seeds), len(recipe.judge.held_out)
    if recipe.select.method == "best":
        return samples * (seeds + after)
    ladder = rungs(samples, seeds, recipe.select.keep)
    before = (0, *(rung.seeds for rung in ladder))
    chosen = sum(rung.edits * (rung.seeds - held) for rung, held in zip(ladder, before, strict=False))
    return chosen + samples * after


def _round(recipe: Recipe, sizes: Sizes) -> Cost:
    passages = min(recipe.data.passages, sizes.passages)
    each = (
        times(recipe.write.samples, _writing(sizes))
        + (_own_probes(recipe, sizes) if recipe.judge.probes != "gold" else Cost())
        + times(trials(recipe), _trial(recipe, sizes, sizes.edit))
        + _floors(recipe, sizes)
    )
    return times(passages, each) + _reinforcing(recipe, sizes, passages)


def _writing(sizes: Sizes) -> Cost:
    return Cost(edits=1, read=sizes.prompt, written=sizes.written)


def _own_probes(recipe: Recipe, sizes: Sizes) -> Cost:
    """Those of one passage, written with it in view."""
    own = recipe.judge.own_probes
    return Cost(read=own * sizes.passage, written=own * sizes.question)


def _trial(recipe: Recipe, sizes: Sizes, tokens: float) -> Cost:
    """One adapter, trained and tried."""
    return Cost(adapters=1, trained=recipe.apply.epochs * tokens) + _tried(recipe, sizes)


def _tried(recipe: Recipe, sizes: Sizes) -> Cost:
    """One passage's probes as the rewards want them: answered, scored, or both."""
    wanted = needs(recipe.judge.weights)
    own = recipe.judge.own_probes
    probes = {"gold": sizes.probes, "own": own, "both": sizes.probes + own}[recipe.judge.probes]
    answered = "answer" in wanted or "verdict" in wanted
    readings = answered + ("logprob" in wanted)
    plain = Cost(
        read=probes * sizes.question * readings,
        written=probes * min(sizes.answer, recipe.judge.answer_tokens) * answered,
    )
    cited = Cost(read=probes * 2 * sizes.question) if "sentence" in wanted else Cost()
    return plain + cited + times(min(readings, 1), _recited(recipe, sizes, probes))


def _recited(recipe: Recipe, sizes: Sizes, probes: float) -> Cost:
    """What is said before so many answers, and then read."""
    said = probes * sizes.said * recipe.write.recite
    return Cost(read=said, written=said)


def _floors(recipe: Recipe, sizes: Sizes) -> Cost:
    """What the kept self-edits of one passage must beat."""
    cost = Cost()
    if "base" in recipe.select.beat or "before" in needs(recipe.judge.weights):
        cost += _tried(recipe, sizes)
    if "passage" in recipe.select.beat:
        cost += times(len(recipe.judge.seeds), _trial(recipe, sizes, sizes.passage))
    return cost


def _reinforcing(recipe: Recipe, sizes: Sizes, passages: int) -> Cost:
    """The policy's fine-tune: on what is kept, or on everything that was written.

    What holds it to the first policy reads every row once on that.
    """
    edits = recipe.write.samples if recipe.reinforce.method == "grpo" else recipe.select.keep
    tokens = passages * edits * (sizes.prompt + sizes.written)
    epochs = recipe.reinforce.training.epochs
    return Cost(adapters=1, trained=epochs * tokens, read=tokens * (recipe.reinforce.kl > 0))


# -- the table -------------------------------------------------------------------------------------------


def _row(name: str, recipe: Recipe, sizes: Sizes) -> Cost:
    """One row: its adapters, and the questions that are asked."""
    most = recipe.data.report_passages
    passages = sizes.report_passages if most is None else min(most, sizes.report_passages)
    kind, _, joint = name.partition(":")
    match kind:
        case "base":
            return times(passages, _asked(recipe, sizes))
        case "in-context" | "in-context-warm" | "retrieval":
            shown = Cost(read=sizes.probes * sizes.passage)
            return times(passages, _at_once(recipe, sizes) + shown)
        case "passage":
            return times(passages, _taught(recipe, sizes, sizes.passage))
        case "teacher" | "gold" | "tools":
            return times(passages, _taught(recipe, sizes, sizes.edit))
        case "joint":
            return _joint(recipe, sizes, passages, -(-passages // int(joint)))
        case "best-of-n":
            tries = times(recipe.write.samples, _writing(sizes) + _trial(recipe, sizes, sizes.edit))
            chosen = tries + _own_probes(recipe, sizes)
            return times(passages, chosen + _taught(recipe, sizes, sizes.edit))
        case _:
            rows = len(recipe.write.formats) * (recipe.rounds if kind == "rounds" else 1)
            return times(rows * passages, _writing(sizes) + _taught(recipe, sizes, sizes.edit))


def _joint(recipe: Recipe, sizes: Sizes, passages: int, adapters: int) -> Cost:
    """So many adapters for all passages: on the passages, and in each format on self-edits of three policies.

    The base, the writer that ships, and the last round's: what they write is counted in their own rows.
    """
    written = times(3 * len(recipe.write.formats), _taught(recipe, sizes, sizes.edit))
    taught = _taught(recipe, sizes, sizes.passage) + written
    return times(passages, taught) + Cost(adapters=(adapters - passages) * taught.adapters)


def _taught(recipe: Recipe, sizes: Sizes, tokens: float) -> Cost:
    """One passage's adapters, one for each seed, and the answers of each."""
    training = Cost(adapters=1, trained=recipe.report.training.epochs * tokens)
    return times(len(recipe.report.seeds), training + _asked(recipe, sizes))


def _asked(recipe: Recipe, sizes: Sizes) -> Cost:
    """One passage's questions, answered without a text in view."""
    return _at_once(recipe, sizes) + _recited(recipe, sizes, sizes.probes)


def _at_once(recipe: Recipe, sizes: Sizes) -> Cost:
    answer = min(sizes.answer, recipe.judge.answer_tokens)
    return Cost(read=sizes.probes * sizes.question, written=sizes.probes * answer)
