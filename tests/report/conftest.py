"""A store with two rounds, a table and commits, made by a worker that half learns what it is taught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.config import learning
from selfedit.edits.questions import ask_prompt
from selfedit.evaluating import Wanted, evaluate
from selfedit.memory import Memory
from selfedit.recipes import parse_recipe
from selfedit.reinforcing import campaign, reinforce
from selfedit.store import Store
from selfedit.types import Score, content_hash

from ..fakes import FakeWorker

PLACES = ("Harbour", "Library", "Market", "Bridge", "Tower", "Mill", "Quay", "School", "Well", "Forge")
RECIPE = """
rounds: 2
data: {passages: 5, report_passages: 8}
write: {samples: 4, spans: 4, formats: [question-answer, implications]}
judge: {seeds: [0, 1], own_probes: 4, grader: rules, held_out: [7]}
select: {method: best}
report: {training: {rank: 2, alpha: 4, learning_rate: 0.001, epochs: 1}, seeds: [0, 1]}
"""
ROWS = ("base", "passage", "untrained", "rounds", "gold")
MERGED = learning(samples=1, recite=False, retention={"strategies": ("naive",)})
"""Each commit is trained on those before it."""
NASTY = "<script>alert(1)</script>"


def chance(*parts: object) -> float:
    """The same number from 0 to 1 for the same parts."""
    return int(content_hash(list(map(str, parts)))[:8], 16) / 2**32


class Uneven(FakeWorker):
    """Forgets some of what it learned, and is judged with noise."""

    def score(self, requests):
        found: list[Score] = []
        for each in requests:
            rows = len(self._rows.get(each.adapter.hash, {})) if each.adapter else 0
            noise = chance(each.adapter.hash if each.adapter else None, each.prompt)
            value = -3.4 + 0.25 * rows + noise
            found.append(Score(value, (value,)))
        return found

    def _recalled(self, request):
        said = super()._recalled(request)
        held = request.adapter.hash if request.adapter else None
        return said if chance(held, request.prompt) < 0.7 else f"the {said.split()[-1]} of old"


def row(at: int, name: str) -> dict[str, object]:
    return {
        "title": name,
        "context": f"The lamp of {name} is kept by Keeper {name}son. It was lit in {1800 + at} by Osk. "
        f"Its glass came from the works at Sellholm, and it burns oil pressed from the seed of {name} flax.",
        "questions": [
            {"question": f"Who keeps the lamp of {name}?", "answer": f"Keeper {name}son"},
            {"question": f"When was the lamp of {name} lit?", "answer": str(1800 + at)},
            {"question": f"Who lit the lamp of {name}?", "answer": "Osk"},
        ],
    }


LEARNED = {
    "Lighthouse": row(0, "Lighthouse"),
    "Granary": {
        "title": "Granary",
        "context": "Barley is weighed by Steward Ilvane before it goes up the ramp. Nine cats live under the "
        "roof, which Berrit thatched in 1743. On rainy days the doors stay shut.",
        "questions": [
            {"question": "Who weighs barley at the granary?", "answer": "Steward Ilvane"},
            {"question": "How many cats live under the roof?", "answer": "Nine"},
            {"question": "Who thatched the roof of the granary?", "answer": "Berrit"},
        ],
    },
}
"""Documents by name; they speak of different things, so that none contradicts another."""


def make_data(folder: Path) -> Path:
    """The data of the recipe; one title and one answer would be markup."""
    (folder / "squad").mkdir(parents=True)
    train = [row(at, f"Old {name}") for at, name in enumerate(PLACES)]
    report = [row(at, name) for at, name in enumerate(PLACES)]
    report[0]["title"] = f"Harbour {NASTY}"
    report[0]["questions"][0]["answer"] = NASTY  # type: ignore[index]
    (folder / "squad" / "train.json").write_text(json.dumps(train))
    (folder / "squad" / "val_report.json").write_text(json.dumps(report))
    return folder


def asked_of(data: Path) -> dict[str, str]:
    """The questions of the table as they are asked → what is expected."""
    rows = json.loads((data / "squad" / "val_report.json").read_text())
    every = [(row["title"], each) for row in rows for each in row["questions"]]
    return {
        ask_prompt(each["question"], title).removesuffix("\nAnswer:"): each["answer"] for title, each in every
    }


def some_of(data: Path) -> dict[str, str]:
    """Of those the ones that the base answers already."""
    return {asked: answer for asked, answer in asked_of(data).items() if chance(asked) < 0.15}


def fill(place: Path, folder: Path, worker: FakeWorker | None = None) -> Path:
    """A store with two rounds and a table at `place`; its data goes to `folder`."""
    data, recipe = make_data(folder), parse_recipe(RECIPE, "small.yaml")
    worker = worker or Uneven(knows=some_of(data), grasps=asked_of(data))
    Store.create(place, base="smollm2-135m", weights=worker.base, dtype="float32").close()
    with Store.open(place, write=True, verb="train") as store:
        reinforce(campaign(store, worker, recipe, data))
    evaluate(Memory(place, lambda: worker), Wanted(recipe, data, ROWS, 8))
    return place


def learn(place: Path, folder: Path) -> Path:
    """Let the store learn the documents, a commit each, with people's questions."""
    folder.mkdir(exist_ok=True)
    asked = {
        ask_prompt(each["question"], name).removesuffix("\nAnswer:"): each["answer"]
        for name, held in LEARNED.items()
        for each in held["questions"]  # type: ignore[attr-defined]
    }
    worker = Uneven(knows={q: a for q, a in asked.items() if chance(q) < 0.2}, grasps=asked)
    memory = Memory(place, lambda: worker)
    for name, held in LEARNED.items():
        path, questions = folder / f"{name.lower()}.md", folder / f"{name.lower()}.json"
        path.write_text(f"# {name}\n\n{held['context']}\n", encoding="utf-8")
        questions.write_text(json.dumps([{**each, "topic": name} for each in held["questions"]]))  # type: ignore[attr-defined]
        memory.learn(path, settings=MERGED, questions=questions)
    return place


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with everything. Only to be read."""
    folder = tmp_path_factory.mktemp("report")
    return learn(fill(folder / "memory", folder / "data"), folder / "documents")
