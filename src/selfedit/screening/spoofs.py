"""Forms that only programs write: chat tokens, and rows in the form that questions are trained in.

What is set as code is a text about such forms, and less sure.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page

_REMEDY = "write it as code (between backticks) if the text is about it, else take it out"
_ROW_REMEDY = "give questions of your own in a file with --questions"

_FORMS = (
    (r"<\|[a-z_0-9 ]{2,40}\|>", "a token of a chat template", 0.95),
    (
        r"(?i)<(?:start_of_turn|end_of_turn|begin_of_text|end_of_text|eos|bos)>",
        "a token of a chat template",
        0.95,
    ),
    (r"(?i)</?(?:system|assistant|human|system_?prompt)>", "a role's tag", 0.6),
    (r"\[/?INST\]|<</?SYS>>", "a token of a chat template", 0.95),
    (r"</s>\s*<s>|</s>\s*\[|</s>(?=\s*(?:\n|$))", "an end-of-text token", 0.8),
    (
        r"(?im)^#{2,4} ?(?:instruction|response|system|assistant|human|user)s?:?\s*$",
        "headings of a training format",
        0.8,
    ),
    (r"(?i)\{\s*\"role\"\s*:\s*\"(?:system|assistant|developer|tool)\"\s*,", "messages of a chat API", 0.9),
    (
        r"(?im)^(?:\s*\[?(?:system|assistant)\]?\s*:\s)(?=.*\b(?:you are|you must|ignore)\b)",
        "a forged turn",
        0.8,
    ),
)
_ROW = regex.compile(r"(?m)^[ \t]*Topic: [^\n]{1,120}\.[ ][^\n]{3,300}\n[ \t]*(?:Answer|Text):[^\n]*")
_PATTERNS = tuple((regex.compile(form), what, sure) for form, what, sure in _FORMS)


def spoofs(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each such form, and each row in a form that questions are asked in (`ask_prompt`, `recite_prompt`)."""
    for pattern, what, sure in _PATTERNS:
        for match in pattern.finditer(page.text):
            shown = 0.3 if page.in_code(*match.span()) else sure
            yield Finding("spoof", what, *match.span(), shown, _REMEDY, "", quoted(match[0]))
    for match in _ROW.finditer(page.text):
        yield Finding(
            "spoof", "a row in the form that questions are trained in", *match.span(), 0.9, _ROW_REMEDY, "",
            quoted(match[0]),
        )  # fmt: skip
