"""Pairs of passages of our own making: what was learned, and what comes new.

A new passage contradicts (`contradiction`; `correction` where it says that something changed), or it does
not: it `adds`, `repeats` in other words, speaks of some `other` thing, or is the same in another `writing`.
The halves were drawn by lot, by old passages, before any rule was written: rules are tuned on `tune`, figures
come from `report`. What is in `later.txt` was written when the rules stood; it has no part in the draw.
"""

from selfedit.bench.conflicts.reading import CONFLICTING, HARMLESS, LABELS, PARTS, Pair, drawn_half, pairs

__all__ = ["CONFLICTING", "HARMLESS", "LABELS", "PARTS", "Pair", "drawn_half", "pairs"]
