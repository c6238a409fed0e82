"""A folder with random weights in a known model's shape, for measuring where no weights can be fetched.

`cuda_shape.py SHAPE FOLDER [--device cuda] [--dtype bfloat16]`. The tokenizer is a byte-level BPE trained on
the benchmark's own texts, so that their lengths in tokens are near those of the real model's tokenizer. Speed
and memory depend on shapes alone; what such a model writes means nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen2Config

from selfedit.bench import settings_for, workload
from selfedit.errors import EngineError, SelfEditError

SHAPES: dict[str, dict[str, Any]] = {
    "qwen2.5-7b": {
        "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "max_position_embeddings": 32768,
        "rope_theta": 1e6, "rms_norm_eps": 1e-6, "tie_word_embeddings": False,
    },
    "tiny": {
        "vocab_size": 1024, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
    },
}  # fmt: skip
END = "<|endoftext|>"


def tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE of at most `vocabulary` tokens; the end-of-text is token 0."""
    settings = settings_for("train", data=os.environ.get("SELFEDIT_DATA"))
    settings = settings if settings.data else settings_for("train", synthetic=True)
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=min(vocabulary, 32768),
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [f"{each.title} {each.context}" for each in workload.passages(settings)]
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token=END)


def build(shape: str, folder: Path, device: str, dtype: torch.dtype) -> None:
    """Write config, random weights and tokenizer. Raises EngineError where there is no room."""
    config = Qwen2Config(**SHAPES[shape], bos_token_id=None, eos_token_id=0, pad_token_id=None)
    with torch.device("meta"):
        weights = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    folder.mkdir(parents=True, exist_ok=True)
    check_room(weights * dtype.itemsize, folder, device)
    tokenizer(config.vocab_size).save_pretrained(folder)
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.save_pretrained(folder)


def check_room(size: int, folder: Path, device: str) -> None:
    memory = torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else host_memory()
    for what, free in (("memory", memory), (f"disk under {folder}", shutil.disk_usage(folder).free)):
        if free < 1.2 * size:
            short = f"{size / 2**30:.1f} GiB of weights, {free / 2**30:.1f} GiB free"
            raise EngineError(
                f"cuda_shape: too little {what} ({short}); choose a smaller shape or another place"
            )


def host_memory() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    parser = argparse.ArgumentParser("cuda_shape.py", description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    given = parser.parse_args()
    try:
        build(given.shape, given.folder, given.device, getattr(torch, given.dtype))
    except SelfEditError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
