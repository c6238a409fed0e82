"""Counting arithmetic and threads; nothing here is timed."""

from __future__ import annotations

import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig

from selfedit.bench import machine


def test_shape_counts_linear_layers_and_head_apart(base: str):
    shape = machine.shape_of(AutoConfig.from_pretrained(base))
    model = AutoModelForCausalLM.from_pretrained(base)
    linear = [m for m in model.model.modules() if isinstance(m, torch.nn.Linear)]
    assert shape.linear == sum(m.weight.numel() for m in linear)
    assert shape.head == model.lm_head.weight.numel()


def test_tied_head_is_counted_once_as_head():
    config = LlamaConfig(
        vocab_size=50, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        tie_word_embeddings=True,
    )  # fmt: skip
    shape = machine.shape_of(config)
    assert (shape.head, shape.linear) == (400, 4 * 64 + 3 * 128)


def test_trained_token_costs_four_operations_a_weight():
    shape = machine.Shape(hidden=2, wide=4, linear=100, head=10)
    assert shape.training_flops(lora=5, loss_share=0.5) == 4 * 105 + 30
    assert shape.forward_flops(lora=5) == 2 * 115


def test_thread_counts():
    assert machine.thread_counts((2, 1, 2), "cpu") == [1, 2]
    assert machine.thread_counts((), "cpu")[0] == 1
    assert len(machine.thread_counts((), "cuda:0")) == 1


def test_auto_is_made_plain():
    device, dtype = machine.resolve("auto", "auto")
    assert (device, dtype) in {("cpu", "float32"), ("cuda", "bfloat16")}
    assert machine.resolve("cpu", "bfloat16") == ("cpu", "bfloat16")


def test_peak_memory_sees_what_was_allocated():
    before = machine.peak_memory_mb("cpu")["host"]
    block = torch.ones(int(before + 64) * 2**18)
    assert machine.peak_memory_mb("cpu")["host"] > block.numel() / 2**18
