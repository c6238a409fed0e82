from __future__ import annotations

import time

import pytest

from selfedit.tasks import _html
from selfedit.tasks._markup import Box, events, settled, tree

SIZE = 200_000
SECONDS = 12.0
"""Each case takes about one; where a step looks through the page again it takes a minute or more."""

HOSTILE = {
    "tags without an end": "<a" * (SIZE // 2),
    "quotes without an end": '<a b="' * (SIZE // 6),
    "comments without an end": "<!--x>" * (SIZE * 4 // 6),
    "menus in menus": "<nav>" * (SIZE // 5),
    "lists in lists": "<ul>" * (SIZE // 4),
    "tables in boxes": "<div><table>" * (SIZE // 12),
    "lists in lists around a heading": "<ul><li>x" * (SIZE // 9) + "<h1>x</h1>",
    "rows in rows": "<table>" + "<tr><td>x" * (SIZE // 9),
}


def shape(box: Box) -> list[object]:
    return [shape(child) if isinstance(child, Box) else child for child in box.children]


@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_page_takes_no_longer_than_its_length(page: str) -> None:
    began = time.process_time()
    _html.parse(page)
    assert time.process_time() - began < SECONDS


def test_what_begins_nothing_is_a_character() -> None:
    assert settled("<p>a < b</p> <a <b") == "<p>a < b</p> &lt;a &lt;b"
    assert settled("<!-- x --><!-- y>") == "<!-- x -->&lt;!-- y>"
    assert settled("&#65; &#x41; &# &#x; &#12b;") == "&#65; &#x41; &amp;# &amp;#x; &amp;#12b;"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>cut off <a href=", "cut off <a href="),
        ("<p>one &# two &# three <b>four</b>", "one &# two &# three four"),
        (f"<p title='&#{'9' * 5000};'>x", "x"),
        ("<p><![if x]>shown<![endif]> <![what[ never ]>x", "shown x"),
        ("<p>AT&T &copy 2020 &region=2 &#150;", "AT&T © 2020 &region=2 –"),
    ],
)
def test_odd_markup_is_read_as_text(page: str, text: str) -> None:
    assert _html.parse(page) == ("", [text])


def test_an_end_tag_closes_all_within_its_box_and_a_stray_one_nothing() -> None:
    assert shape(tree("<p>a<b>b<i>c</p>d</i>e<br>f</br>g").root) == [
        ["a", ["b", ["c"]]],
        "d",
        "e",
        [],
        "f",
        "g",
    ]


def test_a_box_tells_what_it_holds_and_what_is_hidden_is_not_there() -> None:
    page = tree("<div><p><h2>x</h2></p><p hidden><table></table><h1>y</h1></p></div>")
    box = next(node for _, node in events(page.root) if isinstance(node, Box))
    assert (box.name, box.holds, page.heading) == ("div", frozenset(("h2",)), None)


def test_rows_and_cells_that_are_left_open_end_where_the_next_begins() -> None:
    page = "<table><tr><th>Who<th>Limit<tr><td>Al<td>500<tr><td>Bo<td>90</table>"
    assert _html.parse(page)[1] == ["Who: Al; Limit: 500\nWho: Bo; Limit: 90"]
