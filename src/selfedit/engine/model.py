"""The frozen base: loading it, its tokens, and one forward pass over packed rows.

The only place that knows chat templates, special tokens and loss masks. Knows nothing of optimisers or
sampling.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedTokenizerBase,
)
from transformers.pytorch_utils import Conv1D
from transformers.utils import logging as transformers_logging

from selfedit.engine import attention
from selfedit.engine.adapted import AdaptedLinear, Run, Siblings
from selfedit.engine.attention import Pass
from selfedit.engine.bank import Bank, Spec
from selfedit.engine.divergence import Pull
from selfedit.engine.kernels import fuse
from selfedit.engine.loss import OutputHead
from selfedit.errors import EngineError, ModelError
from selfedit.types import Message, Sequence

SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Names of linear layers that read one input."""


@final
@dataclass(frozen=True)
class TokenRow:
    """A training row: its ids [T], and for each but the first whether its prediction bears loss [T-1]."""

    ids: tuple[int, ...]
    bears_loss: tuple[bool, ...]
    weight: float = 1.0
    pull: Pull | None = None

    @property
    def home(self) -> bool:
        """Whether it is pulled to the head that it is trained on."""
        return self.pull is not None and self.pull.home

    @property
    def loss_tokens(self) -> int:
        return sum(self.bears_loss)


@final
class Tokens:
    """Text to token ids and back, by the model's own tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: frozenset[int], limit: int) -> None:
        self.tokenizer, self.ends, self.limit = tokenizer, ends, limit

    def plain(self, text: str) -> list[int]:
        """Ids of a text as it is: no special tokens added."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def prompt(self, prompt: str | Items[Message]) -> list[int]:
        """Ids of a request's prompt: a string as it is, or chat messages through the model's template."""
        return self.plain(self.rendered(prompt))

    def rendered(self, prompt: str | Items[Message]) -> str:
        """The prompt as one text."""
        if isinstance(prompt, str):
            return prompt
        if not self.tokenizer.chat_template:
            raise EngineError("this base has no chat template; give the prompt as a string")
        text = self.tokenizer.apply_chat_template(
            [dict(message) for message in prompt], tokenize=False, add_generation_prompt=True
        )
        return str(text)

    def training(self, sequence: str | Sequence) -> TokenRow:
        """Ids and loss mask of a training sequence."""
        if isinstance(sequence, str):
            ids = list(self.tokenizer(sequence)["input_ids"])
            return TokenRow(tuple(ids), (True,) * max(0, len(ids) - 1))
        prompt = self.plain(sequence.prompt)
        completion = [*self.plain(sequence.completion), *self._end()]
        ids = prompt + completion
        mask = tuple(at >= len(prompt) for at in range(1, len(ids)))
        return TokenRow(tuple(ids), mask, sequence.weight)

    def _end(self) -> list[int]:
        end = self.tokenizer.eos_token_id
        return [int(end)] if isinstance(end, int) else []

    def text(self, ids: Items[int]) -> str:
        return str(
            self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )


@final
class Model:
    """A decoder whose linear layers are adapted, and its output head. The engine alone changes it."""

    def __init__(
        self, decoder: nn.Module, head: OutputHead, layers: dict[str, AdaptedLinear], run: Run
    ) -> None:
        self.decoder, self.head, self.layers, self.run = decoder, head, layers, run

    @property
    def device(self) -> torch.device:
        return self.head.weight_VH.device

    @property
    def dtype(self) -> torch.dtype:
        return self.head.weight_VH.dtype

    def pack(self) -> None:
        """Keep frozen weights in a second layout that products are faster with, where this device has one."""
        self.run.pack = True
        self.head.pack()

    @property
    def weight_bytes(self) -> int:
        """Bytes of all linear layers and the output head."""
        weights = [layer.weight for layer in self.layers.values()]
        return sum(weight.numel() * weight.element_size() for weight in [*weights, self.head.weight_VH])

    def specs(self, names: Items[str]) -> list[Spec]:
        return [self.layers[name].spec for name in names]

    def bank(self, names: Items[str], slots: int, rank: int) -> Bank:
        """An empty bank for `slots` adapters of up to `rank` on the named layers."""
        return Bank(self.specs(names), slots, self.run.rounded(rank), self.device, self.dtype)

    def hidden(self, ids_N: Tensor, work: Pass) -> Tensor:
        """Last hidden states [N, H] of packed rows."""
        out = self.decoder(
            input_ids=ids_N[None],
            position_ids=work.rows.position_N[None],
            use_cache=False,
            selfedit_pass=work,
        )
        return out.last_hidden_state[0]


def load_model(folder: Path, device: torch.device, dtype: torch.dtype) -> Model:
    """Read a model folder's safetensors. Raises ModelError for what cannot be loaded or is no decoder."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        whole: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation=attention.NAME,
            use_safetensors=True,
            local_files_only=True,
        )
    except Exception as error:  # a door: whatever transformers meets becomes one line
        raise ModelError(
            f"{folder}: not a decoder that can be loaded ({_line(error)}); check the folder"
        ) from error
    return adapt(whole.to(device).eval())


def adapt(whole: Any) -> Model:
    """Take a transformers causal language model apart; its linear layers are replaced in place."""
    whole.requires_grad_(False)
    whole.config.pad_token_id = None  # else some decoders look for pads in every pass, and wait for it
    output = whole.get_output_embeddings()
    run = Run(torch.zeros((), requires_grad=True, device=output.weight.device, dtype=output.weight.dtype))
    layers: dict[str, AdaptedLinear] = {}
    for name, module in list(whole.named_modules()):
        if module is not output and isinstance(module, nn.Linear | Conv1D):
            layers[name] = AdaptedLinear(name, module, run)
            whole.set_submodule(name, layers[name])
    _join(layers)
    if not layers:
        raise ModelError(f"{type(whole).__name__}: no linear layers to adapt; use a transformer decoder")
    text = whole.config.get_text_config()
    head = OutputHead(
        output.weight, getattr(output, "bias", None), getattr(text, "final_logit_softcapping", None)
    )
    fuse(whole)
    return Model(whole.base_model, head, layers, run)


def _join(layers: dict[str, AdaptedLinear]) -> None:
    """Make siblings of the layers that read one input in every decoder that names them so."""
    for names in SIBLINGS:
        for first in [name for name in layers if name.endswith(f".{names[0]}")]:
            parent = first.removesuffix(names[0])
            found = [layers[parent + name] for name in names if parent + name in layers]
            if len(found) == len(names) and len({layer.in_features for layer in found}) == 1:
                siblings = Siblings(found)
                for layer in found:
                    layer.siblings = siblings


def load_tokens(folder: Path) -> Tokens:
    """The tokenizer, every end token of the generation config, and the longest row that the model takes."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        config = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
    except Exception as error:  # a door: whatever transformers meets becomes one line
        raise ModelError(
            f"{folder}: its tokenizer cannot be read ({_line(error)}); check the folder"
        ) from error
    tokenizer.model_max_length = 1 << 30
    limit = int(getattr(config, "max_position_embeddings", 1 << 20))
    return Tokens(tokenizer, _ends(folder, tokenizer, config), limit)


def _ends(folder: Path, tokenizer: Any, config: Any) -> frozenset[int]:
    try:
        ends = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
    except OSError:
        ends = config.eos_token_id
    found = ends if isinstance(ends, list) else [ends]
    return frozenset(int(end) for end in [*found, tokenizer.eos_token_id] if end is not None)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
