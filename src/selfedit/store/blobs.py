"""Files named by the SHA-256 of their bytes: `ab/abcdef….safetensors`.

A blob is written beside its place, synced, renamed, and the folders synced, so that a name that can be seen
always stands for whole contents. Knows nothing of adapters or of who refers to a blob. One process writes at
a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Container, Generator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, final

from selfedit.errors import StoreError
from selfedit.store.failures import explained

SUFFIX = ".safetensors"
_INCOMING = ".incoming-"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: its SHA-256 and its size."""

    hash: str
    bytes: int


@final
class Blobs:
    """The blobs under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the blob is, or would be."""
        return self._folder / digest[:2] / f"{digest}{SUFFIX}"

    def add(self, contents: bytes | Path) -> Blob:
        """Store `contents` (bytes, or a file to copy) durably; one that is there is left, or mended."""
        with _opened(contents) as stream, explained("writing an adapter", self._folder):
            incoming = self._folder / f"{_INCOMING}{uuid.uuid4().hex}"
            try:
                blob = _copy(stream, incoming)
                self._place(incoming, blob)
            finally:
                incoming.unlink(missing_ok=True)
        return blob

    def read(self, digest: str, *, verify: bool = True) -> bytes:
        """The blob's bytes. Raises StoreError if it is missing or, with `verify`, damaged."""
        with explained("reading an adapter", self.path(digest)):
            contents = self.path(digest).read_bytes()
        if verify and hashlib.sha256(contents).hexdigest() != digest:
            raise StoreError(f"{self.path(digest)}: damaged; put a backup of it in its place")
        return contents

    def problem(self, digest: str) -> str | None:
        """Why the blob is no good, or None. Reads it whole."""
        try:
            with self.path(digest).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            return f"blob {digest}: missing"
        except OSError as error:
            return f"blob {digest}: unreadable ({error.strerror})"
        return None if found == digest else f"blob {digest}: its bytes have another hash ({found})"

    def sweep(self) -> None:
        """Remove what interrupted writers left. Only the holder of the write lock may ask for it."""
        with explained("removing unfinished files", self._folder):
            self._folder.mkdir(exist_ok=True)
            for left in self._folder.glob(f"{_INCOMING}*"):
                left.unlink(missing_ok=True)

    def take(self, digest: str, other: Blobs) -> bool:
        """Have a blob of `other` here too, linked or copied, as good as it is; False if it is not there."""
        target = self.path(digest)
        if target.exists():
            return True
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(other.path(digest), target)
        except FileNotFoundError:
            return False
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(other.path(digest), target)
            with target.open("rb+") as file:
                os.fsync(file.fileno())
        return True

    def sync(self) -> None:
        """Make the names of all blobs durable."""
        for folder in (*self._folder.glob("??"), self._folder):
            sync_folder(folder)

    def keep_only(self, named: Container[str]) -> list[int]:
        """Remove all blobs but those `named`, durably; returns the sizes of what went.

        Only the holder of the write lock may ask for it.
        """
        removed, folders = list[int](), set[Path]()
        with explained("removing adapters", self._folder):
            for blob in self._folder.glob(f"??/*{SUFFIX}"):
                if blob.name.removesuffix(SUFFIX) not in named:
                    removed.append(blob.lstat().st_size)
                    blob.unlink()
                    folders.add(blob.parent)
            for folder in folders:
                sync_folder(folder)
        return removed

    def _place(self, incoming: Path, blob: Blob) -> None:
        target = self.path(blob.hash)
        if not target.parent.is_dir():
            target.parent.mkdir(exist_ok=True)
            sync_folder(self._folder)
        if self.problem(blob.hash):
            os.replace(incoming, target)
        sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(stream: IO[bytes], target: Path) -> Blob:
    """Write `stream` to the new file `target` and sync it; the hash is of what was written."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        while chunk := stream.read(_CHUNK):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        out.flush()
        os.fsync(out.fileno())
    return Blob(digest.hexdigest(), size)


@contextlib.contextmanager
def _opened(contents: bytes | Path) -> Generator[IO[bytes]]:
    if isinstance(contents, bytes):
        yield BytesIO(contents)
        return
    with explained("reading the trained adapter", contents):
        stream = contents.open("rb")
    with stream:
        yield stream
