"""What the pages point to is there, and the two READMEs say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code(name: str) -> list[str]:
    """The code blocks of a README without comments; blocks in no language (the tree) are left out."""
    blocks = BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    return [re.sub(r"\s*# .*", "", text) for language, text in blocks if language]


def tree(name: str) -> list[str]:
    """The paths of a README's annotated file tree."""
    text = next(
        text for _, text in BLOCK.findall((ROOT / name).read_text(encoding="utf-8")) if "errors.py " in text
    )
    paths = [(len(line) - len(line.lstrip()), line.split()[0]) for line in text.splitlines()]
    return [f"src/selfedit/{path}" if indent else path for indent, path in paths]


@each_page
def test_links_lead_somewhere(page: Path):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@each_page
def test_python_blocks_parse(page: Path):
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(text)


def test_every_page_is_in_the_menu():
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = set(re.findall(r"[\w/-]+\.md", str(menu)))
    assert named == {str(page.relative_to(ROOT / "docs")) for page in PAGES if "docs" in page.parts}


def test_readmes_say_the_same():
    assert code("README.md") == code("README.tr.md")
    assert tree("README.md") == tree("README.tr.md")


@pytest.mark.parametrize("path", tree("README.md"))
def test_the_tree_in_the_readme_is_the_tree(path: str):
    assert (ROOT / path).exists()
