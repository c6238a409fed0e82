"""The text of a PDF. Knows nothing of files or of what the text is for.

pypdf reports oddities through logging and raises whatever its parts raise; both end here.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

from selfedit.errors import DocumentError
from selfedit.tasks._files import clean
from selfedit.tasks._outline import paragraphs, reflow

_EXTENSION = re.compile(r"\.\w{2,5}$")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_A-Z])")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


def parse(data: bytes, path: str) -> tuple[str, list[str]]:
    """(the title in the PDF's metadata or "", its paragraphs)."""
    with _silent():
        title, pages = _read(data, path)
    lined = [_inner(_HYPHEN.sub("", page).split("\n"), set()) for page in pages]
    for _ in range(2):  # a running title, and a page number above or below it
        lined = _without_furniture(lined)
    found = [reflow(run) for page in lined for run in paragraphs(page)]
    if not found:
        raise DocumentError(f"{path}: a PDF without text, perhaps scanned; run OCR on it first (ocrmypdf)")
    return title, found


def _read(data: bytes, path: str) -> tuple[str, list[str]]:
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            raise DocumentError(f"{path}: a PDF protected by a password; save a copy without it")
        pages = [clean(page.extract_text()).translate(_LIGATURES) for page in reader.pages]
        return _title(str((reader.metadata and reader.metadata.title) or "")), pages
    except DocumentError:
        raise
    except DependencyError as error:
        raise DocumentError(f"{path}: a PDF encrypted with AES; save a copy without encryption") from error
    except Exception as error:  # pypdf raises KeyError, RecursionError and more on broken files
        raise DocumentError(f"{path}: a broken PDF ({type(error).__name__}); export it anew") from error


def _title(text: str) -> str:
    """The metadata's title, unless it is what a program put there for want of one."""
    bare = re.sub(r"^Microsoft \w+ - ", "", clean(text).strip())
    return "" if _EXTENSION.search(bare) or bare.casefold().startswith("untitled") else bare


def _without_furniture(pages: list[list[str]]) -> list[list[str]]:
    """The pages' lines without first and last lines that most pages share but for their numbers."""
    edges = Counter(edge for lines in pages for edge in {_edge(lines, 0), _edge(lines, -1)} if edge)
    shared = {edge for edge, times in edges.items() if times >= 3 and times > len(pages) / 2}
    return [_inner(lines, shared) for lines in pages]


def _edge(lines: list[str], at: int) -> str:
    return re.sub(r"\d+", "#", lines[at].strip()) if lines else ""


def _inner(lines: list[str], shared: set[str]) -> list[str]:
    kept = list(lines)
    for at in (0, -1):
        if _edge(kept, at) in shared:
            kept.pop(at)
        while kept and not kept[at].strip():
            kept.pop(at)
    return kept


@contextmanager
def _silent() -> Generator[None]:
    """Keeps pypdf's log messages and warnings off the user's screen, and puts its logger back."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
