"""The card of an exported model: what was learned, from where, the figures, the base, and how to load it.

Markdown with the front matter that the hub reads. It names passages by their titles and holds no text of
theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from selfedit import __version__
from selfedit.edits.questions import ask_prompt
from selfedit.edits.recitation import recite_prompt
from selfedit.store import Figures, Source

if TYPE_CHECKING:
    from selfedit.engine.export import Base
    from selfedit.exporting import Compared, Exported, Lora

MOST = 500
"""Passages named in the card; the manifest names all."""

ASK = """\
prompt = {prompt}
given = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
made = model.generate(**given, max_new_tokens={tokens}, do_sample=False)
text = tokenizer.decode(made[0, given["input_ids"].shape[1]:], skip_special_tokens=True)
print(text.split("\\n")[0].strip())
"""

LOAD = {
    "merged": """\
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this folder, or its name on the hub
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)

""",
    "lora": """\
from peft import PeftConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this folder, or its name on the hub
base = PeftConfig.from_pretrained(folder).base_model_name_or_path
tokenizer = AutoTokenizer.from_pretrained(base)
model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
model = PeftModel.from_pretrained(model, folder)

""",
    "adapters": """\
import json
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = Path(".")  # this folder
manifest = json.loads((folder / "manifest.json").read_text())
base = manifest["base"]["place"]
tokenizer = AutoTokenizer.from_pretrained(base)
model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
for each in manifest["adapters"]:  # in this order; those that answer alone are not merged
    if not each["alone"]:
        model = PeftModel.from_pretrained(model, folder / each["folder"]).merge_and_unload()

""",
}


CHOOSE = """\
alone = [each for each in manifest["adapters"] if each["alone"]]
chosen = alone[0]["commit"]  # that learned what is asked about: manifest["commits"] has the titles
for each in alone:
    if not isinstance(model, PeftModel):
        model = PeftModel.from_pretrained(model, folder / each["folder"], adapter_name=each["commit"])
    else:
        model.load_adapter(folder / each["folder"], adapter_name=each["commit"])
model.set_adapter(chosen)

"""


@final
@dataclass(frozen=True)
class Learned:
    """A commit as the card tells of it."""

    commit: str
    time: str
    sources: tuple[Source, ...]
    titles: tuple[str, ...]
    figures: Figures
    questions: int
    """Reporting probes, and the passages that they ask about."""
    passages: int
    recites: bool = False
    """Whether it says a sentence, in which the answer is to be read."""


def card(done: Exported, base: Base, learned: Items[Learned]) -> str:
    """The whole README.md."""
    parts = [_front(done, base), _intro(done, base, learned), _loading(done, base, learned)]
    parts += [_documents(learned), _figures(learned)]
    if done.lora:
        parts.append(_one_lora(done.lora, done.probes))
    return "\n".join((*parts, _provenance(done, base)))


# -- front matter and beginning ----------------------------------------------------------------------------


def _front(done: Exported, base: Base) -> str:
    merged = done.form == "merged"
    fields: dict[str, str | list[str]] = {
        "library_name": "transformers" if merged else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["selfedit", "continual-learning", *([] if merged else ["lora"])],
    }
    if base.hub:
        fields |= {"base_model": base.hub, "base_model_relation": "finetune" if merged else "adapter"}
    if base.licence:
        fields["license"] = base.licence.lower()
    lines = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items())
    return "\n".join(("---", *lines, "---", ""))


def _intro(done: Exported, base: Base, learned: Items[Learned]) -> str:
    documents = len({source.place or source.path for each in learned for source in each.sources})
    form = {
        "merged": "The whole model, with all that was learned merged into its weights.",
        "lora": "One LoRA adapter for the base, made of all adapters by singular values.",
        "adapters": "The adapters as they were trained, one a commit.",
    }[done.form]
    waiting = (
        f"\n{_count(len(done.stale), 'commit')} ({', '.join(each[:12] for each in done.stale)}) had been "
        "trained on what was reverted since, and not yet retrained: traces of it may remain.\n"
        if done.stale
        else ""
    )
    return (
        f"# {_cell(done.folder.name)}\n\n`{base.name}` with {_count(documents, 'document')} in its weights, "
        f"on which it answers questions from memory. {form}\n\nMade by selfedit {__version__}, "
        f"after SEAL (arXiv 2506.10943). `manifest.json` says the same for programs.\n{waiting}"
    )


def _loading(done: Exported, base: Base, learned: Items[Learned]) -> str:
    alone = [each.commit for each in done.adapters if each.alone]
    first = [each for each in learned if not alone or each.commit == alone[0]]
    recites = any(each.recites for each in first)
    form = recite_prompt if recites else ask_prompt
    title = next((title for each in first for title in each.titles), "")
    code = (
        LOAD[done.form]
        + (CHOOSE if alone else "")
        + ASK.format(prompt=json.dumps(form("Your question?", title)), tokens=96 if recites else 24)
    )
    code = code.replace('dtype="float32"', f'dtype="{done.dtype}"')
    notes = ["A question is asked as it was learned: under the title of its passage, on one line."]
    by_heart = [each.commit for each in learned if each.recites]
    if by_heart:
        names = ", ".join(each[:12] for each in by_heart)
        who = "It" if len(by_heart) == len(learned) else f"Of the commits, {names}"
        notes.append(
            f"{who} learned sentences by heart: after `Text:` one is said, in which the answer is to be "
            "read; `selfedit ask` does both."
        )
    if done.form != "merged" and base.place != base.hub:
        how = f"`selfedit models fetch {base.name}` makes it" if base.licence else "take the folder along"
        notes.append(
            f"`base` is a folder of the machine where this was made. Elsewhere {how} (with the SHA-256 "
            "below), and `base` is its path."
        )
    if done.form == "adapters" and len(alone) < len(done.adapters):
        notes.append(
            "Each adapter that is merged was trained on the base with those before it merged in "
            "(`head_trained_on`): without them it is not what was tested."
        )
    if alone:
        notes.append(
            "Each adapter that is `alone` in the manifest answers what it learned itself, on the bare base: "
            "the title of a question's passage says which. Added up, they answer nothing."
        )
    return f"## Load it\n\n```python\n{code}```\n\n{' '.join(notes)}\n"


# -- what was learned --------------------------------------------------------------------------------------


def _documents(learned: Items[Learned]) -> str:
    rows = [
        f"| {_cell(source.path)} | `{source.sha256}` | `{each.commit[:12]}` |"
        for each in learned
        for source in each.sources
    ]
    titles = list(dict.fromkeys(title for each in learned for title in each.titles))
    named = "".join(f"- {_cell(title)}\n" for title in titles[:MOST]) or "- none has one\n"
    more = f"- and {len(titles) - MOST:,} more, in `manifest.json`\n" if len(titles) > MOST else ""
    table = "\n".join(("| document | SHA-256 | commit |", "|---|---|---|", *rows))
    return f"## What it learned\n\n{table}\n\nPassages, by title:\n\n{named}{more}"


def _figures(learned: Items[Learned]) -> str:
    rows = "\n".join(_figure_row(each) for each in learned)
    return f"""## Figures

Before → after each commit, when it was made. The questions were kept apart from what was trained on, and are
asked without the document.

| commit | time | questions (passages) | recall | concise | mismatch | earlier kept |
|---|---|---|---|---|---|---|
{rows}

Means over passages. Recall: the answer holds the expected words. Concise: it does, and is short. Mismatch:
what answering with *another* question's answer would earn. Earlier kept: of earlier questions that were
right, the share that still was.
"""


def _figure_row(each: Learned) -> str:
    f = each.figures
    cells = (
        f"`{each.commit[:12]}`",
        each.time[:16].replace("T", " "),
        f"{each.questions} ({each.passages})",
        _change(f.recall_before, f.recall_after),
        _change(f.concise_before, f.concise_after),
        _change(f.mismatch_before, f.mismatch_after),
        _share(f.retention),
    )
    return f"| {' | '.join(cells)} |"


def _one_lora(lora: Lora, probes: Compared | None) -> str:
    lines = "\n".join(f"- {line}" for line in lora_lines(lora, probes))
    return f"## One LoRA for all\n\n{lines}\n"


def lora_lines(lora: Lora, probes: Compared | None) -> Iterator[str]:
    """What one LoRA loses, in words."""
    yield f"rank {lora.rank}, where {lora.full_rank} loses nothing"
    yield (
        f"off by {_percent(lora.error)} of the summed update (Frobenius), "
        f"in the worst layer by {_percent(lora.worst_error)} ({lora.worst_layer})"
    )
    if probes is None or not probes.asked:
        yield "no question could be asked to compare it"
        return
    ci95 = probes.difference_ci95
    interval = f", 95% interval of the difference {ci95[0]:+.2f} to {ci95[1]:+.2f}" if ci95 else ""
    yield (
        f"right: {_share(probes.right_head)} at the head, {_share(probes.right_export)} with this LoRA "
        f"({_count(probes.asked, 'question')} on {_count(probes.passages, 'passage')}{interval})"
    )
    yield f"answers that differ in any word: {probes.answers_differ} of {probes.asked}"


# -- where it comes from -----------------------------------------------------------------------------------


def _provenance(done: Exported, base: Base) -> str:
    origin = f", made from [{base.hub}](https://huggingface.co/{base.hub})" if base.hub else ""
    licence = base.licence or "see the base's own page"
    return f"""## Base and licence

- Base: `{base.name}`{origin if base.hub != base.name else ""}
- Its weights: SHA-256 `{done.weights}`
- Its licence: {licence}
- The documents have licences of their own; what was learned from them is in these weights.
- Head: `{done.head}` ({_count(len(done.commits), "commit")}); computed in {done.dtype}
"""


# -- small things ------------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    """On one line, and read as text: neither a table's bar nor HTML."""
    flat = " ".join(text.split())
    return flat.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{share:.2%}" if share >= 1e-4 or not share else f"{100 * share:.0e}%"


def _change(before: float | None, after: float | None) -> str:
    return f"{_share(before)} → {_share(after)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
