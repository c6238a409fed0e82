"""The numerics: a frozen base, many adapters, four verbs. Knows nothing of documents, rewards or stores."""

from selfedit.engine.core import Engine
from selfedit.engine.lora import Adapter
from selfedit.engine.settings import Settings
from selfedit.engine.train import Budget

__all__ = ["Adapter", "Budget", "Engine", "Settings"]
