"""Recipes as people write them: read, refused in one line, written and read again."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.config import DEFAULT, ROWS, Recipe, Training
from selfedit.config.recipe import Judge
from selfedit.edits import FORMATS
from selfedit.errors import UsageError
from selfedit.recipes import dump_recipe, load_recipe, parse_recipe, shipped
from selfedit.rewards import MEASURES

ROOT = Path(__file__).parents[2]


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as raised:
        parse_recipe(text, "x.yaml")
    line = str(raised.value)
    assert "\n" not in line
    return line


# -- those that ship --------------------------------------------------------------------------------------


def test_the_small_one_is_the_defaults_and_looks_at_its_choices() -> None:
    held = load_recipe("knowledge-smollm2")
    assert held.judge.held_out == (2,)
    assert held.id == Recipe().id
    assert held == Recipe(judge=Judge(held_out=(2,)))


def test_the_published_settings() -> None:
    recipe = load_recipe("knowledge-qwen2.5-7b")
    inner = Training(rank=32, alpha=64, learning_rate=1e-3, epochs=10, batch_size=1, least_steps=0, warmup=0)
    outer = Training(rank=64, alpha=128, learning_rate=3e-4, epochs=2, batch_size=10, least_steps=0, warmup=0)
    assert (recipe.apply, recipe.report.training, recipe.reinforce.training) == (inner, inner, outer)
    assert (recipe.rounds, recipe.data.passages, recipe.write.samples) == (2, 50, 5)
    assert (len(recipe.judge.seeds), recipe.select.keep, recipe.select.method) == (3, 1, "best")
    assert (recipe.write.formats, recipe.write.temperature) == (("implications",), (1.0,))


def test_they_are_found_and_in_the_package() -> None:
    assert shipped() == [
        *("arc-llama-3.2-1b", "arc-smollm2", "knowledge-qwen2.5-7b"),
        *("knowledge-smollm2", "knowledge-smollm2-grpo", "knowledge-smollm2-recited", "text-smollm2"),
    ]
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["src/selfedit"]}, "data files would have to be named"
    assert len({load_recipe(name).id for name in shipped()}) == len(shipped())


def test_grpo_is_set_beside_rest_em_on_the_same_trials() -> None:
    one, other = load_recipe("knowledge-smollm2-recited"), load_recipe("knowledge-smollm2-grpo")
    assert (one.reinforce.method, other.reinforce.method) == ("rest-em", "grpo")
    for part in ("base", "seed", "data", "write", "apply"):
        assert getattr(one, part) == getattr(other, part), part
    assert one.judge.weights == other.judge.weights
    assert (*one.judge.seeds, *one.judge.held_out) == other.judge.seeds
    assert one.reinforce.training == other.reinforce.training
    assert one.report.training == other.report.training


def test_what_is_recited_is_set_beside_what_is_not() -> None:
    one, other = load_recipe("knowledge-smollm2"), load_recipe("knowledge-smollm2-recited")
    assert (one.write.recite, other.write.recite) == (False, True)
    assert one.report.training == other.report.training == DEFAULT.final
    assert one.apply == DEFAULT.candidate
    assert other.apply.rank == one.apply.rank
    assert (one.write.spans, other.write.spans) == (DEFAULT.spans, DEFAULT.spans)


# -- by name and by path ----------------------------------------------------------------------------------


def test_a_file_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("\ufeffrounds: 3\r\nwrite: {samples: 4}\r\n", encoding="utf-8")
    assert (
        load_recipe(path)
        == load_recipe(str(path))
        == Recipe.model_validate({"rounds": 3, "write": {"samples": 4}})
    )


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("knowledge", "no recipe knowledge; choose among arc-llama-3.2-1b, arc-smollm2, knowledge-qwen2.5"),
        ("knowledge.yaml", "No such file or directory; name a file, or one of arc-llama-3.2-1b"),
        ("knowledge-qwen2.5-8b", "No such file or directory; name a file, or one of arc-llama-3.2-1b"),
        ("./knowledge-smollm2", "No such file"),
        (Path("knowledge-smollm2"), "No such file"),
        ("/", "Is a directory"),
        ("a\nb.yaml", "recipe 'a\\nb.yaml': No such file"),
        ("a\0b.yaml", "null"),
        ("", "no recipe ''"),
        ("a" * 300 + ".yaml", "File name too long"),
    ],
)
def test_a_recipe_that_there_is_not(name: str | Path, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_recipe(name)
    assert what in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("data", "what"), [(b"\xff\xfe", "no UTF-8 text"), (b"#" * 70_000, "longer than 64000 bytes")]
)
def test_a_file_that_is_none(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=what):
        load_recipe(path)


# -- what is wrong, named ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("select:\n  kep: 1", "line 2: select.kep: no such key; did you mean keep?"),
        ("rouds: 1", "line 1: rouds: no such key; did you mean rounds?"),
        ("samples: 3", "line 1: samples: no such key; did you mean write.samples?"),
        ("select: {zzz: 3}", "line 1: select.zzz: no such key; choose among method, keep, shrink, beat"),
        ("'a\\nb': 1", "line 1: 'a\\\\nb': no such key; choose among base, seed, "),
        ("reinforce:\n  training:\n    rnk: 3", "line 3: reinforce.training.rnk: no such key; did you mean"),
        ("judge:\n  rewards: [{nam: gain}]", "line 2: judge.rewards[0].nam: no such key; did you mean name?"),
        ("judge:\n  rewards: [{weight: 1}]", "line 2: judge.rewards[0].name: is missing; give it"),
        ("judge:\n  rewards:\n  - name: gain\n  - name: gian", "line 4: judge.rewards[1].name: is gian; "),
        ("judge:\n  rewards: [{name: gain, weight: 0}]", "line 2: judge.rewards: weights nothing; "),
        ("judge: {rewards: [gain]}", "line 1: judge.rewards[0]: is gain; give a group of keys"),
        ("\nrounds: 0", "line 2: rounds: is 0; choose at least 1"),
        ("rounds: 101", "line 1: rounds: is 101; choose at most 100"),
        ("rounds: '2'", "line 1: rounds: is '2'; give a whole number"),
        ("rounds: 2.0", "line 1: rounds: is 2.0; give a whole number"),
        ("rounds: true", "line 1: rounds: is true; give a whole number"),
        ("rounds: null", "line 1: rounds: is null; give a whole number"),
        ("rounds: {a: 1}", 'line 1: rounds: is {"a": 1}; give a whole number'),
        (f"seed: {'9' * 200}", f"line 1: seed: is {'9' * 39}…; choose at most 2147483647"),
        ("apply: 3", "line 1: apply: is 3; give a group of keys"),
        ("apply: {learning_rate: fast}", "line 1: apply.learning_rate: is fast; give a number"),
        ("apply: {learning_rate: .nan}", "line 1: apply.learning_rate: is NaN; give a finite number"),
        ("apply: {learning_rate: 1e999}", "line 1: apply.learning_rate: is Infinity; give a finite number"),
        ("apply: {alpha: 0}", "line 1: apply.alpha: is 0; choose more than 0"),
        ("write: {bandit: yes}", "line 1: write.bandit: is yes; give true or false"),
        ("write: {temperature: hot}", "line 1: write.temperature: is hot; give a number, or a list of"),
        ("write: {temperature: [1, 3]}", "line 1: write.temperature[1]: is 3; choose at most 2"),
        ("write: {temperature: []}", "line 1: write.temperature: is []; choose at least 1 of them"),
        ("write: {formats: rewrite}", "line 1: write.formats: is rewrite; give a list"),
        ("write: {formats: [rewrit]}", "line 1: write.formats[0]: is rewrit; did you mean rewrite?"),
        ("write: {formats: [rewrite, rewrite]}", "write.formats: is [\"rewrite\", \"rewrite\"]; "),
        ("write: {formats: [./gone.txt]}", "line 1: write.formats[0]: template gone.txt: No such file"),
        (f"write: {{formats: [{'a' * 600}]}}", "File name too long: name a template file"),
        ("judge: {grader: oracle}", "line 1: judge.grader: is oracle; choose among rules, words, "),
        ("judge: {seeds: [0, 1, 0]}", "line 1: judge.seeds: is [0, 1, 0]; 0 is there twice; leave one"),
        ("judge:\n  seeds:\n    - 0\n    - -1", "line 4: judge.seeds[1]: is -1; choose at least 0"),
        ("report: {rows: [joint:1]}", "line 1: report.rows[0]: is joint:1; did you mean joint:N?"),
        ("report: {rows: [bas]}", "line 1: report.rows[0]: is bas; did you mean base?"),
        ("select: {beat: [bass]}", "line 1: select.beat[0]: is bass; did you mean base?"),
        ("base: 3", "line 1: base: is 3; give a text"),
        ("base: ''", "line 1: base: is ''; choose at least 1 character"),
        ('base: "a\\nb"', "line 1: base: is 'a\\nb'; write it without line breaks"),
        ("select:\n  shrink: true\n  keep: 6", "line 3: select.keep: keeps 6 of 5 (write.samples); "),
        ("write: {bandit: true}", "line 1: write.bandit: needs two formats or more; "),
        ("write: {samples: 1}\nreinforce:\n  method: grpo", "line 3: reinforce.method: is grpo, "),
        ("data:\n  train: a.json\n  report: a.json", "line 3: data.report: is data.train too; "),
        ("", "line 1: no recipe; "), ("- 1", "line 1: no recipe; "), ("rounds", "line 1: no recipe; "),
    ],
)  # fmt: skip
def test_the_line_the_key_and_the_remedy(text: str, line: str) -> None:
    found = refusal(text)
    assert found.startswith("x.yaml, line ")
    assert line in found


def test_of_several_mistakes_the_first_in_the_text_is_told() -> None:
    assert "line 1: select.kep" in refusal("select: {kep: 1}\nrounds: 0")
    assert "line 1: rounds" in refusal("rounds: 0\nselect: {kep: 1}")


def test_every_key_misspelt_is_found_again() -> None:
    for above, key in keys(Recipe().model_dump()):
        text = json.dumps(nested((*above, f"{key}x"), 1))
        assert f"did you mean {key}?" in refusal(text), key


def keys(held: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    found = [(above, key) for key in held if key != "kl"]  # too short to be near anything
    return found + [
        each for k, inner in held.items() if isinstance(inner, dict) for each in keys(inner, (*above, k))
    ]


def nested(place: tuple[str, ...], value: Any) -> Any:
    return {place[0]: nested(place[1:], value)} if place else value


# -- there and back ---------------------------------------------------------------------------------------

NAMES = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp", "Zs"), include_characters=" "), min_size=1, max_size=40
).filter(lambda text: text == text.strip() and text.isprintable())
SEEDS = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5, unique=True)
POSITIVE = st.floats(1e-12, 1.0)
TRAININGS = st.fixed_dictionaries(
    {},
    optional={
        "rank": st.integers(1, 1024),
        "alpha": st.floats(1e-9, 1e9),
        "learning_rate": POSITIVE,
        "epochs": st.integers(1, 1000),
        "schedule": st.sampled_from(["linear", "constant", "cosine"]),
        "warmup": st.floats(0, 1),
    },
)
REWARDS = st.lists(
    st.builds(
        lambda name, weight: {"name": name, "weight": weight},
        st.sampled_from(sorted(MEASURES.keys() - {"sentence"})),
        st.floats(allow_nan=False, allow_infinity=False).filter(bool),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each["name"],
)
RECIPES = st.fixed_dictionaries(
    {},
    optional={
        "base": NAMES,
        "seed": st.integers(0, 2**31 - 1),
        "rounds": st.integers(1, 100),
        "data": st.fixed_dictionaries(
            {"train": NAMES.map(lambda text: f"{text}.t"), "report": NAMES.map(lambda text: f"{text}.r")},
            optional={"report_passages": st.none() | st.integers(1, 9)},
        ),
        "write": st.fixed_dictionaries(
            {
                "formats": st.lists(st.sampled_from(sorted(FORMATS)), min_size=2, unique=True),
                "samples": st.integers(2, 256),
            },
            optional={
                "bandit": st.booleans(),
                "temperature": st.floats(0, 2) | st.lists(st.floats(0, 2), min_size=1, max_size=3),
            },
        ),
        "apply": TRAININGS,
        "judge": st.fixed_dictionaries(
            {}, optional={"seeds": SEEDS, "rewards": REWARDS, "probes": st.sampled_from(["own", "both"])}
        ),
        "select": st.fixed_dictionaries(
            {}, optional={"keep": st.integers(1, 2), "beat": st.sampled_from([[], ["base"]])}
        ),
        "reinforce": st.fixed_dictionaries(
            {}, optional={"method": st.just("grpo"), "kl": st.floats(0, 100), "training": TRAININGS}
        ),
        "report": st.fixed_dictionaries(
            {},
            optional={
                "training": TRAININGS,
                "rows": st.lists(
                    st.sampled_from([*ROWS[:-4], "joint:2", "joint:48", "tools:split+cloze"]), unique=True
                ),
                "seeds": SEEDS,
            },
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(RECIPES)
def test_dumped_and_read_again_is_the_same(held: dict[str, Any]) -> None:
    recipe = Recipe.model_validate(held)
    again = parse_recipe(dump_recipe(recipe), "x.yaml")
    assert again == recipe
    assert again.id == recipe.id
    assert dump_recipe(again) == dump_recipe(recipe)
    assert parse_recipe(json.dumps(held, ensure_ascii=False), "x.yaml") == recipe  # JSON is YAML


@pytest.mark.parametrize(
    "name", ["1e-3", "null", "yes", "12:30", "~", "- a", "a: b", "#a", "é", "'", '"', "{x}"]
)
def test_names_that_look_like_something_else(name: str) -> None:
    recipe = Recipe(base=name)
    assert parse_recipe(dump_recipe(recipe), "x.yaml") == recipe


# -- junk -------------------------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*Recipe.model_fields, "training", "rewards", "formats", "rows", "seeds", "name"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TEXTS = (
    st.text()
    | st.text("[]{}:,-&*!|>'\"%@`#?\\ \n\tarounds01.e\u2028\x85")
    | JUNK.map(json.dumps)
    | st.builds(
        lambda text, at, junk: text[: at % len(text)] + junk + text[at % len(text) :],
        st.just(dump_recipe(Recipe())),
        st.integers(0, 5000),
        st.text(max_size=5),
    )
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_junk_is_a_recipe_or_one_line(text: str) -> None:
    try:
        assert isinstance(parse_recipe(text, "x.yaml"), Recipe)
    except UsageError as error:
        line = str(error)
        assert line.startswith("x.yaml, line ")
        assert line.isprintable()
        assert len(line) < 1500


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=60).filter(lambda data: b"{}" not in data))
def test_a_file_of_junk_is_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as raised:
        load_recipe(path)
    assert "\n" not in str(raised.value)
