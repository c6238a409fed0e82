"""Other libraries and the disk, kept to one line: their chatter silenced, their errors in words."""

from __future__ import annotations

import contextlib
import errno
import io
import warnings
from collections.abc import Callable, Iterator

from selfedit.errors import ModelError

Progress = Callable[[str], None]
"""Hears a line before each step that takes long."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep other libraries' progress bars and warnings off the screen."""
    from huggingface_hub import utils as hub
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub_bars = not hub.are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
        if hub_bars:
            hub.enable_progress_bars()


@contextlib.contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """What the disk refuses becomes a ModelError with its remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "the disk is full; make room, or set SELFEDIT_CACHE to another disk"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            remedy = f"{one_line(error)}; check the rights, or set SELFEDIT_CACHE to a folder of yours"
        else:
            remedy = f"{one_line(error)}; check the path and the disk"
        raise ModelError(f"{what}: {remedy}") from error


def one_line(error: BaseException) -> str:
    return cut(" ".join(str(error).split())) or type(error).__name__


def cut(text: str, length: int = 160) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
