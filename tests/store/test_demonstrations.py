"""Tasks of demonstrations in the journal: they come back as they were, and are no passages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfedit.store import Store
from selfedit.types import Example, FewShot, SelfEdit, Task

GRIDS: FewShot[Any] = FewShot(
    "turn", (Example(((1, 2), (3, 4)), ((3, 1), (4, 2))),), (Example(((5,),), ((5,),)),), "arc1:training"
)
TEXTS: FewShot[Any] = FewShot(
    "case", (Example("a", "A"), Example('"b"', '"B"')), (Example("ü", "Ü"),), "x.jsonl"
)


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    passage = Task("A title", "[1, 2, 3]")
    with Store.create(tmp_path / "store", base="fake", weights="w", dtype="float32") as store:
        store.record_demonstrations([GRIDS, TEXTS])
        store.record_demonstrations([TEXTS])
        store.record_tasks([passage])
        store.record_edits(
            [SelfEdit(each.id, "few-shot", "{}", (), {"epochs": 2}) for each in (GRIDS, TEXTS)]
        )
        found = store.demonstrations([GRIDS.id, TEXTS.id, passage.id, "unknown"])
        assert store.verify().ok
    assert found == {GRIDS.id: GRIDS, TEXTS.id: TEXTS}
    assert [each.source for each in found.values()] == ["arc1:training", "x.jsonl"]
    assert found[GRIDS.id].kind == "arc"


@pytest.mark.parametrize(
    "body", ["", "[]", '{"tests": []}', '{"demonstrations": [[1]], "tests": [], "source": ""}']
)
def test_what_only_looks_like_one_is_left_out(tmp_path: Path, body: str) -> None:
    passage = Task("case", body)
    with Store.create(tmp_path / "store", base="fake", weights="w", dtype="float32") as store:
        store.record_tasks([passage])
        assert store.demonstrations([passage.id]) == {}
        assert store.known_tasks([passage.id]) == {passage.id: passage}
