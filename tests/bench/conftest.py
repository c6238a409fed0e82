"""A tiny random model in a folder, and settings that run on it in a moment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from selfedit.bench import Settings, settings_for


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024, initializer_range=0.3,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(["the city of the people"], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<end>")


@pytest.fixture
def settings(base: str) -> Settings:
    return settings_for(
        "train",
        quick=True,
        base=base,
        synthetic=True,
        device="cpu",
        dtype="float32",
        threads=(1,),
        pad_to=256,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two passages, the first with fewer questions than the second."""
    rows = [
        {
            "title": "Mill",
            "context": "The mill stands by the river Orr. It was built in 1802 by brothers. It burned twice.",
            "questions": [{"question": "When was it built?", "answer": "1802"}],
        },
        {
            "title": "Orr",
            "context": "The Orr rises in the hills. It is 40 km long.",
            "questions": [
                {"question": "Where does it rise?", "answer": "in the hills"},
                {"question": "How long is it?", "answer": "40 km"},
            ],
        },
    ]
    folder = tmp_path / "squad"
    folder.mkdir()
    (folder / "train.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.fixture(autouse=True)
def _threads():
    """Benchmarks choose thread counts; other tests get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
