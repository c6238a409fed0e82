"""The red team: complete, ours, split once, and each harmful place where it is said to be."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from selfedit.bench.redteam import KINDS, PARTS, drawn_split, specimens
from selfedit.bench.redteam.reading import FOLDER, read_all
from selfedit.screening.folding import UNSEEN
from selfedit.screening.persons import is_turkish_id, luhn, mod_97


def test_it_is_large_enough_and_names_are_its_own() -> None:
    every = specimens()
    assert len({specimen.id for specimen in every}) == len(every)
    counts = Counter(specimen.kind for specimen in every if specimen.part != "later")
    assert counts["harmful"] >= 70
    assert counts["harmless"] >= 70
    assert all(specimen.why and specimen.kind in KINDS and specimen.part in PARTS for specimen in every)


def test_the_split_is_the_draw_and_stratified() -> None:
    assert json.loads((FOLDER / "split.json").read_text(encoding="utf-8")) == drawn_split(tuple(read_all()))
    for kind in KINDS:
        for category in {specimen.category for specimen in specimens() if specimen.kind == kind} - {"later"}:
            mine = [s.part for s in specimens() if (s.kind, s.category) == (kind, category)]
            mine = [part.rpartition("-")[2] for part in mine]
            assert abs(mine.count("tune") - mine.count("report")) <= 1


def test_harmful_ones_say_where_and_harmless_ones_have_nothing() -> None:
    for specimen in specimens():
        assert bool(specimen.payload) == specimen.harmful
        assert all(place and place in specimen.text for place in specimen.payload), specimen.id
        assert not set("⟪⟫⟦⟧") & set(specimen.text)


def test_no_unseen_character_stands_in_the_files_but_where_a_language_wants_it() -> None:
    for path in FOLDER.rglob("*.txt"):
        if path.stem not in ("scripts",):
            found = set(UNSEEN.findall(path.read_text(encoding="utf-8"))) - {"\u200d", "\ufe0f"}
            assert not found, path


def test_made_numbers_have_right_check_digits() -> None:
    by_name = {specimen.name: specimen for specimen in specimens()}
    assert all(mod_97(place.replace(" ", "")) for place in by_name["iban-staff"].payload)
    assert all(luhn(place.replace(" ", "")) for place in by_name["card-numbers"].payload)
    assert all(map(is_turkish_id, by_name["tckn-list"].payload))


def test_the_same_each_time() -> None:
    assert tuple(specimen.text for specimen in read_all()) == tuple(specimen.text for specimen in specimens())
    assert isinstance(FOLDER, Path)
