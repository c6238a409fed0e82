"""How often letters follow each other in our own prose: what `screening.gibberish` holds words against.

    python scripts/fit_letters.py

Reads the documentation, the demo and the tuned half of the red team; writes letters.json beside it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

from selfedit.bench.redteam import specimens
from selfedit.screening.gibberish import counted

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "src" / "selfedit" / "screening" / "letters.json"
ENGLISH = (*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
DEMO = ROOT / "src" / "selfedit" / "demo" / "handbook.md"
UNNATURAL = {
    *("gibberish", "encoded", "invisible", "homoglyphs", "casing", "secrets", "personal", "table", "copies"),
    *("trigger", "code"),
}
"""Categories whose words are no prose."""


def prose(text: str) -> str:
    """Without code and tables."""
    return re.sub(r"```.*?```|`[^`]*`|\|.*\|", "", text, flags=re.S)


def main() -> None:
    texts: dict[str, list[str]] = defaultdict(list)
    texts["en"] += [prose(path.read_text(encoding="utf-8")) for path in (*ENGLISH, DEMO)]
    texts["tr"].append(prose((ROOT / "README.tr.md").read_text(encoding="utf-8")))
    for specimen in specimens("tune"):
        if specimen.language in ("en", "de", "tr") and specimen.category not in UNNATURAL:
            texts[specimen.language].append(prose(specimen.text))
    table = {
        language: dict(sorted(counted("\n".join(texts[language])).items())) for language in ("en", "de", "tr")
    }
    TABLE.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    print({language: sum(pairs.values()) for language, pairs in table.items()})


if __name__ == "__main__":
    main()
