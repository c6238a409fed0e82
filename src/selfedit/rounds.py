"""One round of SEAL: write → apply → judge → choose. The page to read first.

    for every task, the policy writes self-edits           (writing.write_edits)
    every edit is applied: a small LoRA is trained on it   (apply)
    the changed model is tested without the passage        (judge)
    the edit that did best is kept                         (choose)

Each step takes lists, so that the worker trains and asks hundreds at once. Knows nothing of stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from selfedit.config import Training
from selfedit.edits.questions import ask_prompt
from selfedit.rewards import collapsed, grade
from selfedit.types import (
    Failure,
    GenerationRequest,
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
)
from selfedit.workers.base import silent
from selfedit.writing import sequences_of

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Progress, Worker


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


def plan_for(
    sequences: Items[str | Sequence], ground: Ground, training: Training | None = None
) -> TrainingPlan:
    """The plan that trains on `sequences` from the ground's head."""
    chosen = (training or ground.training).hyper_parameters(len(sequences))
    return TrainingPlan(tuple(sequences), seed=ground.seed, head=ground.head, **chosen)


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
    """Train an adapter for every trial, and let the gold answers' log-probability judge it.

    The adapters are dropped as soon as they are judged; of each, the hash stays.
    """
    judged: dict[int, Trial] = {}
    waiting: list[tuple[int, Adapter]] = []
    plans = [trial.plan for trial in trials if trial.plan is not None]
    for index, result in ground.worker.train_iter(plans, ground.progress):
        trial = trials[index]
        if isinstance(result, Failure):
            judged[index] = Trial(trial.edit, trial.plan, result)
            continue
        waiting.append((index, result))
        if len(waiting) >= 8:
            judged.update(_judge(waiting, trials, probes, ground))
            waiting = []
    judged.update(_judge(waiting, trials, probes, ground))
    return [judged[index] for index in range(len(trials))]


def _judge(
    waiting: Items[tuple[int, Adapter]],
    trials: Items[Trial],
    probes: Mapping[str, Items[Probe]],
    ground: Ground,
) -> dict[int, Trial]:
    outcomes = likelihood([(adapter, probes[trials[index].edit.task]) for index, adapter in waiting], ground)
    return {
        index: Trial(trials[index].edit, trials[index].plan, outcome, adapter.hash)
        for (index, adapter), outcome in zip(waiting, outcomes, strict=True)
    }


def likelihood(pairs: Items[tuple[Adapter | None, Items[Probe]]], ground: Ground) -> list[Outcome]:
    """For each adapter, the mean over its probes of the mean log-probability of the gold answer's tokens."""
    requests = [
        ScoreRequest(ask_prompt(probe.question, probe.topic), f" {probe.answer}", adapter, ground.head)
        for adapter, probes in pairs
        for probe in probes
    ]
    scores = iter(ground.worker.score(requests))
    outcomes: list[Outcome] = []
    for _, probes in pairs:
        values = [next(scores).mean for _ in probes]
        if values:
            outcomes.append(Reward(sum(values) / len(values), {"probes": float(len(values))}))
        else:
            outcomes.append(Failure("judge", "no probe to choose by"))
    return outcomes


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
    requests = [
        GenerationRequest(
            ask_prompt(probe.question, probe.topic),
            adapter,
            ground.head,
            max_tokens=ground.answer_tokens,
            stop=("\n",),
        )
        for probe in probes
    ]
    return [completion.text.strip() for completion in ground.worker.generate(requests, ground.progress)]


def train_whole(sequences: Items[str | Sequence], probes: Items[Probe], ground: Ground) -> Adapter | Failure:
    """One adapter on all sequences. If it collapsed, once more at a gentler rate; else it is a Failure."""
    reason = ""
    for training in (ground.training, ground.training.gentler()):
        (adapter,) = ground.worker.train([plan_for(sequences, ground, training)], ground.progress)
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
