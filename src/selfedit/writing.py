"""The policy writes: self-edits for passages, and the probes that test them. All passages at once.

Knows nothing of rewards, stores or what becomes of an edit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import final

from selfedit.edits import get_format
from selfedit.edits.questions import ask_prompt, blank_question, qa_row
from selfedit.edits.recitation import hints, recite_prompt, recited_row
from selfedit.edits.sentences import sentence_offsets
from selfedit.edits.spans import Span, best_spans
from selfedit.edits.tools import (
    ask_and_answer_prompt,
    headed,
    parse_ask_and_answer,
    parse_restate,
    restate_prompt,
    sentences,
    split,
)
from selfedit.edits.writer import pairs_to_rows, question_prompt, same_question, sentence_of
from selfedit.questioning import Author, Item, ask_for, checked, fitting
from selfedit.types import Failure, GenerationRequest, Probe, SelfEdit, Sequence, Task, rng_for

BY_RULE = "(by rule)"
"""Stands in a pair's text where no question of the model's was good enough."""
_PAIR = re.compile(r"^Q: (?!\(by rule\) A: )(.+?) A: (.+)$", re.MULTILINE)
LINE_TOKENS = 60


# -- self-edits ----------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Brief:
    """What the policy is to write for every task."""

    format: str
    samples: int
    spans: int
    temperature: float
    seed: int
    blanks: bool = True
    """Whether a span that no question is found to is asked for by a gap in its sentence."""
    sentences: bool = True
    """Whether the sentences stand beside the pairs."""
    recite: bool = False
    """Whether each question is answered with its sentence, and nothing else is trained."""
    hints: int = 3
    """Rows of a few of its words for each sentence that is recited."""


def write_edits(
    author: Author, tasks: Items[Task], probes: Items[Probe], brief: Brief
) -> dict[str, list[SelfEdit | Failure]]:
    """Task id → its samples. Rows never ask what a probe asks."""
    if brief.format == "question-answer":
        return _pairs(author, tasks, probes, brief)
    return _notes(author, tasks, brief)


def _pairs(
    author: Author, tasks: Items[Task], probes: Items[Probe], brief: Brief
) -> dict[str, list[SelfEdit | Failure]]:
    """Spans first, then a question to each by the model; unless recited, checked, and by rule if no good."""
    asked = _by_topic(probes)
    items = [
        Item(task, span)
        for task in tasks
        for span in best_spans(task.passage, brief.spans, title=task.title)
        if not any(_same_blank(probe, task, span) for probe in asked[task.title])
    ]
    greedy = ask_for(author, items, 0.0, brief.seed)
    others = (
        ask_for(author, items * (brief.samples - 1), brief.temperature, brief.seed)
        if brief.samples > 1
        else []
    )
    drafts = [
        None if q and _probed(q, asked[item.task.title]) else q
        for item, q in zip(items * brief.samples, [*greedy, *others], strict=True)
    ]
    questions = drafts if brief.recite else fitting(author, items * brief.samples, drafts)
    found: dict[str, list[SelfEdit | Failure]] = {task.id: [] for task in tasks}
    for sample in range(brief.samples):
        part = slice(sample * len(items), (sample + 1) * len(items))
        for task in tasks:
            pairs = [(i.span, q) for i, q in zip(items, questions[part], strict=True) if i.task is task]
            found[task.id].append(_without(pair_edit(task, pairs, brief), asked[task.title]))
    return found


def _without(edit: SelfEdit | Failure, probes: Items[Probe]) -> SelfEdit | Failure:
    """The edit without rows that ask, word for word, what a probe asks."""
    if isinstance(edit, Failure):
        return edit
    prompts = {form(each.question, each.topic) for each in probes for form in (ask_prompt, recite_prompt)}
    lines = tuple(x for x in edit.lines if isinstance(x, str) or x.prompt not in prompts)
    if not lines:
        return Failure("write", "every pair asks what a probe asks")
    return replace(edit, lines=lines)


def pair_edit(task: Task, pairs: Items[tuple[Span, str | None]], brief: Brief) -> SelfEdit | Failure:
    """The self-edit of question-answer pairs: the sentences, and the rows of `pairs_to_rows`; or recitations.

    Where there is no row, the sentences are all that can be learned, and stand whatever the brief says.
    """
    if brief.recite:
        lines = _recited(task, pairs, brief) or split(task)
    else:
        rows = pairs_to_rows(task, pairs, blanks=brief.blanks)
        lines = (*split(task), *rows) if brief.sentences or not rows else rows
    if not lines:
        return Failure("write", f"{task.title}: nothing to learn in this passage")
    text = "\n".join(f"Q: {question or BY_RULE} A: {span.text}" for span, question in pairs)
    return SelfEdit(task.id, "question-answer", text, lines)


def _recited(task: Task, pairs: Items[tuple[Span, str | None]], brief: Brief) -> tuple[Sequence, ...]:
    """Each question with its span's sentence, and each sentence by some hints at it.

    The questions need not ask for the span: they are about its sentence all the same.
    """
    asked = [
        recited_row(question, sentence_of(task, span), task.title) for span, question in pairs if question
    ]
    draw = rng_for("hints", brief.seed, task.id)
    hinted = [
        recited_row(hint, sentence, task.title)
        for sentence in sentences(task.passage)
        for hint in hints(sentence, brief.hints, draw)
    ]
    return tuple(dict.fromkeys((*asked, *hinted)))


def _notes(author: Author, tasks: Items[Task], brief: Brief) -> dict[str, list[SelfEdit | Failure]]:
    """Samples of a format that the model writes at one go."""
    form = get_format(brief.format)
    requests = [
        GenerationRequest(
            form.prompt(task, chat=author.worker.chat),
            head=author.head,
            max_tokens=form.max_tokens,
            temperature=brief.temperature if sample or brief.samples > 1 else 0.0,
            top_p=0.95,
            seed=rng_for("note", brief.seed, task.id, sample).getrandbits(31),
            grammar=form.grammar,
        )
        for task in tasks
        for sample in range(brief.samples)
    ]
    written = author.worker.generate(requests, author.progress)
    found: dict[str, list[SelfEdit | Failure]] = {}
    for at, task in enumerate(tasks):
        mine = written[at * brief.samples : (at + 1) * brief.samples]
        found[task.id] = [form.parse(task, completion.text) for completion in mine]
    return _with_model_tools(author, tasks, found)


def _with_model_tools(
    author: Author, tasks: Items[Task], edits: dict[str, list[SelfEdit | Failure]]
) -> dict[str, list[SelfEdit | Failure]]:
    """Directives that pick a tool which needs a model get that tool's lines, written once a passage."""
    picked = {
        tool: [t for t in tasks if any(tool in _tools(edit) for edit in edits[t.id])] for tool in BY_MODEL
    }
    lines = {tool: by_line(author, picked[tool], tool) for tool in BY_MODEL if picked[tool]}

    def whole(edit: SelfEdit | Failure) -> SelfEdit | Failure:
        if isinstance(edit, Failure):
            return edit
        more = [x for tool in _tools(edit) if tool in lines for x in lines[tool][edit.task]]
        return replace(edit, lines=(*edit.lines, *more)) if more else edit

    return {task: [whole(edit) for edit in found] for task, found in edits.items()}


def _tools(edit: SelfEdit | Failure) -> tuple[str, ...]:
    return tuple(edit.settings.get("tools", ())) if isinstance(edit, SelfEdit) else ()


def by_line(author: Author, tasks: Items[Task], tool: str) -> dict[str, list[str | Sequence]]:
    """Task id → what the base writes to each sentence: `restate` or `ask-and-answer` (edits.tools)."""
    prompt, parse = BY_MODEL[tool]
    items = [(task, sentence) for task in tasks for sentence in sentences(task.passage)]
    requests = [
        GenerationRequest(
            prompt(task.title, sentence), head=author.head, max_tokens=LINE_TOKENS, stop=("\n\n",)
        )
        for task, sentence in items
    ]
    written = author.worker.generate(requests, author.progress)
    found: dict[str, list[str | Sequence]] = {task.id: [] for task in tasks}
    for (task, sentence), completion in zip(items, written, strict=True):
        line = parse(task, sentence, completion.text)
        if line is not None and line not in found[task.id]:
            found[task.id].append(line)
    return found


BY_MODEL: dict[str, tuple[Callable[[str, str], str], Callable[[Task, str, str], str | Sequence | None]]] = {
    "restate": (restate_prompt, lambda task, sentence, text: parse_restate(sentence, text)),
    "ask-and-answer": (
        ask_and_answer_prompt,
        lambda task, sentence, text: parse_ask_and_answer(task.title, sentence, text),
    ),
}


def sequences_of(task: Task, edit: SelfEdit) -> tuple[str | Sequence, ...]:
    """The training sequences that an edit comes to. Pairs come whole; notes go with their passage."""
    if edit.format == "question-answer":
        return tuple(dict.fromkeys(edit.lines))
    lines = (headed(task.title, x) if isinstance(x, str) else x for x in (*edit.lines, task.passage))
    return tuple(dict.fromkeys(lines))


def policy_rows(author: Author, task: Task, edit: SelfEdit) -> tuple[Sequence, ...]:
    """What the policy wrote of an edit, each piece after the prompt that it was written to.

    Of question-answer pairs that is a row for each question of its own, none for what was asked by rule; of
    other formats the whole text.
    """
    if edit.format != "question-answer":
        prompt = get_format(edit.format).prompt(task, chat=author.worker.chat)
        return (Sequence(author.worker.rendered(prompt), edit.text),)
    rows: list[Sequence] = []
    for question, answer in _PAIR.findall(edit.text):
        sentence = sentence_with(task, question, answer)
        if sentence and (
            qa_row(question, answer, task.title) in edit.lines
            or recited_row(question, sentence, task.title) in edit.lines
        ):
            rows.append(Sequence(question_prompt(task.title, sentence, answer), f" {question}"))
    return tuple(dict.fromkeys(rows))


def probed_sentences(tasks: Items[Task], probes: Mapping[str, Items[Probe]]) -> dict[str, str]:
    """Id of a probe → the sentence of its passage that holds the answer; `probes` by the tasks' ids."""
    asked = [(task, probe) for task in tasks for probe in probes[task.id]]
    found = {probe.id: sentence_with(task, probe.question, probe.answer) for task, probe in asked}
    return {probe: sentence for probe, sentence in found.items() if sentence}


def sentence_with(task: Task, question: str, answer: str) -> str | None:
    """The sentence that holds the answer; of several the one that has most words of the question."""
    inside = (task.passage[a:b] for a, b in sentence_offsets(task.passage))
    words = set(question.lower().split())
    holding = (sentence for sentence in inside if answer in sentence)
    return max(holding, key=lambda s: len(words & set(s.lower().split())), default=None)


# -- probes --------------------------------------------------------------------------------------------------


def write_probes(author: Author, tasks: Items[Task], limit: int, seed: int) -> dict[str, list[Probe]]:
    """Task id → probes that the model answers with the sentence in view; by rule where it writes none."""
    items = [Item(task, span) for task in tasks for span in best_spans(task.passage, limit, title=task.title)]
    questions = checked(author, items, ask_for(author, items, 0.7, rng_for("probe", seed).getrandbits(31)))
    found: dict[str, list[Probe]] = {task.id: [] for task in tasks}
    for item, question in zip(items, questions, strict=True):
        if question and not _probed(question, found[item.task.id]):
            found[item.task.id].append(Probe(question, item.span.text, item.task.title, "model"))
    for task in tasks:
        if len(found[task.id]) < 2:
            mine = [item for item in items if item.task is task][:4:2]
            found[task.id] = [_blank(item) for item in mine]
    return found


def _blank(item: Item) -> Probe:
    return Probe(_blank_text(item.task, item.span), item.span.text, item.task.title, "cloze")


def _blank_text(task: Task, span: Span) -> str:
    begin, end = sentence_offsets(task.passage)[span.sentence]
    return blank_question(task.passage[begin:end], span.start - begin, span.end - begin)


def _same_blank(probe: Probe, task: Task, span: Span) -> bool:
    return probe.origin == "cloze" and probe.question == _blank_text(task, span)


def _probed(question: str, probes: Items[Probe]) -> bool:
    return any(same_question(question, probe.question) for probe in probes)


def _by_topic(probes: Items[Probe]) -> dict[str, list[Probe]]:
    found: dict[str, list[Probe]] = defaultdict(list)
    for probe in probes:
        found[probe.topic].append(probe)
    return found


def gold_edit(task: Task) -> SelfEdit:
    """The ceiling: people's own questions and answers as rows, beside the sentences."""
    rows = tuple(qa_row(probe.question, probe.answer, probe.topic) for probe in task.probes)
    return SelfEdit(task.id, "question-answer", "gold", (*split(task), *rows))
