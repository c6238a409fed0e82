"""Texts to token ids as the plan's contract says.

Written apart from the engine, so that the two can be held against each other.
"""

from __future__ import annotations

from typing import Any

import torch

from selfedit.types import Sequence

IGNORED = -100


def encode(tokenizer: Any, sequence: str | Sequence) -> tuple[list[int], list[int]]:
    """Ids and labels. A text bears loss everywhere; of a pair the completion and its end-of-text do."""
    if isinstance(sequence, str):
        ids = list(tokenizer(sequence)["input_ids"])
        return ids, list(ids)
    prompt = list(tokenizer(sequence.prompt, add_special_tokens=False)["input_ids"])
    completion = list(tokenizer(sequence.completion, add_special_tokens=False)["input_ids"])
    completion.append(tokenizer.eos_token_id)
    return prompt + completion, [IGNORED] * len(prompt) + completion


def batch(pairs: list[tuple[list[int], list[int]]], pad: int, device: str) -> dict[str, torch.Tensor]:
    """Right-padded inputs of a training step; pads are neither attended to nor in the loss."""
    width = max(len(ids) for ids, _ in pairs)
    return {
        "input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in pairs], device=device),
        "attention_mask": torch.tensor(
            [[1] * len(i) + [0] * (width - len(i)) for i, _ in pairs], device=device
        ),
        "labels": torch.tensor([row + [IGNORED] * (width - len(row)) for _, row in pairs], device=device),
    }


def left_padded(rows: list[list[int]], pad: int, device: str) -> dict[str, torch.Tensor]:
    """Left-padded prompts of one generation batch."""
    width = max(map(len, rows))
    return {
        "input_ids": torch.tensor([[pad] * (width - len(ids)) + ids for ids in rows], device=device),
        "attention_mask": torch.tensor([[0] * (width - len(i)) + [1] * len(i) for i in rows], device=device),
    }
