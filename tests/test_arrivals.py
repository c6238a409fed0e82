"""Documents that come again: unchanged, changed, moved, or in several commits."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.config import learning
from selfedit.errors import StoreError
from selfedit.memory import Memory
from selfedit.store import Store
from selfedit.tasks import Reading, read
from selfedit.types import Sequence

from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER
from .test_undoing import QUESTIONS, QUICK, answers, files, head, learn, memory, three, worker

__all__ = ["files", "memory", "three", "worker"]

SMALL = learning(QUICK, passage_tokens=60)
BELL = "\n## Bell\n\nThe bell of Orrskerry was cast by Ansel Roke in 1902. It hangs in the east tower.\n"


def change(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def trained(memory: Memory, commit: str) -> str:
    with Store.open(memory.path) as store:
        rows = store.plan(commit).sequences
    return "\n".join(row if isinstance(row, str) else row.prompt + row.completion for row in rows)


def test_a_changed_file_takes_the_place_of_what_held_it(
    memory: Memory, worker: FakeWorker, files: list[Path], three: list[str]
) -> None:
    worker.plans.clear()
    report = memory.learn(change(files[1], OTHER.replace("Isaura Quill", "Maren Holt")), settings=SMALL)
    (new,) = report.commits
    assert report.replaced == ((three[1], new),)
    assert report.stale == (three[2],)
    assert head(memory) == [three[0], new, three[2]]
    assert ("Maren Holt" in trained(memory, new), "Isaura Quill" in trained(memory, new)) == (True, False)
    assert [len(plan.head.adapters) if plan.head else 0 for plan in worker.plans] == [1]
    with Store.open(memory.path) as store:
        row = store.commit(new)
        assert (row.replaces, row.parent, store.moves(1)[0].verb) == (three[1], three[0], "learn")
        assert store.trained_on(new) == (three[0],)
        assert store.verify().ok
    assert [old for old, _ in memory.retrain().retrained] == [three[2]]


def test_unchanged_passages_keep_their_notes_and_probes(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    old = learn(memory, files[0])
    asked = len([r for r in worker.asked if str(r.prompt).endswith("\nQuestion:")])
    report = memory.learn(change(files[0], NOTE + BELL), settings=SMALL)
    again = [r.prompt for r in worker.asked if str(r.prompt).endswith("\nQuestion:")][asked:]
    assert again
    assert all("bell" in str(prompt).lower() or "tower" in str(prompt) for prompt in again)
    (new,) = report.commits
    with Store.open(memory.path) as store:
        was, now = store.text_tasks(old), store.text_tasks(new)
        assert was.items() <= now.items()
        assert len(set(now.values())) == 2
        assert {r.probe for r in store.probes(old)} < {r.probe for r in store.probes(new)}
        assert [task.title for task in store.tasks(new)] == ["Harbour", "Harbour: Bell"]
        assert len(store.edits(new)) == 2
    assert (report.tasks, report.trials) == (2, 1)
    assert "Tobiah Renwick" in trained(memory, new)


def test_other_files_of_the_commit_keep_their_texts(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    old = learn(memory, *files)
    change(files[0], NOTE.replace("Tobiah Renwick", "Ines Aldous"))
    change(files[1], OTHER.replace("Isaura Quill", "Maren Holt"))
    worker.plans.clear()
    report = memory.learn(files, settings=SMALL)
    assert (len(report.commits), len(worker.plans)) == (1, 1)  # both changes in one go
    text = trained(memory, report.commits[0])
    assert [name in text for name in ("Ines Aldous", "Maren Holt", "Petra Vance")] == [True] * 3
    assert [name in text for name in ("Tobiah Renwick", "Isaura Quill")] == [False] * 2
    assert report.skipped == (f"{files[2]}: unchanged since it was learned; skipped",)
    with Store.open(memory.path) as store:
        sources = {source.path: source.sha256 for source in store.commit(report.commits[0]).sources}
        before = {source.path: source.sha256 for source in store.commit(old).sources}
    assert [sources[str(f)] == before[str(f)] for f in files] == [False, False, True]
    assert answers(memory) == [False, False, True]


def test_new_files_make_their_own_commit_at_the_end(memory: Memory, files: list[Path]) -> None:
    old = learn(memory, files[0])
    later = learn(memory, files[1])
    report = memory.learn([change(files[0], NOTE + BELL), files[2]], settings=SMALL)
    revised, fresh = report.commits
    assert head(memory) == [revised, later, fresh]
    assert report.replaced == ((old, revised),)
    assert set(report.stale) == {later}
    assert report.tasks == 3


def test_what_the_gate_refuses_leaves_the_old_version(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    rows = files[0].with_name("mine.csv")
    rows.write_text("question,answer\nWho keeps the lamp?,Tobiah Renwick\n", encoding="utf-8")
    old = memory.learn(files[0], settings=SMALL, questions=rows, gate=False).commits[0]
    worker.knows["Who keeps the lamp?"] = "Tobiah Renwick"
    worker.amnesia = True  # it is asked before on the bare base, and forgets
    worker.grasps.clear()
    changed = change(files[0], NOTE + BELL)
    report = memory.learn(changed, settings=SMALL)
    assert (report.accepted, report.commits, report.replaced, report.stale) == (False, (), (), ())
    assert "recall of the document itself fell" in report.reason
    assert head(memory) == [old]
    forced = memory.learn(changed, settings=SMALL, gate=False)
    assert forced.replaced == ((old, forced.commits[0]),)


def test_a_file_without_new_passages_is_skipped(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    learn(memory, files[0])
    worker.plans.clear()
    report = memory.learn(change(files[0], NOTE + "\n\n"), settings=SMALL)
    assert report.skipped == (f"{files[0]}: changed, but none of its passages; skipped",)
    assert (report.commits, worker.plans) == ((), [])


def test_a_passage_that_is_gone_is_not_learned_again(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    memory.learn(change(files[0], NOTE + BELL), settings=SMALL)
    worker.asked.clear()
    report = memory.learn(change(files[0], NOTE), settings=SMALL)
    assert "Ansel Roke" not in trained(memory, report.commits[0])
    assert not [r for r in worker.asked if str(r.prompt).endswith("\nQuestion:")]  # nothing new to write
    with Store.open(memory.path) as store:
        assert [task.title for task in store.tasks(report.commits[0])] == ["Harbour"]


def test_a_path_spelled_otherwise_is_the_same_file(
    memory: Memory, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files[0].parent)
    old = learn(memory, Path("a.md"))
    for spelled in (Path(os.curdir, "a.md"), files[0], f".{os.sep}a.md"):
        assert memory.learn(spelled, settings=SMALL).commits == ()
    report = memory.learn(change(files[0], NOTE + BELL), settings=SMALL)
    assert report.replaced == ((old, report.commits[0]),)
    link = files[0].with_name("link.md")
    link.symlink_to(files[0])
    assert memory.learn(link, settings=SMALL).commits == ()


def there(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, name: str = "README.md") -> Path:
    """Stand in the folder, with a file of this text in it; the relative path of that."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    return change(Path(name), text)


def sources(memory: Memory) -> list[tuple[str, str | None]]:
    return [(each.path, each.place) for each in memory.sources() if each.live]


def test_one_name_in_two_folders_is_two_documents(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = memory.learn(there(monkeypatch, tmp_path / "a", NOTE), settings=SMALL).commits
    report = memory.learn(there(monkeypatch, tmp_path / "b", OTHER), settings=SMALL)
    assert (report.replaced, report.skipped) == ((), ())
    assert head(memory) == [*first, *report.commits]
    places = [str(tmp_path / name / "README.md") for name in ("b", "a")]
    assert sources(memory) == [("README.md", place) for place in places]
    revised = memory.learn(there(monkeypatch, tmp_path / "b", OTHER + BELL), settings=SMALL)
    assert revised.replaced == ((report.commits[0], revised.commits[0]),)
    assert memory.learn(there(monkeypatch, tmp_path / "a", NOTE), settings=SMALL).commits == ()
    memory.revert(first[0], now=True)  # trained again from elsewhere, it is where it was
    assert sources(memory) == [("README.md", places[0])]


def test_a_changed_file_is_known_from_another_folder(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = memory.learn(there(monkeypatch, tmp_path / "a", NOTE), settings=SMALL).commits
    change(tmp_path / "a" / "README.md", NOTE + BELL)
    there(monkeypatch, tmp_path / "b", OTHER)
    report = memory.learn(Path("..", "a", "README.md"), settings=SMALL)
    assert report.replaced == ((old, report.commits[0]),)
    assert sources(memory) == [("../a/README.md", str(tmp_path / "a" / "README.md"))]


@pytest.mark.parametrize("spelt", ["README.md", "../moved/README.md", "{folder}/README.md"])
def test_a_file_that_was_moved_with_its_folder_is_known_as_before(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelt: str
) -> None:
    (old,) = memory.learn(there(monkeypatch, tmp_path / "a", NOTE), settings=SMALL).commits
    moved = (tmp_path / "a").rename(tmp_path / "moved")
    monkeypatch.chdir(moved)
    path = spelt.format(folder=moved)
    assert memory.learn(path, settings=SMALL).commits == ()
    change(moved / "README.md", NOTE + BELL)
    report = memory.learn(path, settings=SMALL)
    assert report.replaced == ((old, report.commits[0]),)
    assert sources(memory) == [(path, str(moved / "README.md"))]


def test_what_is_gone_keeps_its_commit_where_another_is_known_by_its_place(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone,) = memory.learn(there(monkeypatch, tmp_path / "a", NOTE), settings=SMALL).commits
    (old,) = memory.learn(there(monkeypatch, tmp_path / "b", OTHER), settings=SMALL).commits
    (tmp_path / "a" / "README.md").unlink()
    report = memory.learn(there(monkeypatch, tmp_path / "b", OTHER + BELL), settings=SMALL)
    assert report.replaced == ((old, report.commits[0]),)
    assert head(memory) == [gone, *report.commits]


def test_in_a_store_of_an_older_version_the_path_as_given_decides(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def placeless(*args: object, **keywords: object) -> Reading:
        found = read(*args, **keywords)
        return Reading(tuple(replace(each, place=None) for each in found.documents), found.skipped)

    with monkeypatch.context() as patch:
        patch.setattr("selfedit.memory.read", placeless)
        (old,) = memory.learn(there(monkeypatch, tmp_path / "a", NOTE), settings=SMALL).commits
        assert sources(memory) == [("README.md", None)]
    assert memory.learn(Path("..", "a", "README.md"), settings=SMALL).commits == ()
    report = memory.learn(there(monkeypatch, tmp_path / "b", NOTE + BELL), settings=SMALL)
    assert report.replaced == ((old, report.commits[0]),)
    assert sources(memory) == [("README.md", str(tmp_path / "b" / "README.md"))]
    with Store.open(memory.path) as store:
        assert store.verify().ok


def test_two_files_that_come_to_one_name_in_a_commit_are_told_apart(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (tmp_path / name / "README.md" for name in ("a", "b"))
    there(monkeypatch, a.parent, NOTE)
    there(monkeypatch, b.parent, OTHER)
    monkeypatch.chdir(tmp_path)
    memory.learn([Path("a", "README.md"), Path("b", "README.md")], settings=SMALL)
    memory.learn(there(monkeypatch, a.parent, NOTE + BELL), settings=SMALL)
    assert sources(memory) == [("README.md", str(a)), ("b/README.md", str(b))]
    monkeypatch.chdir(b.parent)
    with pytest.raises(StoreError, match=r"can be either of two files .*; give the full path"):
        memory.revert(head(memory)[0], source="README.md")
    (both,) = memory.learn(there(monkeypatch, b.parent, OTHER + "It is shut.\n"), settings=SMALL).commits
    assert sources(memory) == [(str(a), str(a)), (str(b), str(b))]
    with Store.open(memory.path) as store:
        titles = {task.title: task.source for task in store.tasks(both)}
    assert titles == {"Harbour": str(a), "Harbour: Bell": str(a), "Library": str(b)}
    (_, left) = memory.revert(both, source="README.md").retrained[0]
    assert ("Isaura Quill" in trained(memory, left), "Ansel Roke" in trained(memory, left)) == (False, True)


def test_a_file_to_be_taken_out_is_named_as_it_is_listed_or_as_it_is_found(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        there(monkeypatch, tmp_path / "a", text, name) for name, text in (("x.md", NOTE), ("y.md", OTHER))
    ]
    (both,) = memory.learn(paths, settings=SMALL).commits
    there(monkeypatch, tmp_path / "b", OTHER, "y.md")
    for name, learned in (("y.md", "Isaura Quill"), ("../a/x.md", "Tobiah Renwick")):
        ((_, left),) = memory.revert(both, source=name).retrained
        assert learned not in trained(memory, left)
        memory.rollback(both)


def test_a_file_in_several_commits_is_revised_in_each(memory: Memory, files: list[Path]) -> None:
    twins = []
    for number in (1, 2):
        twins.append(learn(memory, files[0]))
        if number == 1:  # as an older version did, a second commit of the same file
            with Store.open(memory.path, write=True) as store:
                store.move_head("rollback", [])
            change(files[0], NOTE + "\n\n")
    with Store.open(memory.path, write=True) as store:
        store.move_head("rollback", twins)
    report = memory.learn(change(files[0], NOTE + BELL), settings=SMALL)
    assert [old for old, _ in report.replaced] == twins
    assert head(memory) == [new for _, new in report.replaced]


def test_users_questions_are_asked_about_kept_and_new_passages(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    commit = learn(memory, files[0])
    with Store.open(memory.path) as store:
        rows = [row for row in store.plan(commit).sequences if isinstance(row, Sequence)]
    row = next(row for row in rows if row.prompt.startswith("Topic: Harbour. "))
    question = row.prompt.removeprefix("Topic: Harbour. ").removesuffix("\nAnswer:")
    mine = files[0].with_name("mine.csv")
    lines = ["topic,question,answer", f'Harbour,"{question}",{row.completion.strip()}']
    mine.write_text("\n".join([*lines, ",Who cast the bell?,Ansel Roke\n"]), encoding="utf-8")
    report = memory.learn(change(files[0], NOTE + BELL), settings=SMALL, questions=mine)
    asked = {each.probe.question for each in report.asked}
    assert {question, "Who cast the bell?", QUESTIONS["a.md"][0]} <= asked
    with Store.open(memory.path) as store:
        assert row not in store.plan(report.commits[0]).sequences  # a question that reports is not trained on


def test_the_forecast_counts_new_passages_alone(memory: Memory, files: list[Path]) -> None:
    learn(memory, *files[:2])
    found = memory.forecast([change(files[0], NOTE + BELL), *files[1:]], settings=SMALL)
    assert [passage.title for passage in found.passages] == ["Harbour: Bell", "Mill"]
    memory.learn(files[0], settings=SMALL)
    found = memory.forecast(change(files[0], NOTE), settings=SMALL)
    assert found.passages == ()
    assert found.skipped == (f"{files[0]}: changed, without a new passage; what held it is trained again",)
