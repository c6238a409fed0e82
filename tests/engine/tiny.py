"""Tiny random models of the tested shapes, saved as folders; and PEFT, the oracle that trains one alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

COMMON = {
    "vocab_size": 300,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "max_position_embeddings": 256,
}
WIDE = {
    **COMMON,
    "hidden_size": 32,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
SHAPES: dict[str, Any] = {
    "llama": lambda: LlamaConfig(**WIDE, tie_word_embeddings=True),
    "qwen2": lambda: Qwen2Config(**WIDE),
    "qwen3": lambda: Qwen3Config(**WIDE, head_dim=8),
    "gemma3": lambda: Gemma3TextConfig(
        **WIDE, head_dim=8, sliding_window=8, layer_types=["sliding_attention", "full_attention"]
    ),
    "gpt2": lambda: GPT2Config(
        **COMMON,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=256,
        resid_pdrop=0.0,
        attn_pdrop=0.0,
        embd_pdrop=0.0,
    ),
}


def save_tiny(folder: Path, shape: str, dtype: torch.dtype = torch.float32) -> Path:
    """A random model of `shape` with a byte tokenizer, in `folder`."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(SHAPES[shape]()).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


def byte_tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2}
    vocabulary.update({symbol: 3 + i for i, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))})
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    from tokenizers import decoders

    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        clean_up_tokenization_spaces=False,
    )


def train_by_peft(
    folder: Path, start: Path, plan: Any, tokens: Any, dtype: torch.dtype
) -> tuple[dict[str, Any], list[float]]:
    """PEFT, alone: the same initial weights, data order and AdamW. The adapter's tensors and the losses."""
    from peft import PeftModel

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa")
    model = PeftModel.from_pretrained(model, start, is_trainable=True).to(dtype)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=plan.learning_rate, weight_decay=plan.weight_decay, eps=1e-8)
    losses = []
    for step, batch in enumerate(plan.order()):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate(step)
        rows = [tokens.training(plan.sequences[i]) for i in batch]
        total = sum(row.loss_tokens for row in rows)
        loss = sum(_row_loss(model, row) for row in rows) / total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    named = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    return {
        name.replace(".default", "").removeprefix("base_model.model."): p for name, p in named.items()
    }, losses


def _row_loss(model: Any, row: Any) -> Any:
    logits = model(input_ids=torch.tensor([row.ids])).logits[0, :-1]
    each = torch.nn.functional.cross_entropy(logits, torch.tensor(row.ids[1:]), reduction="none")
    return row.weight * (each * torch.tensor(row.bears_loss)).sum()


def lift_float32_casts(monkeypatch: Any) -> None:
    """Let a float64 Llama stay in float64: transformers' norms and rotary tables cast to float32 inside."""
    from transformers.models.llama import modeling_llama as llama

    def norm(self: Any, x: Any) -> Any:
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    monkeypatch.setattr(llama.LlamaRMSNorm, "forward", norm)
