"""Bytes from a file, and text from bytes. Knows nothing of document kinds.

Every failure is a `DocumentError` of one line.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path

from charset_normalizer import from_bytes

from selfedit.errors import DocumentError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = [
    "cp1252",
    "cp1254",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp932",
    "gb18030",
    "big5",
    "euc_kr",
    "euc_jp",
    "koi8_r",
    "mac_roman",
]
_CONTROL = bytes(range(9)) + bytes(range(14, 27)) + bytes(range(28, 32)) + b"\x0b\x7f"
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\x0c\x85\u2028]")
_SAVE_AS_UTF8 = "save it as UTF-8 text"


def load(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DocumentError(f"{path}: {_kind(mode)}, not a file; name a file or a folder of documents")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise DocumentError(f"{_printable(path)}: {reason(error)}") from error
    if len(data) > limit:
        raise DocumentError(f"{path}: larger than {limit / 2**20:g} MiB; split it into smaller files")
    return data


def reason(error: OSError | ValueError) -> str:
    """Why the file system said no, and the remedy."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "no such file; check the path"
        case PermissionError():
            return "permission denied; make it readable for you (chmod u+r)"
        case OSError():
            return f"cannot be read ({os.strerror(error.errno or 0)}); check the disk and the path"
        case _:
            return "not a usable file name; check the path"


def decode(data: bytes, path: Path | str, hint: str = "") -> str:
    """The text of `data`: by its byte-order mark, as UTF-8, as `hint`, or by detection; line ends as \\n."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return clean(_decoded(data, encoding, path))
    if _binary(data):
        raise DocumentError(f"{path}: binary, not text; {_SAVE_AS_UTF8}, or give the file its proper suffix")
    for encoding in filter(None, ("utf-8", hint)):
        try:
            return clean(data.decode(encoding))
        except (UnicodeDecodeError, LookupError):
            continue
    return clean(_decoded(data, _detected(data, path), path))


def clean(text: str) -> str:
    """`text` with \\n line ends and without control characters, soft hyphens and lone surrogates."""
    text = _SURROGATE.sub("\ufffd", _LINE_END.sub("\n", text))
    return _UNWANTED.sub("", text).replace("\u00a0", " ")


def _detected(data: bytes, path: Path | str) -> str:
    """The likeliest legacy encoding. Short texts tie, or nearly; of those Western European is commonest."""
    matches = from_bytes(data, cp_isolation=_LEGACY)
    best = matches.best()
    if best is None:
        raise DocumentError(f"{path}: text in an unknown encoding; {_SAVE_AS_UTF8}")
    ties = {m.encoding for m in matches if m.chaos == best.chaos and m.coherence > best.coherence - 0.1}
    return _western(data) if ties & {"cp1252", "cp1254"} else best.encoding


def _western(data: bytes) -> str:
    """cp1252 or cp1254: they differ in six letters, Turkish in one and mostly Icelandic in the other."""
    icelandic = any(byte in data for byte in "áéíóúæÁÉÍÓÚÆ".encode("cp1252"))
    return "cp1254" if not icelandic and any(byte in data for byte in "ğışĞİŞ".encode("cp1254")) else "cp1252"


def _decoded(data: bytes, encoding: str, path: Path | str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not {encoding} at byte {error.start}; {_SAVE_AS_UTF8}") from error


def _binary(data: bytes) -> bool:
    head = data[:65536]
    return b"\0" in head or len(head) - len(head.translate(None, _CONTROL)) > 0.1 * len(head)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for test, name in kinds if test(mode)), "a device")


def _printable(path: Path) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(path))
