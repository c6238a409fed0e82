"""The labelled pairs are what they say they are."""

from __future__ import annotations

from selfedit.bench.conflicts import HARMLESS, LABELS, PARTS, drawn_half, pairs
from selfedit.bench.conflicts.reading import APART

YES_OR_NO = ("yes", "no", "none", "ja", "nein", "evet", "hayır")


def test_enough_pairs_of_every_label_in_both_halves() -> None:
    for part in PARTS[:2]:
        mine = pairs(part)
        assert len(mine) >= 100
        for label in LABELS:
            assert sum(pair.label == label for pair in mine) >= 10


def test_halves_are_as_drawn_and_share_no_old_passage() -> None:
    olds = [pair.old for pair in pairs() if pair.old.kind not in APART]
    drawn = drawn_half(olds)
    assert {old.task.title for old in olds if old.part == "report"} == drawn
    assert len(drawn) == len({old.task.title for old in olds}) / 2


def test_a_changed_question_is_named_where_and_only_where_there_is_one() -> None:
    for pair in pairs():
        assert (pair.changed is None) is (pair.label in HARMLESS)


def test_answers_stand_in_the_old_passage() -> None:
    for old in {pair.old for pair in pairs()}:
        for probe in old.task.probes:
            assert probe.answer in YES_OR_NO or probe.answer.lower() in old.task.passage.lower()


def test_no_pair_is_there_twice() -> None:
    keys = [(pair.old.task.title, pair.new.passage) for pair in pairs()]
    assert len(keys) == len(set(keys))
