"""DESIGN's layering, held by reading every import with `ast`; nothing under test is executed.

doors → stories → hands → rooms → nouns. Imports point down only, and rooms never import each other. A new
room is entered in `LAYERS`; what only some may import, in `RESERVED`.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "selfedit"

LAYERS = {
    "doors": {"__init__", "__main__", "bench", "cli", "demo", "report", "server"},
    "stories": {
        *("abilities", "admission", "arrivals", "asking", "canaries", "chat", "consolidating"),
        *(
            "contradictions",
            "correcting",
            "evaluating",
            "examining",
            "exporting",
            "forecast",
            "gate",
            "guarding",
        ),
        *("graders", "lessons", "lifelong", "measuring"),
        *("memory", "model_card", "opening", "paraphrasing", "policies", "probing", "proving", "quarantine"),
        *("questioning", "reciting"),
        *("recipes", "records", "reinforcing", "retaining", "revising", "rounds", "routing", "samples"),
        *("serving", "settled", "solving", "states", "streaming", "studying", "telling", "tracking"),
        *("undoing", "writing"),
    },
    "hands": {"workers"},
    "rooms": {"edits", "engine", "retain", "rewards", "screening", "select", "store", "tasks"},
    "nouns": {"config", "errors", "types"},
}
"""From the top down. A part is a folder or a file right under src/selfedit."""

RESERVED = {
    **{name: {"engine", "bench", "workers"} for name in ("torch", "transformers", "peft", "accelerate")},
    **{name: {"store"} for name in ("sqlalchemy", "sqlite3", "psycopg")},
    "ray": {"workers.ray"},
}
"""Who may import a library at all; for everyone else it is out of bounds."""

ALLOWED = {
    "types": {"selfedit.errors", "selfedit.types"},
    "errors": set[str](),
    "config": {"selfedit.config", "selfedit.errors", "selfedit.types", "pydantic", "pydantic_core"},
    "retain": {"selfedit.config", "selfedit.errors", "selfedit.retain", "selfedit.types", "bm25s"},
    "engine": {
        *("selfedit.engine", "selfedit.errors", "selfedit.types"),
        *("torch", "transformers", "safetensors", "gguf", "tokenizers", "huggingface_hub"),
        *("filelock", "numpy", "regex"),
        *("psutil?", "platformdirs?"),
    },
}
"""All that a part may import beside the standard library; `?`: only in a `try` that catches ImportError."""

UNTYPED = {"engine", "bench", "workers"}
"""Parts in which pyright bears with unknown types; all others are strict."""

DISTRIBUTIONS = {
    "charset_normalizer": "charset-normalizer",
    "markupsafe": "jinja2",
    "pydantic_core": "pydantic",
    "tokenizers": "transformers",
    "yaml": "pyyaml",
}
"""Where a library is installed under another name."""

UNSAFE_IMPORTS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "torch.load"}
UNSAFE_CALLS = {"eval", "exec", "torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}
UNSAFE_FLAGS = {"trust_remote_code", "allow_pickle"}


# -- the checker ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name in full (`selfedit.engine.Adapter`), and how it stands in its file."""

    name: str
    line: int
    deferred: bool
    """Inside a function or under TYPE_CHECKING: not run when the module is imported."""
    optional: bool
    """Inside a `try` that catches ImportError."""

    @property
    def library(self) -> str:
        return self.name.split(".")[0]

    @property
    def part(self) -> str:
        """Which part of selfedit it is; `__init__` for a name of the package itself."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 and parts[1] in KNOWN else "__init__"


@dataclass(frozen=True, slots=True)
class Module:
    """A source file: its dotted name below the package, and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def part(self) -> str:
        return self.name.split(".")[0]

    def imports(self) -> list[Import]:
        package = ["selfedit", *(p for p in self.name.split(".") if p != "__init__")]
        if self.path.name != "__init__.py":
            package = package[:-1]
        return list(_imports(self.tree, package, deferred=False, optional=False))


KNOWN = {part for layer in LAYERS.values() for part in layer}


def _imports(node: ast.AST, package: list[str], deferred: bool, optional: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        inside = inside or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
        tried = optional or (isinstance(child, ast.Try) and _catches_import_error(child))
        for name in _names(child, package):
            yield Import(name, getattr(child, "lineno", 0), inside, tried)
        yield from _imports(child, package, inside, tried)


def _catches_import_error(node: ast.Try) -> bool:
    caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
    return "ImportError" in caught or "ModuleNotFoundError" in caught


def _names(node: ast.AST, package: list[str]) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            base = package[: len(package) - level + 1] if level else []
            start = ".".join([*base, *([module] if module else [])])
            return [f"{start}.{alias.name}" for alias in names]
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _called(node) in (
            "__import__",
            "import_module",
            "importlib.import_module",
        ):
            return [name if not name.startswith(".") else ".".join([*package, name.lstrip(".")])]
        case _:
            return []


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def modules(package: Path) -> list[Module]:
    """Every Python file of the package, parsed."""
    found: list[Module] = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path))))
    return found


def violations(package: Path) -> list[str]:
    """All that breaks the layering or the safety rules below `package`, one line each."""
    return [f"{m.name}: {what}" for m in modules(package) for what in _wrong(m)]


def _wrong(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield "has no docstring"
    if module.part not in KNOWN:
        yield f"is in no layer; enter {module.part!r} in LAYERS"
        return
    for imported in module.imports():
        yield from (f"line {imported.line}: {what}" for what in _wrong_import(module, imported))
    yield from _unsafe(module.tree)


def _wrong_import(module: Module, imported: Import) -> Iterator[str]:
    if imported.library == "selfedit" and imported.part != module.part and not _may_see(module, imported):
        yield f"{module.part} ({_layer(module.part)}) imports {imported.name} ({_layer(imported.part)})"
    if (owners := RESERVED.get(imported.library)) and not _within(module.name, owners):
        yield f"only {', '.join(sorted(owners))} may import {imported.library}"
    if imported.library in UNSAFE_IMPORTS or imported.name in UNSAFE_IMPORTS:
        yield f"imports {imported.name}, which runs code from files"
    if (allowed := ALLOWED.get(module.part)) is not None and not _is_allowed(imported, allowed):
        yield f"{module.part} imports {imported.name}; it may import {sorted(allowed) or 'nothing'}"


def _layer(part: str) -> str:
    return next(name for name, parts in LAYERS.items() if part in parts)


def _may_see(module: Module, imported: Import) -> bool:
    """Down always; sideways for doors, stories and nouns; `__init__` runs first, so at import only nouns."""
    if imported.name == "selfedit.__version__":
        return True
    if imported.part == "__init__":
        return _layer(module.part) == "doors"
    order = list(LAYERS)
    here, there = order.index(_layer(module.part)), order.index(_layer(imported.part))
    if module.part == "__init__" and not imported.deferred:
        return _layer(imported.part) == "nouns"
    if here == there:
        beside = imported.part != "cli" or module.part == "__main__"
        return _layer(module.part) in ("doors", "stories", "nouns") and beside
    return here < there


def _within(name: str, owners: set[str]) -> bool:
    return any(name == owner or name.startswith(f"{owner}.") for owner in owners)


def _is_allowed(imported: Import, allowed: set[str]) -> bool:
    if imported.library in sys.stdlib_module_names or imported.name == "selfedit.__version__":
        return True
    if imported.optional and f"{imported.library}?" in allowed:
        return True
    return _within(imported.name, {name for name in allowed if not name.endswith("?")})


def _unsafe(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in UNSAFE_CALLS:
            yield f"line {node.lineno}: calls {_called(node)}, which runs what it is given"
        if isinstance(node, ast.keyword) and node.arg in UNSAFE_FLAGS and ast.unparse(node.value) != "False":
            yield f"line {node.value.lineno}: sets {node.arg}"


def public_names(path: Path) -> tuple[list[str], set[str]]:
    """What a module's `__all__` promises, and what the module binds at its top level."""
    promised: list[str] = []
    bound: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                promised = list(ast.literal_eval(value))
            case ast.Assign(targets=targets):
                bound |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                bound |= {(alias.asname or alias.name).split(".")[0] for alias in names}
            case _:
                pass
    return promised, bound


# -- the package as it stands ---------------------------------------------------------------------


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def room_packages() -> list[Path]:
    parts = sorted(LAYERS["rooms"] | LAYERS["hands"])
    return [PACKAGE / part / "__init__.py" for part in parts if list((PACKAGE / part).rglob("*.py"))]


def programs() -> list[Path]:
    return sorted(path for folder in ("examples", "scripts") for path in (ROOT / folder).glob("*.py"))


def test_layering_holds():
    assert violations(PACKAGE) == []


def test_every_library_is_declared():
    lines = pyproject()["project"]["dependencies"]
    declared = {line.split(">")[0].split("[")[0].lower().replace("_", "-") for line in lines}
    used = {
        imported.library
        for module in modules(PACKAGE)
        for imported in module.imports()
        if imported.library not in sys.stdlib_module_names and not imported.optional
    }
    names = {DISTRIBUTIONS.get(library, library).lower().replace("_", "-") for library in used - {"selfedit"}}
    assert sorted(names - declared) == []


def test_pyright_is_strict_where_torch_allows():
    settings = pyproject()["tool"]["pyright"]
    relaxed = {Path(place["root"]).name for place in settings["executionEnvironments"]} - {"src"}
    assert settings["typeCheckingMode"] == "strict"
    assert relaxed == UNTYPED


@pytest.mark.parametrize("path", room_packages(), ids=lambda path: path.parent.name)
def test_room_says_what_is_public(path: Path):
    promised, bound = public_names(path)
    assert promised, f"{path.parent.name} has no __all__"
    assert len(promised) == len(set(promised))
    assert sorted(set(promised) - bound) == []


@pytest.mark.parametrize("path", programs(), ids=lambda path: path.name)
def test_programs_are_safe_and_explained(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert list(_unsafe(tree)) == []
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_are_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


# -- the checker itself can fail ------------------------------------------------------------------


def tree_of(folder: Path, files: dict[str, str]) -> Path:
    """A package of small files, each with a docstring before its code."""
    for name, code in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""A module."""\n{code}\n', encoding="utf-8")
    return folder


GOOD = {
    "__init__.py": "from selfedit.errors import E\ndef open():\n    from selfedit.memory import Memory",
    "errors.py": "import json",
    "types.py": "from selfedit.errors import E\nfrom dataclasses import dataclass",
    "config.py": "import pydantic\nfrom selfedit.types import T",
    "engine/__init__.py": "from .lora import Lora\n__all__ = ['Lora']",
    "engine/lora.py": "import torch\ntry:\n    import psutil\nexcept ImportError:\n    psutil = None",
    "edits/__init__.py": "from . import rewrite",
    "edits/rewrite.py": "from selfedit import types\nimport regex",
    "store/journal.py": "import sqlite3\nfrom sqlalchemy import select",
    "workers/ray.py": "import ray\nfrom selfedit.engine import Engine",
    "memory.py": "from selfedit.gate import gate\nfrom selfedit.config import C\nimport selfedit.engine.lora",
    "gate.py": "def gate(model):\n    return model.eval()",
    "cli/main.py": "from selfedit import __version__\nfrom selfedit.bench import run",
    "bench/__init__.py": "import torch",
}

BAD = [
    ("edits/x.py", "from selfedit.tasks import read", "edits (rooms) imports selfedit.tasks.read (rooms)"),
    ("edits/x.py", "import selfedit.rounds", "(stories)"),
    ("edits/x.py", "from selfedit import engine", "(rooms) imports selfedit.engine (rooms)"),
    ("edits/x.py", "from ..tasks import read", "imports selfedit.tasks.read"),
    ("edits/x.py", "from .. import tasks", "imports selfedit.tasks (rooms)"),
    ("edits/x.py", "from selfedit import open", "imports selfedit.open (doors)"),
    ("edits/x.py", "def late():\n    import torch", "may import torch"),
    ("edits/x.py", "from transformers import AutoTokenizer", "may import transformers"),
    ("edits/x.py", "import importlib\nimportlib.import_module('torch.nn')", "may import torch"),
    ("workers/x.py", "from selfedit.memory import Memory", "workers (hands) imports selfedit.memory.Memory"),
    ("workers/local.py", "import ray", "only workers.ray may import ray"),
    (
        "memory.py",
        "from selfedit.cli.main import main",
        "memory (stories) imports selfedit.cli.main.main",
    ),
    ("memory.py", "import sqlite3", "only store may import sqlite3"),
    ("report/x.py", "from selfedit.cli import main", "report (doors) imports selfedit.cli.main (doors)"),
    ("__init__.py", "from selfedit.memory import Memory", "imports selfedit.memory.Memory"),
    ("types.py", "import numpy", "types imports numpy"),
    ("types.py", "from selfedit.config import C", "types imports selfedit.config.C"),
    ("errors.py", "import selfedit.types", "it may import nothing"),
    ("config.py", "import yaml", "config imports yaml"),
    ("engine/x.py", "from selfedit.config import C", "engine imports selfedit.config.C"),
    ("engine/x.py", "import psutil", "engine imports psutil"),
    ("engine/x.py", "import torch\ntorch.load('a.pt')", "calls torch.load"),
    ("engine/x.py", "from torch import load", "imports torch.load"),
    ("engine/x.py", "import pickle", "imports pickle"),
    ("engine/x.py", "f(trust_remote_code=True)", "sets trust_remote_code"),
    ("engine/x.py", "f(trust_remote_code=flag)", "sets trust_remote_code"),
    ("cli/x.py", "eval('1')", "calls eval"),
    ("cli/x.py", "def f():\n    exec(code)", "calls exec"),
    ("novelty/x.py", "", "is in no layer"),
]


def test_checker_accepts_a_good_tree(tmp_path: Path):
    assert violations(tree_of(tmp_path, GOOD)) == []


@pytest.mark.parametrize(("name", "code", "complaint"), BAD)
def test_checker_finds(tmp_path: Path, name: str, code: str, complaint: str):
    found = violations(tree_of(tmp_path, {**GOOD, name: code}))
    assert any(complaint in line for line in found), found


def test_checker_finds_a_missing_docstring(tmp_path: Path):
    (tmp_path / "errors.py").write_text("import json\n", encoding="utf-8")
    assert violations(tmp_path) == ["errors: has no docstring"]


def test_public_names_are_read(tmp_path: Path):
    path = tmp_path / "__init__.py"
    path.write_text("from a import b as c\nX: int = 1\ndef f(): ...\n__all__ = ['c', 'X', 'f', 'gone']\n")
    promised, bound = public_names(path)
    assert set(promised) - bound == {"gone"}
