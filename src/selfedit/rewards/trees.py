"""Boosted trees that were fitted elsewhere: numbers in, log-odds out. Knows nothing of answers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from selfedit.errors import UsageError

Node = float | tuple[int, float, "Node", "Node"]
"""A leaf's value; or a feature, its threshold, and where one goes from there."""


@final
@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes side by side. A leaf has feature -1; from an inner node one goes left where x <= threshold."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def node(self, at: int = 0) -> Node:
        """The tree from a node on as nested tuples, which are walked fastest."""
        if self.feature[at] < 0:
            return self.value[at]
        left, right = self.node(self.left[at]), self.node(self.right[at])
        return self.feature[at], self.threshold[at], left, right


@final
@dataclass(frozen=True)
class Trees:
    """A sum of trees (Friedman 2001): the log-odds of a binary outcome."""

    names: tuple[str, ...]
    """Of the features, in order."""
    start: float
    trees: tuple[Tree, ...]

    @cached_property
    def _nodes(self) -> tuple[Node, ...]:
        return tuple(tree.node() for tree in self.trees)

    def __call__(self, x: Items[float]) -> float:
        total = self.start
        for node in self._nodes:
            while isinstance(node, tuple):
                feature, threshold, left, right = node
                node = left if x[feature] <= threshold else right
            total += node
        return total

    def as_json(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "start": self.start,
            "trees": [
                {
                    "feature": list(tree.feature),
                    "threshold": [float(f"{t:.6g}") for t in tree.threshold],
                    "left": list(tree.left),
                    "right": list(tree.right),
                    "value": [float(f"{v:.4g}") for v in tree.value],
                }
                for tree in self.trees
            ],
        }


def read_trees(held: dict[str, Any], names: Items[str]) -> Trees:
    """Trees as `as_json` wrote them. Raises UsageError where they were fitted on other features."""
    if tuple(held["names"]) != tuple(names):
        raise UsageError("trees were fitted on other features than there are; fit them again")
    trees = tuple(
        Tree(**{name: tuple(tree[name]) for name in ("feature", "threshold", "left", "right", "value")})
        for tree in held["trees"]
    )
    return Trees(tuple(names), held["start"], trees)


def load_trees(text: str, names: Items[str]) -> Trees:
    return read_trees(json.loads(text), names)


def probability(log_odds: float) -> float:
    """The logistic function, safe at both ends."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(log_odds) / (1 + math.exp(log_odds))


def log_odds(probability: float, least: float = 1e-6) -> float:
    """Its inverse; probabilities nearer to 0 or 1 than `least` count as that near."""
    kept = min(max(probability, least), 1 - least)
    return math.log(kept / (1 - kept))
