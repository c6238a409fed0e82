"""The page of a store: whole, safe, the same each time, and readable without a network or a script."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from selfedit.report.found import About, Found
from selfedit.report.gathering import gather
from selfedit.report.page import TITLES, render
from selfedit.store import Store

from .conftest import NASTY

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
VOID = {"meta", "br", "input", "link", "img", "hr", "path", "use"}
ENDS_ITSELF = {"td", "th", "tr", "li", "thead", "tbody", "p", "dt", "dd"}


class Reader(HTMLParser):
    """The elements of a page, its text, and every place that it would load something from."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.labels: list[str] = []
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("aria-labelledby", "for"):
                self.labels.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "srcset") and not (value or "").startswith(
                "#"
            ):
                self.loads.append(value or "")
            if name.startswith("on"):
                self.wrong.append(f"{tag} {name}")
        if tag not in VOID | ENDS_ITSELF:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID | ENDS_ITSELF:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID | ENDS_ITSELF:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(whole: Path) -> str:
    with Store.open(whole) as store:
        return render(gather(store), WHEN)


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


def test_every_section_is_there_and_every_element_ends(read: Reader) -> None:
    assert read.wrong == []
    assert read.open == []
    elsewhere = {"configurations", "demonstrations", "streams", "held"}
    assert {each for each in TITLES if each not in read.ids} == elsewhere, "this store has none of them"
    assert read.tags.count("svg") == 5


def test_ids_are_unique_and_labels_lead_to_one(read: Reader, page: str) -> None:
    assert len(read.ids) == len(set(read.ids))
    assert sorted(set(read.labels) - set(read.ids)) == []
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', page))
    assert sorted(used - set(read.ids)) == []


def test_nothing_is_loaded_from_anywhere(read: Reader, page: str) -> None:
    assert read.loads == []
    assert not re.search(r"@import|url\((?!#)", page)
    assert not re.search(r"https?://(?!www\.w3\.org/)", page)
    assert "default-src 'none'" in page


def test_what_looks_like_markup_is_text(read: Reader, page: str) -> None:
    assert page.count("<script") == 1
    assert NASTY not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert any(NASTY in text for text in read.text)


def test_every_figure_says_what_it_shows(page: str) -> None:
    figures = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    assert len(figures) == 5
    for number, figure in enumerate(figures, 1):
        assert re.search(r"<title id=[^>]*>[^<]{20,}</title>", figure)
        assert f"<b>Figure {number}.</b>" in figure
        assert "DejaVu" not in figure
        assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", figure) == [], "a colour that no theme can change"
    assert {"var(--blue)", "var(--red)", "var(--ink)"} <= set(re.findall(r"var\(--\w+\)", "".join(figures)))


def test_passages_stand_once_with_questions_answers_and_verdicts(page: str) -> None:
    assert page.count("and it burns oil pressed from the seed of Library flax.") == 1
    assert page.count("Who keeps the lamp of Library?") == 2, "asked, and among gold's training sequences"
    assert "✓ right" in page
    assert "✗ wrong" in page
    assert page.count('<details class="item">') == 8 + 2 + len(re.findall("<b>Old ", page)) + 3 + 2


def test_rounds_say_what_was_kept_and_by_which_adapter(whole: Path, page: str) -> None:
    with Store.open(whole) as store:
        (run,) = store.runs()
        rounds = store.rounds(run.id)
    for each in rounds:
        assert each.adapter
        assert f'title="{each.adapter}"' in page
    kept = sum(edit["weight"] > 0 for each in rounds for edit in each.record["tried"])
    assert page.count('<details class="way kept">') == kept > 0


def test_equal_stores_give_equal_pages(whole: Path, page: str) -> None:
    with Store.open(whole) as store:
        assert render(gather(store), WHEN) == page
        later = render(gather(store), WHEN.replace(year=2027))
    assert later != page
    assert later.replace("2027-01-02", "2026-01-02") == page


def test_an_empty_store_says_so() -> None:
    page = render(Found(About("memory", "tiny", "f" * 64, "float32", "2026-01-01T00:00:00+00:00")), WHEN)
    assert "Nothing has been learned or measured in this store yet." in page
    assert "<section" not in page
    assert Reader(page).open == []


def test_control_characters_and_half_pairs_do_no_harm(whole: Path) -> None:
    about = About("me\x00mory\ud800", "tiny\x1b[1m", "f" * 64, "float32", "2026-01-01T00:00:00+00:00")
    page = render(Found(about), WHEN)
    assert "\x00" not in page
    assert "\x1b" not in page
    assert "me\ufffdmory" in page


def test_colours_are_readable_in_light_and_dark() -> None:
    css = (Path(__file__).parents[2] / "src/selfedit/report/templates/style.css").read_text()
    for block in re.findall(r"\{(--paper:[^}]*)\}", css):
        colours = dict(re.findall(r"--(\w+):(#\w+)", block))
        for name in ("ink", "faint", "blue", "red", "green"):
            for ground in ("paper", "wash"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground, block)


def contrast(one: str, other: str) -> float:
    """As the Web Content Accessibility Guidelines 2.1 define it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
