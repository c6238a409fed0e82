"""The small pieces: packed numbers, hashes, blobs, tables."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect

from selfedit.errors import StoreError
from selfedit.store import journal, sequence_text, text_hash, texts_of
from selfedit.store.blobs import Blobs
from selfedit.store.drafts import to_json
from selfedit.store.history import commit_id, commit_record
from selfedit.store.spans import highest, pack, unpack
from selfedit.types import Sequence, TrainingPlan


@given(st.lists(st.integers(0, 30) | st.integers(0, 10**12)))
def test_packed_numbers_come_back(numbers):
    assert unpack(pack(numbers)) == numbers
    assert highest(pack(numbers)) == max(numbers, default=0)


def test_runs_are_short():
    assert pack([*range(1, 50), 101, *range(51, 101)]) == "1-49,101,51-100"
    assert pack([3, 2, 1]) == "3,2,1"
    with pytest.raises(ValueError, match="invalid literal"):
        unpack("1;2")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=5), st.randoms())
def test_json_text_depends_on_the_value_alone(value, rng):
    shuffled = list(value.items())
    rng.shuffle(shuffled)
    assert to_json(dict(shuffled)) == to_json(value)
    assert to_json(value).isascii()


@given(st.text(), st.text())
def test_texts_and_pairs_have_names_of_their_own(prompt, completion):
    pair = sequence_text(Sequence(prompt, completion))
    assert text_hash(prompt) == hashlib.sha256(prompt.encode()).hexdigest()
    assert pair == sequence_text(Sequence(prompt, completion, 0.5))
    assert (text_hash(pair) == text_hash(sequence_text(Sequence(completion, prompt)))) == (
        prompt == completion
    )


def test_a_plan_s_texts_are_named_once_in_its_order():
    plan = TrainingPlan(("b", "a", "b", Sequence("p", "c")))
    assert texts_of(plan) == (text_hash("b"), text_hash("a"), text_hash('["p", "c"]'))


hashes = st.text("0123456789abcdef", min_size=4, max_size=4)
made_of = st.fixed_dictionaries(
    dict.fromkeys(("adapter", "head_trained_on", "plan", "time"), hashes) | {"parent": st.none() | hashes}
)
parts = st.fixed_dictionaries(
    {
        "commit_sources": st.lists(st.fixed_dictionaries({"path": hashes, "sha256": hashes}), max_size=2),
        "commit_tasks": st.lists(st.fixed_dictionaries({"task": hashes, "source": hashes}), max_size=2),
        "commit_edits": st.lists(st.fixed_dictionaries({"edit": hashes}), max_size=2),
        "commit_texts": st.lists(
            st.fixed_dictionaries({"text": hashes, "task": st.none() | hashes}), max_size=2
        ),
        "commit_probes": st.lists(st.fixed_dictionaries({"probe": hashes, "role": hashes}), max_size=2),
    }
)


@given(made_of, parts, st.sampled_from(["adapter", "head_trained_on", "plan", "parent"]), st.randoms())
def test_a_commit_s_id_depends_on_what_it_was_made_of(row, rows, changed, rng):
    shuffled = list(row.items())
    rng.shuffle(shuffled)
    assert commit_id(dict(shuffled), dict(reversed(rows.items()))) == commit_id(row, rows)
    assert commit_id({**row, changed: "other"}, rows) != commit_id(row, rows)
    assert commit_id({**row, "time": "later"}, rows) == commit_id(row, rows)
    for name in rows:
        more = [
            *rows[name],
            {"path": "x", "sha256": "x", "task": "x", "edit": "x", "text": "x", "probe": "x"},
        ]
        assert commit_id(row, {**rows, name: more}) != commit_id(row, rows)


@given(made_of, parts)
def test_a_commit_s_record_depends_on_all_that_stands_about_it(row, rows):
    record = commit_record(row, rows)
    assert commit_record({**row, "time": "later"}, rows) != record
    assert commit_record({**row, "a_column_of_later_versions": None}, rows) == record
    assert commit_record({**row, "record": record}, rows) == record


def test_blobs_are_named_by_their_bytes(tmp_path):
    blobs = Blobs(tmp_path)
    digest = hashlib.sha256(b"weights").hexdigest()
    assert blobs.add(b"weights") == blobs.add(b"weights")
    assert blobs.path(digest) == tmp_path / digest[:2] / f"{digest}.safetensors"
    assert blobs.read(digest) == b"weights"
    assert blobs.problem(digest) is None
    assert len(list(tmp_path.rglob("*.*"))) == 1
    blobs.path(digest).write_bytes(b"weightz")
    assert blobs.read(digest, verify=False) == b"weightz"
    with pytest.raises(StoreError, match="damaged"):
        blobs.read(digest)
    blobs.add(b"weights")
    assert blobs.problem(digest) is None
    with pytest.raises(StoreError, match="reading an adapter"):
        blobs.read("0" * 64)


def test_the_migrations_make_the_tables_that_the_code_speaks_of(store, engine):
    found = inspect(engine)
    assert set(found.get_table_names()) == {*journal.METADATA.tables, "migrations"}
    for name, table in journal.METADATA.tables.items():
        columns = {each["name"]: each["type"]._type_affinity for each in found.get_columns(name)}
        assert list(columns) == [each.name for each in table.columns]
        assert columns == {each.name: each.type._type_affinity for each in table.columns}
        assert found.get_pk_constraint(name)["constrained_columns"] == [
            each.name for each in table.primary_key
        ]
