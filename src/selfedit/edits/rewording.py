"""Text tasks of demonstrations in other words: orders, symbols, labels, numbers, paraphrases. Pure functions.

No tool knows the rule: whether it survives is the business of whoever turns the tool on. A paraphrase comes
as a prompt and a parser; who generates in between is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import regex

from selfedit.edits.tools import parse_restate, restate_prompt
from selfedit.edits.variants import leave_one_out, mapped, shuffled
from selfedit.errors import UsageError
from selfedit.types import Example, FewShot, rng_for

COPIES = 3
"""Variants that a tool makes of each task with one left out."""
MOST_WORDS = 30
"""Different words up to which a task's words are its symbols."""
MOST_LABELS = 8
VERBALISERS = (
    ("A", "B", "C", "D", "E", "F", "G", "H"),
    ("north", "south", "east", "west", "up", "down", "left", "right"),
    ("red", "blue", "green", "white", "black", "yellow", "brown", "grey"),
    ("apple", "river", "stone", "cloud", "lamp", "horse", "paper", "wheel"),
    ("tav", "mip", "zog", "lun", "kef", "ral", "dax", "wib"),
)
"""Labels to stand for others; each set is as long as `MOST_LABELS`."""

Solve = Callable[[str], str | None]
"""A user's own rule: the output of an input, None where it has none."""
Renaming = Mapping[str, str]
"""The new symbol of each; others stay. Keys are words where any has two letters, else characters."""

_WORD = regex.compile(r"\w+")
_INTEGER = regex.compile(r"(?<![\w.,])[0-9]{1,9}(?![\w]|[.,][0-9])")


# -- symbols ----------------------------------------------------------------------------------------


def alphabet(task: FewShot[str]) -> tuple[tuple[str, ...], ...]:
    """The task's symbols in classes within which they may be exchanged; a class has at least two.

    Words, where at most 30 different ones make up the texts and come twice on average; else letters (their
    capitals alike) and, apart from them, digits.
    """
    texts = list(_texts(task))
    words = Counter(word for text in texts for word in _WORD.findall(text))
    if any(len(word) > 1 for word in words) and len(words) <= MOST_WORDS and 2 * len(words) <= words.total():
        classes = ([w for w in words if not w.isdecimal()], [w for w in words if w.isdecimal()])
    else:
        characters = dict.fromkeys("".join(texts))
        letters = dict.fromkeys(c.lower() for c in characters if _has_pair(c.lower()))
        classes = ([*letters], [c for c in characters if c in "0123456789"])
    return tuple(tuple(sorted(each)) for each in classes if len(each) > 1)


def renaming(task: FewShot[str], *seed: object) -> Renaming:
    """A bijection of the task's alphabet onto itself, drawn by `seed`; empty where it has none."""
    found: dict[str, str] = {}
    for number, symbols in enumerate(alphabet(task)):
        others = list(symbols)
        rng_for("rename", *seed, number).shuffle(others)
        found |= dict(zip(symbols, others, strict=True))
    return found


def rename(text: str, renaming: Renaming) -> str:
    """The text in the new symbols, capitals where they were."""
    if any(len(symbol) > 1 for symbol in renaming):
        return _WORD.sub(lambda match: renaming.get(match.group(), match.group()), text)
    return "".join(_renamed(character, renaming) for character in text)


def _renamed(character: str, renaming: Renaming) -> str:
    small = character.lower()
    if character in renaming or small not in renaming or small.upper() != character:
        return renaming.get(character, character)
    return renaming[small].upper()


def _has_pair(small: str) -> bool:
    """Whether it is a letter that a capital stands to, one to one: not ß, not ı."""
    capital = small.upper()
    return small.isalpha() and len(small) == len(capital) == 1 and capital != small == capital.lower()


def renamed(task: FewShot[str], *seed: object) -> FewShot[str] | None:
    """The task in new symbols drawn by `seed`, alike everywhere; None where there are none to exchange."""
    new = renaming(task, *seed)
    return mapped(task, lambda text: rename(text, new)) if new else None


def unrenaming(renaming: Renaming) -> Renaming:
    """The renaming that takes this one back."""
    return {new: old for old, new in renaming.items()}


# -- labels -----------------------------------------------------------------------------------------


def labels(task: FewShot[str]) -> tuple[str, ...]:
    """The outputs, where they are two to eight labels.

    Some of them come twice, none stands in its input as a word, and those of the tests are shown.
    """
    examples = (*task.demonstrations, *task.tests)
    found = Counter(example.output for example in examples)
    few = 2 <= len(found) <= MOST_LABELS and 3 * len(found) <= 2 * len(examples)
    shown = {example.output for example in task.demonstrations}
    if not few or shown != found.keys() or any(len(label.split()) > 4 for label in found):
        return ()
    return () if any(_stands_in(example.output, example.input) for example in examples) else tuple(found)


def _stands_in(label: str, text: str) -> bool:
    return regex.search(rf"(?<!\w){regex.escape(label)}(?!\w)", text) is not None


def relabelled(task: FewShot[str], *seed: object) -> FewShot[str] | None:
    """The task with other words for its labels, alike everywhere; None where its outputs are no labels."""
    old = labels(task)
    if not old:
        return None
    rng = rng_for("labels", *seed)
    new = dict(zip(old, rng.sample(rng.choice(VERBALISERS), len(old)), strict=True))
    shown, asked = (
        tuple(replace(example, output=new[example.output]) for example in part)
        for part in (task.demonstrations, task.tests)
    )
    return replace(task, demonstrations=shown, tests=asked)


# -- numbers ----------------------------------------------------------------------------------------


def check_rule(task: FewShot[str], solve: Solve) -> None:
    """`UsageError` where the user's rule says something else than a demonstration."""
    for number, example in enumerate(task.demonstrations, 1):
        if (found := solve(example.input)) != example.output:
            raise UsageError(
                f"{task.name}: the rule gives {found!r} for demonstration {number} in place of "
                f"{example.output!r}; correct the rule or the demonstration"
            )


def jittered(task: FewShot[str], solve: Solve, *seed: object) -> FewShot[str] | None:
    """The task with other whole numbers of the same lengths in its inputs, and outputs by `solve`.

    None where no input has a number, or the rule has no output for one of the new inputs.
    """
    rng = rng_for("jitter", *seed)

    def other(match: regex.Match[str]) -> str:
        digits = len(match.group())
        return str(rng.randint(10 ** (digits - 1) if digits > 1 else 0, 10**digits - 1))

    def solved(example: Example[str]) -> Example[str] | None:
        text = _INTEGER.sub(other, example.input)
        output = solve(text)
        return None if output is None else Example(text, output)

    if not any(_INTEGER.search(example.input) for example in task.demonstrations):
        return None
    shown = [solved(example) for example in task.demonstrations]
    asked = [solved(example) for example in task.tests]
    if None in shown or None in asked:
        return None
    return replace(task, demonstrations=tuple(filter(None, shown)), tests=tuple(filter(None, asked)))


# -- paraphrases ------------------------------------------------------------------------------------


def paraphrase_prompts(task: FewShot[str]) -> tuple[str, ...]:
    """For each demonstration, a document that breaks off where a model says its input in other words."""
    return tuple(restate_prompt("", example.input) for example in task.demonstrations)


def parse_paraphrases(task: FewShot[str], written: Iterable[str]) -> dict[str, str]:
    """From what the model wrote after each of the prompts: input → other words, where these are usable."""
    inputs = [example.input for example in task.demonstrations]
    found = ((text, parse_restate(text, answer)) for text, answer in zip(inputs, written, strict=True))
    return {text: other for text, other in found if other is not None}


def paraphrased(task: FewShot[str]) -> FewShot[str] | None:
    """The task with the inputs that have a paraphrase in its words; None where none has."""
    others = dict(task.paraphrases)
    shown, asked = (
        tuple(replace(example, input=others.get(example.input, example.input)) for example in part)
        for part in (task.demonstrations, task.tests)
    )
    changed = (shown, asked) != (task.demonstrations, task.tests)
    return replace(task, demonstrations=shown, tests=asked) if changed else None


# -- all of them ------------------------------------------------------------------------------------


def text_variants(
    task: FewShot[str],
    tools: Iterable[str] = (),
    *,
    seed: int = 0,
    solve: Solve | None = None,
) -> list[FewShot[str]]:
    """What a text task is trained on: each demonstration asked for in turn, as it is and by each tool.

    `jitter` needs the rule. A tool that finds nothing to change adds nothing.
    """
    tools = tuple(tools)
    if solve is not None and "jitter" in tools:
        check_rule(task, solve)

    def made(tool: str, plain: FewShot[str], *key: object) -> FewShot[str] | None:
        match tool:
            case "reorder":
                return shuffled(plain, *key)
            case "rename":
                return renamed(plain, *key)
            case "labels":
                return relabelled(plain, *key)
            case "jitter" if solve is not None:
                return jittered(plain, solve, *key)
            case "paraphrase":
                return paraphrased(plain)
            case _:
                raise UsageError(f"tool {tool!r}: not known, or without the rule that it needs")

    found: dict[FewShot[str], None] = {}
    for plain in leave_one_out(task):
        found[plain] = None
        for tool in tools:
            variants = (made(tool, plain, seed, plain.id, copy) for copy in range(COPIES))
            found |= dict.fromkeys(each for each in variants if each is not None)
    return list(found)


def _texts(task: FewShot[str]) -> Iterator[str]:
    for example in (*task.demonstrations, *task.tests):
        yield example.input
        yield example.output
