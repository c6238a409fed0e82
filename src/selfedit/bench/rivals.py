"""The rivals: what a user does without our engine. Nothing here is ours but the work that is asked for.

*Published*: transformers' `Trainer`, one adapter at a time, batch 1, each sequence padded to 2048 tokens, the
pads in the loss, as SEAL's code does. *Careful*: PEFT one adapter at a time, no padding, fused AdamW, no
Trainer; generation in mixed-adapter batches. Sequences, orders and learning rates are the plan's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from selfedit.bench.machine import DTYPES, seconds
from selfedit.bench.tokens import batch, encode, left_padded
from selfedit.types import TrainingPlan

Weights = dict[str, torch.Tensor]


@final
@dataclass(frozen=True)
class Base:
    """A folder's model as transformers loads it, and its tokenizer."""

    path: str
    device: str
    dtype: str

    def model(self) -> Any:
        model: Any = AutoModelForCausalLM.from_pretrained(
            self.path, dtype=DTYPES[self.dtype], attn_implementation="sdpa", local_files_only=True
        )
        if self.device.startswith("cuda"):
            torch.set_float32_matmul_precision("high")
        return model.to(self.device).eval()

    def tokenizer(self) -> Any:
        return AutoTokenizer.from_pretrained(self.path, local_files_only=True)


def lora_config(plan: TrainingPlan) -> LoraConfig:
    modules = plan.target_modules
    return LoraConfig(
        r=plan.rank,
        lora_alpha=plan.alpha,  # pyright: ignore[reportArgumentType]  # PEFT takes fractions too
        target_modules=modules if isinstance(modules, str) else list(modules),
        lora_dropout=plan.dropout,
        bias="none",
        task_type="CAUSAL_LM",
    )


# -- careful: training ----------------------------------------------------------------------------


@final
class Careful:
    """One base with one LoRA that is set back before each plan. Owns its model."""

    def __init__(self, base: Base, plan: TrainingPlan) -> None:
        """`plan` gives the rank, alpha and modules; plans trained later must agree in them."""
        self.base = base
        self.tokenizer = base.tokenizer()
        self.model = get_peft_model(base.model(), lora_config(plan))
        self.parameters = {
            name: value for name, value in self.model.named_parameters() if value.requires_grad
        }

    def load(self, weights: Weights) -> None:
        """Set the adapter; keys as in a PEFT file."""
        missing = {_file_key(name) for name in self.parameters} ^ set(weights)
        if missing:
            raise ValueError(f"adapter does not fit: {sorted(missing)[:3]}")
        with torch.no_grad():
            for name, value in self.parameters.items():
                value.copy_(weights[_file_key(name)])

    def weights(self) -> Weights:
        return {_file_key(name): value.detach().clone() for name, value in self.parameters.items()}

    def train(self, plan: TrainingPlan, start: Weights, steps: int | None = None) -> list[float]:
        """Train the adapter from `start` by the plan (at most `steps` steps); the loss of each step."""
        self.load(start)
        pairs = [encode(self.tokenizer, sequence) for sequence in plan.sequences]
        values = list(self.parameters.values())
        optimizer = torch.optim.AdamW(
            values,
            lr=plan.learning_rate,
            betas=(0.9, 0.999),
            eps=1e-8,
            weight_decay=plan.weight_decay,
            fused=True,
        )
        self.model.train()
        losses = [
            self._step(plan.rate(t), [pairs[i] for i in order], optimizer)
            for t, order in enumerate(plan.order()[:steps])
        ]
        self.model.eval()
        return torch.stack(losses).tolist() if losses else []

    def _step(self, rate: float, pairs: list[Any], optimizer: torch.optim.Optimizer) -> torch.Tensor:
        optimizer.param_groups[0]["lr"] = rate
        inputs = batch(pairs, self.tokenizer.eos_token_id, self.base.device)
        loss = self.model(**inputs, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    @torch.no_grad()
    def mean_loss(self, plan: TrainingPlan, weights: Weights) -> float:
        """Mean over the plan's sequences of the loss under an adapter: the judge of every side's result."""
        self.load(weights)
        pairs = [encode(self.tokenizer, sequence) for sequence in plan.sequences]
        eos = self.tokenizer.eos_token_id
        losses = [self.model(**batch([pair], eos, self.base.device)).loss for pair in pairs]
        return torch.stack(losses).double().mean().item()

    def answer(self, prompts: list[str], max_tokens: int) -> list[list[int]]:
        """The adapter in place continues all prompts in one left-padded batch."""
        return _generate(self.model, self.tokenizer, prompts, max_tokens, self.base.device)


def _file_key(name: str) -> str:
    return name.replace(".default.", ".")


def read_adapter(folder: str | Path) -> Weights:
    return load_file(Path(folder) / "adapter_model.safetensors")


# -- careful: generation and score ----------------------------------------------------------------


@final
class Mixed:
    """One base with many adapters loaded by PEFT, for mixed-adapter batches."""

    def __init__(self, base: Base, folders: Items[str]) -> None:
        self.base = base
        self.tokenizer = base.tokenizer()
        self.names = [f"a{i}" for i in range(len(folders))]
        self.model = PeftModel.from_pretrained(base.model(), folders[0], adapter_name=self.names[0])
        for name, folder in zip(self.names[1:], folders[1:], strict=True):
            self.model.load_adapter(folder, adapter_name=name)
        self.model.eval()

    def generate(self, prompts: list[str], adapters: list[int], max_tokens: int) -> list[list[int]]:
        """One left-padded batch, each row with its adapter; the new ids of each, its end token included."""
        names = [self.names[i] for i in adapters]
        return _generate(
            self.model, self.tokenizer, prompts, max_tokens, self.base.device, adapter_names=names
        )

    def generate_one(self, prompt: str, adapter: int, max_tokens: int) -> list[int]:
        """One row alone, its adapter active."""
        self.model.set_adapter(self.names[adapter])
        return _generate(self.model, self.tokenizer, [prompt], max_tokens, self.base.device)[0]

    @torch.no_grad()
    def score(self, pairs: list[tuple[str, str]], adapter: int) -> list[float]:
        """Log-probability of each completion after its prompt: one padded batch, full logits."""
        self.model.set_adapter(self.names[adapter])
        ids = [_scored(self.tokenizer, prompt, completion) for prompt, completion in pairs]
        inputs = batch(ids, self.tokenizer.eos_token_id, self.base.device)
        labels = inputs.pop("labels")[:, 1:]
        log_p = self.model(**inputs).logits[:, :-1].float().log_softmax(-1)
        chosen = log_p.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        return chosen.masked_fill(labels < 0, 0).sum(-1).tolist()


def _scored(tokenizer: Any, prompt: str, completion: str) -> tuple[list[int], list[int]]:
    """Ids and labels of a completion alone, without an end-of-text. Neither part gets special tokens."""
    head = list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    tail = list(tokenizer(completion, add_special_tokens=False)["input_ids"])
    return head + tail, [-100] * len(head) + tail


@torch.no_grad()
def _generate(
    model: Any, tokenizer: Any, prompts: list[str], max_tokens: int, device: str, **more: Any
) -> list[list[int]]:
    rows = [list(tokenizer(prompt, add_special_tokens=False)["input_ids"]) for prompt in prompts]
    inputs = left_padded(rows, tokenizer.eos_token_id, device)
    width = inputs["input_ids"].shape[1]
    out = model.generate(
        **inputs, max_new_tokens=max_tokens, do_sample=False, pad_token_id=tokenizer.eos_token_id, **more
    )
    ends = end_tokens(model.generation_config, tokenizer)
    return [_until_end(row, ends) for row in out[:, width:].tolist()]


def end_tokens(config: Any, tokenizer: Any) -> frozenset[int]:
    """Every end token of a generation config, and the tokenizer's."""
    found = config.eos_token_id
    ends = [found] if isinstance(found, int) else list(found or [])
    return frozenset([*ends, tokenizer.eos_token_id])


def generation_config(path: str) -> GenerationConfig:
    """The folder's own, or what its model config says."""
    try:
        return GenerationConfig.from_pretrained(path, local_files_only=True)
    except OSError:
        return GenerationConfig.from_model_config(AutoConfig.from_pretrained(path, local_files_only=True))


def _until_end(ids: list[int], ends: frozenset[int]) -> list[int]:
    """The ids before the first end token."""
    return next((ids[:i] for i, token in enumerate(ids) if token in ends), ids)


# -- published ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaddedRun:
    """Seconds of each optimiser step, and its loss."""

    seconds: tuple[float, ...]
    losses: tuple[float, ...]


def published(base: Base, plan: TrainingPlan, steps: int, pad_to: int) -> PaddedRun:
    """The first `steps` steps of the plan under `Trainer`, sequences padded to `pad_to`, pads in the loss."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    tokenizer = base.tokenizer()
    rows = padded_rows(tokenizer, plan, pad_to)
    clock = _clock(base.device)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=1, max_steps=steps, seed=plan.seed,
            learning_rate=plan.learning_rate, lr_scheduler_type="linear",
            logging_steps=1, save_strategy="no", report_to=[],
            disable_tqdm=True, use_cpu=base.device == "cpu", bf16=False, dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = Trainer(
            model=get_peft_model(base.model(), lora_config(plan)),
            args=arguments,
            train_dataset=rows,  # pyright: ignore[reportArgumentType]  # a list is a map-style data set
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return PaddedRun(tuple(clock.seconds), tuple(losses))


def padded_rows(tokenizer: Any, plan: TrainingPlan, pad_to: int) -> list[dict[str, torch.Tensor]]:
    """Each sequence padded with end-of-text to `pad_to`; labels are the ids, pads and prompts included."""
    rows = []
    for sequence in plan.sequences:
        ids = encode(tokenizer, sequence)[0][:pad_to]
        padded = torch.tensor(ids + [tokenizer.eos_token_id] * (pad_to - len(ids)))
        mask = (torch.arange(pad_to) < len(ids)).long()
        rows.append({"input_ids": padded, "attention_mask": mask, "labels": padded.clone()})
    return rows


def _clock(device: str) -> Any:
    """A callback that times optimiser steps; made here so that importing this file leaves Trainer alone."""
    import time

    from transformers import TrainerCallback

    from selfedit.bench.machine import wait

    @final
    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.seconds: list[float] = []
            self.started = 0.0

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            wait(device)
            self.started = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            wait(device)
            self.seconds.append(time.perf_counter() - self.started)

    return Clock()


def timed(work: Any, device: str) -> tuple[float, Any]:
    """Seconds and result of `work`."""
    result: list[Any] = []
    took = seconds(lambda: result.append(work()), device)
    return took, result[0]
