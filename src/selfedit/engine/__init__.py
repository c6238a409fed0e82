"""The numerics: a frozen base, many adapters, a few verbs. Knows nothing of documents, rewards or stores."""

from selfedit.engine.core import Engine
from selfedit.engine.lora import Adapter
from selfedit.engine.moments import Moments
from selfedit.engine.settings import Settings
from selfedit.engine.train import Budget

__all__ = ["Adapter", "Budget", "Engine", "Moments", "Settings"]
