"""A store as one HTML page: rounds, tables, passages, the history of what was learned, cost and settings.

    writing      from a store to a file: read this first
    gathering    store → `found`: what the page tells, as frozen values
    plots        `found` → SVG, in the page's own colours
    grids        grids of tasks of demonstrations → SVG of our own
    page         `found` and plots → HTML

The page needs no network and holds all it shows. Nothing here loads a model, or changes a store.
"""
