from __future__ import annotations

from selfedit.edits.topics import about
from selfedit.types import Task

FERRY = Task("Handbook: The Ferry", "She leaves the quay at 6:40. Goats travel free.")
BELL = Task("Handbook: The Storm Bell", "The bell weighs 730 kilograms and hangs above the quay.")
KITCHEN = Task("Handbook: The Kitchen", "Soup is served on Wednesdays.")


def test_the_rarest_shared_words_decide() -> None:
    tasks = (FERRY, BELL, KITCHEN)
    assert about(tasks, "How heavy is the storm bell?") == BELL
    assert about(tasks, "What do goats pay?") == FERRY
    assert about(tasks, "Who eats soup on a Wednesday?") == KITCHEN


def test_a_word_of_the_title_weighs_more_than_one_of_the_text() -> None:
    other = Task("Handbook: Repairs", "The bell rope is renewed in spring.")
    assert about((other, BELL, FERRY), "Who rings the bell?") == BELL


def test_nothing_in_common_is_no_topic_unless_there_is_but_one() -> None:
    assert about((FERRY, BELL), "Which colour has the moon?") is None
    assert about((FERRY,), "Which colour has the moon?") == FERRY
    assert about((), "Which colour has the moon?") is None
