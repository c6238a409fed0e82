"""Whoever computes: in this process, in several, on other machines. Knows nothing of documents or stores.

The workers themselves are in modules of their own, so that who computes nothing need not load an engine.
"""

from selfedit.workers.base import Progress, Worker

__all__ = ["Progress", "Worker"]
