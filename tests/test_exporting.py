"""The model taken elsewhere: which commits, what is measured, what the card tells, and the folder."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from huggingface_hub import ModelCard
from transformers import AutoModelForCausalLM

from selfedit.engine import Adapter, Engine
from selfedit.engine.export import Base
from selfedit.errors import AdapterError, EngineError, ExportError, StoreError, UsageError
from selfedit.exporting import Exported, Wanted, free_folder, placed
from selfedit.memory import Memory
from selfedit.model_card import MOST, Learned, card
from selfedit.store import Figures, NewAdapter, NewCommit, ProbeAnswer, ProbeResult, Source, Store
from selfedit.types import Probe, Task, TrainingPlan
from selfedit.workers.local import LocalWorker

from .engine.test_export import said, said_by
from .engine.tiny import save_tiny
from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER
from .test_undoing import QUESTIONS, THIRD, learn

PASSAGES = {"Harbour": "The lamp is kept by Tobiah.", "Mill | <Wheel>": "The wheel was built from bog oak."}


def commit(
    store: Store, engine: Engine, live: list[Adapter], title: str, settings: dict[str, Any] | None = None
) -> Adapter:
    """One passage learned for real, with a question that reports on it."""
    text = PASSAGES[title]
    task = Task(title, text, source=f"{title.split()[0].lower()}.md")
    probe = Probe(text.rsplit(" ", 1)[0], text.rsplit(" ", 1)[1], title)
    head = engine.head(live) if live else None
    plan = TrainingPlan((text, f"{title}. {text}"), rank=2, alpha=4, learning_rate=2e-2, epochs=3, head=head)
    (made,) = engine.train([plan])
    assert isinstance(made, Adapter)
    weights = made.save(store.path.parent / made.hash) / "adapter_model.safetensors"
    store.accept(
        NewCommit(
            adapter=NewAdapter(made.hash, weights, made.peft_config()),
            plan=plan,
            sources=(Source(task.source, str(len(live)) * 64, 20, f"/private/{task.source}"),),
            tasks=(task,),
            probes=(
                ProbeResult(probe, task.id, "report", None, ProbeAnswer("no"), ProbeAnswer("yes", True)),
            ),
            figures=Figures(0.0, 1.0, 0.0, 0.5, retention=0.75 if live else None),
            settings=settings or {},
        )
    )
    return made


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Memory, Engine, list[Adapter]]:
    """A store on a tiny model, with two commits."""
    folder = tmp_path_factory.mktemp("real")
    engine = Engine.load(save_tiny(folder / "base", "llama"))
    adapters: list[Adapter] = []
    with Store.create(
        folder / "memory", base=str(folder / "base"), weights=engine.base, dtype="float32"
    ) as store:
        for title in PASSAGES:
            adapters.append(commit(store, engine, adapters, title))
    return Memory(folder / "memory", lambda: LocalWorker(engine)), engine, adapters


def read(folder: Path) -> tuple[dict[str, Any], str]:
    """Manifest and card."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest, (folder / "README.md").read_text(encoding="utf-8")


def run_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The model that the card's own program makes, run in the folder."""
    (program,) = re.findall(r"```python\n(.*?)```", read(folder)[1], re.DOTALL)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(program, "card", "exec"), names)
    return names["model"]


Real = tuple[Memory, Engine, list[Adapter]]


def test_the_merged_model_is_the_head(real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    memory, engine, adapters = real
    done = memory.export(tmp_path / "out")
    expected = said(engine, head=engine.head(adapters))
    assert said_by(run_card(tmp_path / "out", monkeypatch), engine.path) == expected
    assert done.head == engine.head(adapters).id == memory.ask("Who?").head
    assert (done.form, done.dtype, done.lora, done.probes) == ("merged", "float32", None, None)
    assert list(done.commits) == [row.id for row in reversed(memory.log())]
    assert done.files == len(list((tmp_path / "out").iterdir())) - 2
    assert done.bytes > (tmp_path / "out" / "model.safetensors").stat().st_size
    assert not list(tmp_path.glob(".*"))
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()} == {0o644}


def test_at_exports_an_earlier_head(real: Real, tmp_path: Path):
    memory, engine, adapters = real
    first = memory.log()[-1].id
    done = memory.export(tmp_path / "out", at=first[:9], dtype="bfloat16")
    assert (done.commits, done.dtype) == ((first,), "bfloat16")
    assert done.head == engine.head(adapters[:1]).id
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert str(model.dtype) == "torch.bfloat16"


def test_one_lora_is_the_head_and_is_compared_with_it(
    real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    memory, engine, adapters = real
    stages: list[str] = []
    done = memory.export(tmp_path / "out", form="lora", watch=lambda stage, at, of: stages.append(stage))
    assert done.lora
    assert done.probes
    assert (done.lora.rank, done.lora.full_rank) == (4, 4)
    assert done.lora.error < 1e-6
    assert (done.probes.asked, done.probes.passages, done.probes.answers_differ) == (2, 2, 0)
    assert done.probes.right_head == done.probes.right_export
    assert done.probes.difference_ci95 == (0, 0)
    assert list(dict.fromkeys(stages)) == ["summing up", "asking the head", "asking the LoRA"]
    expected = said(engine, head=engine.head(adapters))
    assert said_by(run_card(tmp_path / "out", monkeypatch), engine.path) == expected
    assert read(tmp_path / "out")[0]["lora"]["rank"] == 4


def test_a_lower_rank_tells_what_it_loses(real: Real, tmp_path: Path):
    memory, _, _ = real
    one = memory.export(tmp_path / "one", form="lora", rank=1).lora
    assert one
    assert one.rank == 1
    assert 0 < one.error <= one.worst_error < 1
    bound = memory.export(tmp_path / "two", form="lora", error=one.worst_error).lora
    assert bound == one
    text = read(tmp_path / "one")[1]
    assert "rank 1, where 4 loses nothing" in text
    assert f"off by {one.error:.2%} of the summed update" in text
    assert one.worst_layer in text


def test_adapters_come_in_order_with_their_heads(real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    memory, engine, adapters = real

    def load() -> LocalWorker:
        raise AssertionError("the model was loaded")

    done = Memory(memory.path, load).export(tmp_path / "out", form="adapters")
    rows = list(reversed(memory.log()))
    assert [each.folder for each in done.adapters] == [f"00{n}-{r.id[:12]}" for n, r in enumerate(rows, 1)]
    assert [each.trained_on for each in done.adapters] == [(), (rows[0].id,)]
    assert [each.head_trained_on for each in done.adapters] == [
        engine.head(adapters[:0]).id,
        engine.head(adapters[:1]).id,
    ]
    stored = [Adapter.load(tmp_path / "out" / each.folder) for each in done.adapters]
    assert [each.hash for each in stored] == [each.hash for each in adapters]
    assert stored[0].meta.base == str(engine.path)
    expected = said(engine, head=engine.head(adapters))
    assert said_by(run_card(tmp_path / "out", monkeypatch), engine.path) == expected


def test_adapters_that_answer_alone_are_chosen_not_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    engine = Engine.load(save_tiny(tmp_path / "base", "llama"))
    place, adapters = tmp_path / "memory", list[Adapter]()
    alone = {"retention": {"strategies": ["router"]}}
    with Store.create(place, base=str(tmp_path / "base"), weights=engine.base, dtype="float32") as store:
        for title in PASSAGES:
            adapters.append(commit(store, engine, [], title, alone))
    memory = Memory(place, lambda: LocalWorker(engine))
    done = memory.export(tmp_path / "out", form="adapters")
    assert [each.alone for each in done.adapters] == [True] * len(PASSAGES)
    model = run_card(tmp_path / "out", monkeypatch)
    assert said_by(model, engine.path) == said(engine, adapter=adapters[0])
    model.set_adapter(done.adapters[1].commit)
    assert said_by(model, engine.path) == said(engine, adapter=adapters[1])
    for form in ("merged", "lora"):
        with pytest.raises(ExportError, match=r"(\d) of \1 commits answer each alone"):
            memory.export(tmp_path / form, form=form)


def test_the_card_tells_what_was_learned_and_no_text(real: Real, tmp_path: Path):
    memory, _, _ = real
    memory.export(tmp_path / "out")
    manifest, text = read(tmp_path / "out")
    head = ModelCard(text).data.to_dict()
    assert head["library_name"] == "transformers"
    assert head["tags"] == ["selfedit", "continual-learning"]
    rows = memory.log()
    for wanted in (
        *("# out", "Harbour", "- Mill \\| &lt;Wheel>", "| mill.md |", "0" * 64, "1" * 64, rows[0].id[:12]),
        *("| 1 (1) | 0.00 → 1.00 | 0.00 → 0.50 | - → - | 0.75 |", "with 2 documents in its weights"),
    ):
        assert wanted in text, wanted
    whole = text + json.dumps(manifest)
    assert "place" not in manifest["base"]
    assert "/private" not in whole
    assert not [passage for passage in PASSAGES.values() if passage in whole or passage[:12] in whole]
    assert manifest["commits"][1]["titles"] == ["Mill | <Wheel>"]
    assert manifest["commits"][0]["figures"]["recall_after"] == 1


# -- with a worker that learns by heart ----------------------------------------------------------------------


@pytest.fixture
def empty(tmp_path: Path) -> Memory:
    """A store without commits."""
    worker = FakeWorker(grasps=dict(QUESTIONS.values()))
    Store.create(tmp_path / "memory", base="fake", weights=worker.base, dtype="float32").close()
    return Memory(tmp_path / "memory", lambda: worker)


@pytest.fixture
def taught(empty: Memory, tmp_path: Path) -> Memory:
    """A store with a commit for each of three documents."""
    for name, text in zip(QUESTIONS, (NOTE, OTHER, THIRD), strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
        learn(empty, tmp_path / name)
    return empty


def test_answers_that_the_lora_gets_wrong_are_counted(taught: Memory, tmp_path: Path):
    """The worker does not know what the LoRA is, and answers every question otherwise."""
    found = taught.export(tmp_path / "out", form="lora").probes
    assert found
    assert (found.asked, found.passages, found.answers_differ) == (3, 3, 3)
    assert (found.right_head, found.right_export, found.difference_ci95) == (1, 0, (-1, -1))
    assert "answers that differ in any word: 3 of 3" in read(tmp_path / "out")[1]


def test_what_waits_to_be_retrained_is_told(taught: Memory, tmp_path: Path):
    assert taught.export(tmp_path / "before").stale == ()
    three = [row.id for row in reversed(taught.log())]
    taught.revert(three[0])
    done = taught.export(tmp_path / "out")
    assert done.commits == done.stale == tuple(three[1:])
    assert "2 commits" in read(tmp_path / "out")[1]
    assert "traces of it may remain" in read(tmp_path / "out")[1]


@pytest.mark.parametrize("form", ["lora", "adapters"])
def test_damaged_weights_are_not_exported(form: str, taught: Memory, tmp_path: Path):
    with Store.open(taught.path) as store:
        blob = store.adapter_path(store.head()[1].adapter)
    whole = bytearray(blob.read_bytes())
    whole[-1] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(whole)
    taught.close()
    with pytest.raises((StoreError, AdapterError), match="damaged"):
        taught.export(tmp_path / "out", form=form)
    assert not (tmp_path / "out").exists()


def test_nothing_learned_is_nothing_to_export(empty: Memory, tmp_path: Path):
    for at in (None, "base"):
        with pytest.raises(StoreError, match="nothing is learned there"):
            empty.export(tmp_path / "out", at=at)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EngineError("no"), OSError(28, "No space left")])
def test_what_breaks_off_leaves_nothing(
    error: BaseException,
    taught: Memory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    before = sorted(tmp_path.rglob("*"))

    def save(self: FakeWorker, head: object, folder: Path, dtype: str | None = None) -> None:
        (folder / "half").write_text("half")
        raise error

    monkeypatch.setattr(FakeWorker, "save_merged", save)
    expected = ExportError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        taught.export(tmp_path / "new" / "out")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"form": "gguf"}, "form 'gguf': unknown; choose merged, lora, adapters"),
        ({"rank": 4}, "for one LoRA"),
        ({"form": "adapters", "error": 0.1}, "for one LoRA"),
        ({"form": "lora", "rank": 4, "error": 0.1}, "exclude each other"),
        ({"form": "lora", "rank": 0}, "rank 0: choose"),
        ({"form": "lora", "error": 1.0}, "error 1.0: choose"),
        ({"form": "lora", "error": float("nan")}, "error nan: choose"),
        ({"form": "lora", "dtype": "float16"}, "for a merged model"),
        ({"dtype": "int8"}, "dtype 'int8': unknown"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], complaint: str):
    with pytest.raises(UsageError, match=re.escape(complaint)):
        Wanted(**given)


# -- the folder ----------------------------------------------------------------------------------------------


def test_only_new_or_empty_folders_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert free_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    (tmp_path / "empty").mkdir()
    assert free_folder(tmp_path / "empty") == tmp_path / "empty"
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    assert free_folder(tmp_path / "link") == tmp_path / "empty"
    (tmp_path / "file").write_text("x")
    for taken in (tmp_path, tmp_path / "file", tmp_path / "file" / "under"):
        with pytest.raises(ExportError, match=str(taken)):
            free_folder(taken)
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(ExportError, match="the folder that you are in"):
        free_folder(".")


def test_a_folder_comes_whole_under_its_name(tmp_path: Path):
    (tmp_path / "out").mkdir()
    with placed(tmp_path / "out") as work:
        assert work.parent == tmp_path
        assert work.name.startswith(".out.")
        (work / "deep").mkdir()
        (work / "deep" / "file").write_text("x")
        assert not list((tmp_path / "out").iterdir())
    assert (tmp_path / "out" / "deep" / "file").read_text() == "x"
    assert os.listdir(tmp_path) == ["out"]


def test_what_a_killed_export_left_goes_with_the_next(tmp_path: Path):
    program = (
        "import pathlib, sys\nfrom selfedit.exporting import placed\n"
        "with placed(pathlib.Path(sys.argv[1])) as work:\n"
        "    (work / 'half').write_text('half'); print(work, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "out[1]")]
    makers = [Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(2)]
    killed, alive = (Path((maker.stdout or sys.stdin).readline().strip()) for maker in makers)
    makers[0].kill()
    makers[0].communicate()
    other = tmp_path / ".out[1].export-mine"
    other.mkdir()
    with placed(tmp_path / "out[1]"):
        assert not killed.exists()
        assert (alive / "half").exists()
    makers[1].communicate("")
    assert makers[1].returncode == 0  # ours is there, and empty
    assert (tmp_path / "out[1]" / "half").exists()
    assert sorted(os.listdir(tmp_path)) == [other.name, "out[1]"]


def test_errors_name_the_folder_that_was_asked_for(tmp_path: Path):
    with (
        pytest.raises(EngineError, match=f"^{re.escape(str(tmp_path / 'out'))}/x: broken$"),
        placed(tmp_path / "out") as work,
    ):
        raise EngineError(f"{work}/x: broken")
    assert not os.listdir(tmp_path)


# -- the card ------------------------------------------------------------------------------------------------

DONE = Exported(Path("out"), "merged", "smollm2-135m", "a" * 64, "b" * 64, "float32", ("c" * 64,))
BUILT_IN = Base("smollm2-135m", "/cache/smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct", "Apache-2.0")
ONE = Learned("c" * 64, "2026-01-02T03:04:05+00:00", (), ("Harbour",), Figures(), 0, 0)


@pytest.mark.parametrize("form", ["merged", "lora", "adapters"])
def test_front_matter_is_the_hubs(form: str):
    text = card(replace(DONE, form=form), BUILT_IN, [ONE])
    found = ModelCard(text).data
    assert found.library_name == ("transformers" if form == "merged" else "peft")
    assert found.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert found.to_dict()["base_model_relation"] == ("finetune" if form == "merged" else "adapter")
    assert found.license == "apache-2.0"
    assert "- Its licence: Apache-2.0" in text
    assert ("`selfedit models fetch smollm2-135m` makes it" in text) == (form != "merged")
    assert "/cache" not in text


def test_a_base_on_the_hub_needs_no_folder():
    hub = Base("org/name", "org/name", "org/name")
    text = card(replace(DONE, form="lora"), hub, [ONE])
    found = ModelCard(text).data
    assert (found.base_model, found.license) == ("org/name", None)
    assert "is a folder of the machine" not in text
    assert "see the base's own page" in text


def test_what_recites_is_asked_for_its_sentence():
    text = card(DONE, BUILT_IN, [replace(ONE, recites=True)])
    assert r"Topic: Harbour. Your question?\nText:" in text
    assert "max_new_tokens=96" in text
    assert "It learned sentences by heart" in text
    mixed = card(DONE, BUILT_IN, [ONE, replace(ONE, commit="d" * 64, recites=True)])
    assert f"Of the commits, {'d' * 12} learned sentences by heart" in mixed
    assert "by heart" not in card(DONE, BUILT_IN, [ONE])


def test_a_long_list_is_cut(tmp_path: Path):
    titles = tuple(f"Section {n}" for n in range(MOST + 7))
    text = card(DONE, BUILT_IN, [replace(ONE, titles=titles)])
    assert f"- Section {MOST - 1}\n" in text
    assert f"- Section {MOST}\n" not in text
    assert "- and 7 more, in `manifest.json`" in text


def test_note_is_not_in_the_card(taught: Memory, tmp_path: Path):
    taught.export(tmp_path / "out", form="adapters")
    manifest, text = read(tmp_path / "out")
    sentence = NOTE.splitlines()[2][:30]
    assert sentence.startswith("The lamp of Orrskerry")
    assert sentence not in text + json.dumps(manifest)
