"""Whoever computes: in this process, in several, on other machines. Knows nothing of documents or stores."""

from selfedit.workers.base import Progress, Worker
from selfedit.workers.local import LocalWorker
from selfedit.workers.pool import PooledWorker

__all__ = ["LocalWorker", "PooledWorker", "Progress", "Worker"]
