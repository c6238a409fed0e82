"""The grader that ships, by words: kinds of answers that it must tell right from wrong."""

from __future__ import annotations

import pytest

from selfedit.rewards.local import LocalGrader, fitted
from selfedit.types import GradeRequest, Verdict

WHO, MANY, WHEN = "Who keeps the lamp?", "How many boats lay there?", "When was it lit?"
RIGHT = [
    (MANY, "twelve", "12"),
    (MANY, "12", "There were twelve boats."),
    (MANY, "1,200", "1200 people"),
    (MANY, "2 million", "2,000,000"),
    (WHEN, "July 11, 1962", "11 July 1962"),
    (WHEN, "1962", "It was lit in 1962."),
    ("How long is it?", "85 minutes", "about 85 minutes"),
    ("How much is it?", "40%", "40 percent"),
    (WHO, "Arthur H. Compton", "Arthur Holly Compton"),
    (WHO, "Tobiah Renwick", "Tobiah Renwick keeps the lamp."),
    ("In what country?", "UK", "the United Kingdom"),
    ("Whose is it?", "European Central Bank", "ECB"),
    ("What does the shop sell?", "salt, oil and rope", "oil, rope and salt"),
    ("Is the ferry free?", "yes", "Yes, it is."),
    ("Is the ferry free?", "no", "No, one pays."),
    (WHO, "Tobiah Renwick", "Tobiah Renwick\n\nQuestion: Who keeps the oil?\nAnswer: Odalys Brandt"),
    (WHO, "İlkay Işık", "ilkay ışık"),
    (WHO, "İlkay Işık", "ILKAY IŞIK"),
    ("من يحرس المصباح؟", "طارق", "طارق"),
    (WHO, "???", "???"),
]
WRONG = [
    (MANY, "12", "There were 14 boats."),
    (WHEN, "July 11, 1962", "July 12, 1962"),
    (WHEN, "1962", "It was lit in 1926."),
    ("How long is it?", "85 minutes", "85 hours"),
    (WHO, "Tobiah Renwick", "Tobiah Brandt"),
    (WHO, "Tobiah Renwick", "Odalys Brandt"),
    ("What does the shop sell?", "salt, oil and rope", "salt"),
    ("Was it lit?", "it was lit", "It was not lit."),
    ("Is the ferry free?", "yes", "No."),
    (WHO, "Tobiah Renwick", "Odalys Brandt\n\nQuestion: Who keeps the oil?\nAnswer: Tobiah Renwick"),
    (
        WHO,
        "Tobiah Renwick",
        "Anna Osk, Odalys Brandt, Tobiah Renwick, Perrin Vale, Isaura Quill, Margit Holm",
    ),
    (WHO, "Tobiah Renwick", ""),
    (WHO, "Tobiah Renwick", "🙂🙂"),
    ("من يحرس المصباح؟", "طارق", "سليم"),
    (WHO, "???", "Tobiah"),
]


def verdict(question: str, gold: str, said: str) -> bool:
    (found,) = LocalGrader(fitted()).grade([GradeRequest(question, gold, said)])
    assert isinstance(found, Verdict)
    return found.correct


@pytest.mark.parametrize(("question", "gold", "said"), RIGHT)
def test_right(question: str, gold: str, said: str) -> None:
    assert verdict(question, gold, said)


@pytest.mark.parametrize(("question", "gold", "said"), WRONG)
def test_wrong(question: str, gold: str, said: str) -> None:
    assert not verdict(question, gold, said)
