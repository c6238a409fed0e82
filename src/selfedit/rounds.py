"""One round of SEAL: write → apply → judge → choose. The page to read first.

    for every task, the policy writes self-edits           (writing.write_edits)
    every edit is applied: a small LoRA is trained on it   (apply)
    the changed model is tested without the passage        (judge)
    the edit that did best is kept                         (choose)

Each step takes lists, so that the worker trains and asks hundreds at once. Knows nothing of stores.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from selfedit.config import Training
from selfedit.edits.questions import ask_prompt
from selfedit.edits.recitation import recited_row
from selfedit.reciting import Query, Reader, recited
from selfedit.rewards import Evidence, Grader, RuleGrader, collapsed, grade, needs, reward
from selfedit.types import (
    Failure,
    GenerationRequest,
    GradeRequest,
    Head,
    Outcome,
    Probe,
    Reward,
    ScoreRequest,
    SelfEdit,
    Sequence,
    Task,
    TrainingPlan,
    Trial,
    Verdict,
)
from selfedit.workers.base import silent
from selfedit.writing import sequences_of

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Progress, Worker


LIKELIHOOD: Mapping[str, float] = {"likelihood": 1.0}
"""The reward that needs no decoding."""
Asking = tuple["Adapter | None", Probe]
"""A probe, and the adapter that is to answer it."""
Applied = tuple["Adapter", Trial]
"""A trial with the adapter that its plan came to."""
Judge = Callable[[Items[Applied]], list[Outcome]]
JUDGED_AT_ONCE = 8
"""Adapters that are held until they are judged together."""


Shape = Callable[[TrainingPlan], TrainingPlan]
"""What else a plan is given: an objective, a constraint."""


def as_planned(plan: TrainingPlan) -> TrainingPlan:
    """Nothing."""
    return plan


@final
@dataclass(frozen=True)
class Ground:
    """What a round stands on: who computes, the head that edits are applied to, and how."""

    worker: Worker
    head: Head | None
    training: Training
    seed: int = 0
    answer_tokens: int = 24
    progress: Progress = silent
    rewards: Mapping[str, float] = field(default_factory=lambda: LIKELIHOOD)
    """What a trial earns: `rewards.MEASURES` with their weights."""
    grader: Grader | None = None
    """For those measures that want a verdict; None: by rule."""
    recite: bool = False
    """Whether adapters are asked for the sentence first, which is then read for the answer."""
    reader: Adapter | None = None
    """The policy's adapter, that reads it; None: the base."""
    sentences: Mapping[str, str] = field(default_factory=dict[str, str])
    """Id of a probe → the sentence of its passage that holds the answer, for those measures that want it."""
    said: dict[tuple[str, ...], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, ...], tuple[str, ...]], compare=False, repr=False
    )
    """Who was asked what → the sentences: what is read for the answer and for its likelihood is said once."""


def plan_for(
    sequences: Items[str | Sequence], ground: Ground, training: Training | None = None
) -> TrainingPlan:
    """The plan that trains on `sequences` from the ground's head."""
    chosen = (training or ground.training).hyper_parameters(len(sequences))
    return TrainingPlan(tuple(sequences), seed=ground.seed, head=ground.head, **chosen)


def trained_tokens(worker: Worker, plan: TrainingPlan) -> int:
    """Tokens that a plan trains on, once for each time that they are read."""
    sizes = [sequence_tokens(worker, each) for each in plan.sequences]
    return sum(sizes[row] for step in plan.order() for row in step)


def sequence_tokens(worker: Worker, sequence: str | Sequence) -> int:
    """Tokens of a training sequence, the end of a completion among them."""
    if isinstance(sequence, str):
        return worker.count(sequence)
    return worker.count(sequence.prompt) + worker.count(sequence.completion) + 1


def candidates(
    tasks: Items[Task], edits: Mapping[str, Items[SelfEdit | Failure]], ground: Ground
) -> list[Trial]:
    """A trial, not yet judged, for every edit of every task that could be parsed."""
    trials: list[Trial] = []
    for task in tasks:
        for edit in edits[task.id]:
            if isinstance(edit, SelfEdit):
                plan = plan_for(sequences_of(task, edit), ground, directed(ground.training, edit))
                trials.append(Trial(edit, plan, Failure("judge", "not judged yet")))
    return trials


def directed(training: Training, edit: SelfEdit) -> Training:
    """The training with the hyper-parameters that a directive picked; its bounds were held by the parser."""
    picked = {name: value for name, value in edit.settings.items() if name in Training.model_fields}
    return training.model_copy(update=picked)


def apply_and_judge(trials: Items[Trial], probes: Mapping[str, Items[Probe]], ground: Ground) -> list[Trial]:
    """Train an adapter for every trial, and let the ground's rewards judge it by the task's probes.

    The adapters are dropped as soon as they are judged; of each, the hash stays.
    """

    def judge(waiting: Items[Applied]) -> list[Outcome]:
        return rewarded([(adapter, probes[trial.edit.task]) for adapter, trial in waiting], ground)

    return judged_by(judge, trials, ground)


def judged_by(judge: Judge, trials: Items[Trial], ground: Ground) -> list[Trial]:
    """The same by any judge, who is given a few trained adapters at a time."""
    found: dict[int, Trial] = {}
    plans = [trial.plan for trial in trials if trial.plan is not None]
    for ended in trained(plans, ground):
        waiting = [(index, each) for index, each in ended if not isinstance(each, Failure)]
        outcomes = judge([(adapter, trials[index]) for index, adapter in waiting])
        for (index, adapter), outcome in zip(waiting, outcomes, strict=True):
            found[index] = Trial(trials[index].edit, trials[index].plan, outcome, adapter.hash)
        for index, each in ended:
            if isinstance(each, Failure):
                found[index] = Trial(trials[index].edit, trials[index].plan, each)
    return [found[index] for index in range(len(trials))]


def trained(plans: Items[TrainingPlan], ground: Ground) -> Iterator[list[tuple[int, Adapter | Failure]]]:
    """The plans' places with what they came to, as they end, a few adapters at a time."""
    ended: list[tuple[int, Adapter | Failure]] = []
    waiting = 0
    for index, each in ground.worker.train_iter(plans, ground.progress):
        ended.append((index, each))
        waiting += not isinstance(each, Failure)
        if waiting >= JUDGED_AT_ONCE:
            yield ended
            ended, waiting = [], 0
    yield ended


def rewarded(pairs: Items[tuple[Adapter | None, Items[Probe]]], ground: Ground) -> list[Outcome]:
    """What each adapter earns on its probes, without the passage."""
    return [reward(rows, ground.rewards) for rows in evidence(pairs, ground, needs(ground.rewards))]


def evidence(
    pairs: Items[tuple[Adapter | None, Items[Probe]]], ground: Ground, wanted: Collection[str]
) -> list[list[Evidence]]:
    """For each adapter how it did on its probes, as far as `wanted` names fields of `Evidence`."""
    asked = [(adapter, probe) for adapter, mine in pairs for probe in mine]
    unasked = [None] * len(asked)
    said = answered(asked, ground) if "answer" in wanted else unasked
    after = logprobs(asked, ground) if "logprob" in wanted else unasked
    before = logprobs([(None, probe) for _, probe in asked], ground) if "before" in wanted else unasked
    judged = verdicts(asked, said, ground) if "verdict" in wanted else unasked
    cited = sentence_logprobs(asked, ground) if "sentence" in wanted else unasked
    rows = iter(
        [
            Evidence(probe, *found)
            for (_, probe), *found in zip(asked, said, after, before, judged, cited, strict=True)
        ]
    )
    return [[next(rows) for _ in mine] for _, mine in pairs]


def logprobs(asked: Items[Asking], ground: Ground) -> list[float]:
    """The mean log-probability of each gold answer's tokens, in nats. What repeats is scored once."""
    keys = [(adapter.hash if adapter else None, probe.id) for adapter, probe in asked]
    once = dict(zip(keys, asked, strict=True))
    found = dict(zip(once, _scored(list(once.values()), ground), strict=True))
    return [found[key] for key in keys]


def sentence_logprobs(asked: Items[Asking], ground: Ground) -> list[float | None]:
    """The mean log-probability of each sentence that holds an answer, asked for by the question, in nats.

    None where the ground has no sentence for a probe. Nothing is decoded.
    """
    places = [at for at, (_, probe) in enumerate(asked) if probe.id in ground.sentences]
    rows = [
        (adapter, recited_row(probe.question, ground.sentences[probe.id], probe.topic))
        for adapter, probe in (asked[at] for at in places)
    ]
    requests = [ScoreRequest(row.prompt, row.completion, adapter, ground.head) for adapter, row in rows]
    found = dict(zip(places, (score.mean for score in ground.worker.score(requests)), strict=True))
    return [found.get(at) for at in range(len(asked))]


def _scored(asked: Items[Asking], ground: Ground) -> list[float]:
    if ground.recite:
        queries, golds = _queries(asked, ground), [probe.answer for _, probe in asked]
        return Reader(ground.worker, ground.reader).logprobs(queries, _recited(queries, ground), golds)
    requests = [
        ScoreRequest(ask_prompt(probe.question, probe.topic), f" {probe.answer}", adapter, ground.head)
        for adapter, probe in asked
    ]
    return [score.mean for score in ground.worker.score(requests)]


def _queries(asked: Items[Asking], ground: Ground) -> list[Query]:
    return [Query(probe.question, probe.topic, adapter, ground.head) for adapter, probe in asked]


def _recited(queries: Items[Query], ground: Ground) -> list[tuple[str, ...]]:
    keys = [query.key for query in queries]
    waiting = {key: query for key, query in zip(keys, queries, strict=True) if key not in ground.said}
    fresh = recited(ground.worker, list(waiting.values()), ground.progress)
    ground.said.update(zip(waiting, fresh, strict=True))
    return [ground.said[key] for key in keys]


def verdicts(asked: Items[Asking], said: Items[str | None], ground: Ground) -> list[Verdict | Failure]:
    """The grader's word on each answer."""
    requests = [
        GradeRequest(probe.question, probe.answer, answer or "")
        for (_, probe), answer in zip(asked, said, strict=True)
    ]
    return (ground.grader or RuleGrader()).grade(requests)


def choose(trials: Items[Trial]) -> dict[str, SelfEdit]:
    """Task id → the edit with the best reward; the first sample where nothing could be judged."""
    best: dict[str, Trial] = {}
    for trial in trials:
        held = best.get(trial.edit.task)
        if held is None or _value(trial) > _value(held):
            best[trial.edit.task] = trial
    return {task: trial.edit for task, trial in best.items()}


def _value(trial: Trial) -> float:
    return trial.outcome.value if isinstance(trial.outcome, Reward) else float("-inf")


# -- asking -------------------------------------------------------------------------------------------


def answers(probes: Items[Probe], adapter: Adapter | None, ground: Ground) -> list[str]:
    """What the model answers to each probe, without the passage; greedy, stripped."""
    return answered([(adapter, probe) for probe in probes], ground)


def answered(asked: Items[Asking], ground: Ground) -> list[str]:
    """The same where each probe has an adapter of its own."""
    if ground.recite:
        queries, reader = _queries(asked, ground), Reader(ground.worker, ground.reader)
        read = reader.answers(queries, _recited(queries, ground), ground.answer_tokens, ground.progress)
        return [each.text.strip() if each else "" for each in read]
    requests = [
        GenerationRequest(
            ask_prompt(probe.question, probe.topic),
            adapter,
            ground.head,
            max_tokens=ground.answer_tokens,
            stop=("\n",),
        )
        for adapter, probe in asked
    ]
    return [completion.text.strip() for completion in ground.worker.generate(requests, ground.progress)]


def train_whole(
    sequences: Items[str | Sequence], probes: Items[Probe], ground: Ground, shape: Shape = as_planned
) -> Adapter | Failure:
    """One adapter on all sequences. If it collapsed, once more at a gentler rate; else it is a Failure."""
    reason = ""
    for training in (ground.training, ground.training.gentler()):
        (adapter,) = ground.worker.train([shape(plan_for(sequences, ground, training))], ground.progress)
        if isinstance(adapter, Failure):
            reason = adapter.what
            continue
        found = collapsed(answers(probes, adapter, ground), [probe.answer for probe in probes])
        if found is None:
            return adapter
        reason = found
    return Failure("train", f"the adapter collapsed, at the gentler rate too ({reason}); nothing was kept")


def right(probe: Probe, answer: str) -> Reward:
    """The measures of one answer: `correct`, `concise`, `recall`."""
    return grade(answer, probe)
