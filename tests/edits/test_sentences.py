"""Where sentences end, as a table; and that no word is lost."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.sentences import sentence_offsets, sentences


@pytest.mark.parametrize(
    "text",
    [
        "Dr. J. R. Smith met Mr. Jones at 5 p.m. on Monday.|They left at 6 p.m.|The car broke.",
        "It cost 24.6 million.|That is £3.5 a head.|No. 5 was free.",
        '"Why?" he asked.|"I cannot say."|She left.',
        "World War I.|The end came soon.",
        "In the U.S. Army he served.|He lived in the U.S.|The rest moved.",
        "Am 3. Oktober 1990 war es so.|Danach kam z.B. Herr Dr. Müller.",
        "¿Qué pasa?|Nada.|¡Vamos!",
        "2. Dünya Savaşı bitti.|Sonra 19. yüzyıl geldi.",
        "A. B. Yehoshua wrote.|At the age of 42.|He died.",
        "Some (melted near a crater.)|All samples!|Really?!|Yes...|Well.",
        "See Fig. 3 in Smith et al. 2003.|Then no.|It was no. 5.[2]|Good.",
        "He said: “I came. I saw.”|Then he left (it was late. He was tired.) for good.",
        "The firm (Acme Inc. of Leith) closed.|St. Andrews is a town.",
        "Heat, light, e.g. from the sun, etc. are needed.|It grew.",
    ],
)
def test_table(text: str) -> None:
    assert sentences(text.replace("|", " ")) == tuple(text.split("|"))


def test_blank_lines_and_list_items_divide_but_wrapped_lines_do_not() -> None:
    text = "A heading\n\nHard wrapped\ntext goes on. Next one\n- item one\n- item two"
    assert sentences(text) == (
        "A heading",
        "Hard wrapped text goes on.",
        "Next one",
        "- item one",
        "- item two",
    )


@given(st.text())
def test_every_word_is_in_exactly_one_sentence(text: str) -> None:
    assert " ".join(sentences(text)).split() == text.split()


@given(st.text(alphabet="aB. \n\"()?!1'“”"))
def test_offsets_rise_and_have_no_white_space_at_their_ends(text: str) -> None:
    offsets = sentence_offsets(text)
    assert all(a < b <= c for (a, b), (c, _) in pairwise(offsets))
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in offsets)


@pytest.mark.parametrize("piece", ["a. ", "a.", ".", "!x", "(", '"A. ', "A. B. ", "x", "\n\n", "[1]"])
def test_long_texts_take_no_quadratic_time(piece: str) -> None:
    begun = time.process_time()
    sentences(piece * 20_000)
    assert time.process_time() - begun < 5
