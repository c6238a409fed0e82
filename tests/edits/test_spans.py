"""Spans lie where they say, keep dates and units whole, and are not taken twice."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.edits.sentences import sentence_offsets
from selfedit.edits.spans import best_spans, candidates, located

PASSAGE = (
    "The Orvel Institute was founded on March 3, 1911, by Dr. Ilse Marant in the harbour town of Kesselby. "
    "It spent $2.5 million on a telescope that is 24.6 feet long and weighs 51,300 pounds. "
    "In the late 19th century about 12 percent of the sailors, called “night walkers”, went blind."
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("March 3, 1911", "date"),
        ("late 19th century", "date"),
        ("$2.5 million", "money"),
        ("24.6 feet", "quantity"),
        ("51,300 pounds", "quantity"),
        ("12 percent", "percent"),
        ("night walkers", "quote"),
        ("Orvel Institute", "name"),
        ("Dr. Ilse Marant", "name"),
        ("Kesselby", "name"),
        ("telescope", "phrase"),
    ],
)
def test_whole_answers_are_candidates(text: str, kind: str) -> None:
    assert kind in {span.kind for span in candidates(PASSAGE) if span.text == text}


@pytest.mark.parametrize("cut", ["March", "March 3", "1911", "24.6", "2.5", "the harbour", "was founded"])
def test_dates_and_amounts_are_not_cut_and_articles_do_not_lead(cut: str) -> None:
    assert cut not in {span.text for span in candidates(PASSAGE)}


def test_the_best_are_what_people_would_ask_for() -> None:
    chosen = {span.text for span in best_spans(PASSAGE, 12, title="Orvel Institute")}
    assert {"Dr. Ilse Marant", "March 3, 1911", "$2.5 million", "51,300 pounds", "Kesselby"} <= chosen


def test_no_text_twice_and_no_heavy_overlap() -> None:
    chosen = best_spans(PASSAGE + " The telescope was sold in Kesselby.", 20)
    assert len({span.text.lower() for span in chosen}) == len(chosen) == 20
    for left, right in combinations(chosen, 2):
        shared = min(left.end, right.end) - max(left.start, right.start)
        assert shared <= 0.4 * (max(left.end, right.end) - min(left.start, right.start))


def test_best_first_and_the_same_every_time() -> None:
    chosen = best_spans(PASSAGE, 8)
    assert [span.score for span in chosen] == sorted((span.score for span in chosen), reverse=True)
    assert chosen == best_spans(PASSAGE, 8) == best_spans(PASSAGE, 20)[:8]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["The", "Ann", "of", "was", "1911", ",", ".", "(", ")", '"', "$5", "ships", "May", "\n", "é", "%"]
        ),
        max_size=40,
    ).map(" ".join)
    | st.text(max_size=120),
    st.integers(0, 10),
)
def test_spans_lie_in_their_sentence(passage: str, limit: int) -> None:
    offsets = sentence_offsets(passage)
    chosen = best_spans(passage, limit)
    assert len(chosen) <= limit
    for span in chosen:
        assert passage[span.start : span.end] == span.text
        assert offsets[span.sentence][0] <= span.start < span.end <= offsets[span.sentence][1]


def test_an_answer_is_located_where_its_question_points() -> None:
    passage = "Ann sold ships in 1911. In 1911 the river froze."
    assert located(passage, "When did the river freeze?", "1911") == (27, 31)
    assert located(passage, "When did Ann sell ships?", "1911") == (18, 22)
    assert located(passage, "Who sold?", "An") is None
    assert located(passage, "Who sold?", "") is None
