"""Recipes: whole experiments as YAML, read with every mistake named. Those that ship lie beside this file.

Runs nothing, and knows nothing of models or stores.
"""

from selfedit.recipes.cost import Cost, Estimate, Sizes, estimate
from selfedit.recipes.files import data_file
from selfedit.recipes.reading import (
    dump_recipe,
    load_recipe,
    load_stream,
    parse_recipe,
    parse_stream,
    shipped,
    shipped_streams,
)
from selfedit.recipes.solving_cost import SolvingSizes, solving_estimate
from selfedit.recipes.sources import Shown, reporting_tasks, training_tasks

__all__ = [
    "Cost",
    "Estimate",
    "Shown",
    "Sizes",
    "SolvingSizes",
    "data_file",
    "dump_recipe",
    "estimate",
    "load_recipe",
    "load_stream",
    "parse_recipe",
    "parse_stream",
    "reporting_tasks",
    "shipped",
    "shipped_streams",
    "solving_estimate",
    "training_tasks",
]
