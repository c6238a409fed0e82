"""The table of rewards: what each costs, how well it repeats itself, and how well it foretells.

All within passages: an edit is compared with the other edits of its passage. A reward is computed on choosing
probes at the two trial seeds; what it is to foretell is concise accuracy on *other* probes, people's, of the
adapter that was trained for good at a third seed. Reads what `bench.rewards` kept; trains nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.bench.rewards import BASE, CANDIDATE, FINAL, Reply, Tried
from selfedit.rewards import MEASURES, Evidence, Grader, RuleGrader, concise, reward, within_correlation
from selfedit.types import GradeRequest, Reward, rng_for

REWARDS: dict[str, dict[str, float]] = {
    **{name: {name: 1.0} for name, each in MEASURES.items() if "sentence" not in each.needs},
    "likelihood + concise": {"likelihood": 1.0, "concise": 1.0},
    "likelihood + margin": {"likelihood": 1.0, "margin": 1.0},
    "gain + graded-concise": {"gain": 1.0, "graded-concise": 1.0},
}
RESAMPLES = 2000
Interval = tuple[float, float]
Choice = Callable[[Items[Reply]], tuple[list[int], list[int]]]
"""Which replies choose, and which report."""


def _own(replies: Items[Reply]) -> tuple[list[int], list[int]]:
    return (
        [at for at, r in enumerate(replies) if r.origin != "gold"],
        [at for at, r in enumerate(replies) if r.origin == "gold"],
    )


def _half(replies: Items[Reply]) -> tuple[list[int], list[int]]:
    gold = _own(replies)[1]
    return gold[::2], gold[1::2]


def _own_half(replies: Items[Reply]) -> tuple[list[int], list[int]]:
    """Seen on the same questions as `_half` and `_both`."""
    return _own(replies)[0], _half(replies)[1]


def _both(replies: Items[Reply]) -> tuple[list[int], list[int]]:
    own, _ = _own(replies)
    choose, report = _half(replies)
    return own + choose, report


CHOICES: dict[str, Choice] = {
    "the model's own": _own,
    "the same, on half": _own_half,
    "half of people's": _half,
    "both": _both,
}


@final
@dataclass(frozen=True)
class Point:
    """One edit of a passage under one reward: the reward at each trial seed, and what it was to foretell."""

    rewards: tuple[float, ...]
    held_out: float


def table(trials: Items[Tried], grader: Grader | None = None) -> list[dict[str, Any]]:
    """A row for each reward and set of choosing probes."""
    verdicts = _verdicts(trials, grader or RuleGrader())
    return [
        _row(name, chosen, trials, verdicts)
        for chosen in CHOICES
        for name in REWARDS
        if any(trial.stage == FINAL for trial in trials)
    ]


Verdicts = Mapping[tuple[str, str, str, int], Items[Any]]


def _name(trial: Tried) -> tuple[str, str, str, int]:
    return trial.passage, trial.edit, trial.stage, trial.seed


def _verdicts(trials: Items[Tried], grader: Grader) -> Verdicts:
    asked = [(_name(t), GradeRequest(r.question, r.answer, r.said)) for t in trials for r in t.replies]
    found: dict[tuple[str, str, str, int], list[Any]] = defaultdict(list)
    for (name, _), verdict in zip(asked, grader.grade([each for _, each in asked]), strict=True):
        found[name].append(verdict)
    return found


def _row(name: str, chosen: str, trials: Items[Tried], verdicts: Verdicts) -> dict[str, Any]:
    groups = dict(_points(REWARDS[name], CHOICES[chosen], trials, verdicts))
    foretold = {p: [(r, x.held_out) for x in mine for r in x.rewards] for p, mine in groups.items()}
    repeated = {p: [(x.rewards[0], x.rewards[1]) for x in mine] for p, mine in groups.items()}
    return {
        "reward": name,
        "chosen_by": chosen,
        "seconds": _seconds(name, trials),
        "repeats": within_correlation(list(repeated.values())),
        "repeats_ci95": _interval(within_correlation, list(repeated.values())),
        "foretells": within_correlation(list(foretold.values())),
        "foretells_ci95": _interval(within_correlation, list(foretold.values())),
        "gain": _gain(list(groups.values())),
        "gain_ci95": _interval(_gain, list(groups.values())),
        "n_passages": len(groups),
        "n_edits": sum(map(len, groups.values())),
    }


def _points(
    weights: Mapping[str, float], choice: Choice, trials: Items[Tried], verdicts: Verdicts
) -> Iterator[tuple[str, list[Point]]]:
    """The edits of each passage that could be judged at both seeds and were trained for good."""
    by_passage: dict[str, dict[tuple[str, str, int], Tried]] = defaultdict(dict)
    for trial in trials:
        by_passage[trial.passage][trial.edit, trial.stage, trial.seed] = trial
    for passage, held in by_passage.items():
        base = next((t for t in held.values() if t.stage == BASE), None)
        points = [
            point
            for edit in dict.fromkeys(edit for edit, stage, _ in held if stage == FINAL)
            if base and (point := _point(weights, choice, base, _of(held, edit), verdicts))
        ]
        if len(points) > 1:
            yield passage, points


def _of(held: Mapping[tuple[str, str, int], Tried], edit: str) -> list[Tried]:
    """The trials of an edit, by seed, and last the one for good."""
    found = [trial for (name, _, _), trial in held.items() if name == edit]
    return sorted(found, key=lambda trial: (trial.stage != CANDIDATE, trial.seed))


def _point(
    weights: Mapping[str, float], choice: Choice, base: Tried, mine: Items[Tried], verdicts: Verdicts
) -> Point | None:
    *tried, final = mine
    if len(tried) < 2 or any(trial.failure for trial in mine):
        return None
    found = [reward(_evidence(choice, base, trial, verdicts), weights) for trial in tried]
    values = tuple(each.value for each in found if isinstance(each, Reward))
    report = [final.replies[at] for at in choice(final.replies)[1]]
    if len(values) < len(found) or not report:
        return None
    return Point(values, sum(concise(r.said, r.answer) for r in report) / len(report))


def _evidence(choice: Choice, base: Tried, trial: Tried, verdicts: Verdicts) -> list[Evidence]:
    said = verdicts[_name(trial)]
    rows = [(trial.replies[at], base.replies[at], said[at]) for at in choice(trial.replies)[0]]
    return [Evidence(own.probe(trial.topic), own.said, own.logprob, b.logprob, v) for own, b, v in rows]


def _seconds(name: str, trials: Items[Tried]) -> float:
    """What one trial costs by this reward: training, and scoring or answering or both, of all its probes."""
    needs = {need for each in REWARDS[name] for need in MEASURES[each].needs}
    mine = [trial.seconds for trial in trials if trial.stage == CANDIDATE]
    parts = [t + s * ("logprob" in needs) + a * ("answer" in needs) for t, s, a in mine]
    return sum(parts) / max(1, len(parts))


# -- statistics within passages --------------------------------------------------------------------------


def _gain(groups: Items[Items[Point]]) -> float | None:
    """Held-out accuracy of the chosen edit less that of an edit at random; both seeds choose in turn."""
    gains: list[float] = []
    for group in groups:
        mean = sum(point.held_out for point in group) / len(group)
        for seed in range(len(group[0].rewards)):
            best = max(point.rewards[seed] for point in group)
            chosen = [point.held_out for point in group if point.rewards[seed] == best]
            gains.append(sum(chosen) / len(chosen) - mean)
    return sum(gains) / len(gains) if gains else None


def _interval(statistic: Callable[[Any], float | None], groups: Items[Any]) -> Interval | None:
    """A percentile bootstrap over passages."""
    if len(groups) < 2:
        return None
    rng = rng_for("bootstrap", "rewards", len(groups))
    drawn = (statistic(rng.choices(groups, k=len(groups))) for _ in range(RESAMPLES))
    found = sorted(value for value in drawn if value is not None)
    return (found[int(0.025 * len(found))], found[int(0.975 * len(found))]) if found else None


# -- for people --------------------------------------------------------------------------------------------


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """The table, a row a reward and set of choosing probes."""
    heads = ("chosen by", "reward", "s a trial", "seed to seed", "foretells", "gain of the choice", "n")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        cells = [
            row["chosen_by"],
            row["reward"],
            f"{row['seconds']:.1f}",
            *(_shown(row[name], row[f"{name}_ci95"]) for name in ("repeats", "foretells", "gain")),
            f"{row['n_passages']} ({row['n_edits']})",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "–"
    return f"{value:+.2f}" + (f" [{interval[0]:+.2f}, {interval[1]:+.2f}]" if interval else "")
