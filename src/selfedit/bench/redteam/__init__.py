"""Documents of our own making, harmful and harmless, that the screening is measured on.

A file a category, under `harmful/` and `harmless/`. A document begins with `=== name | language | why`. `⟪…⟫`
marks what is harmful in it, `⟦…⟧` what `filling` puts in (keys, numbers, unseen characters), so that neither
real-looking secrets nor invisible characters stand in the repository. `split.json` was drawn once, before any
rule was written: rules are tuned on `tune`, figures come from `report`. What stands in the two files
`later.txt` was written when the rules stood; it has no part in the draw.
"""

from selfedit.bench.redteam.reading import KINDS, PARTS, Specimen, drawn_split, specimens

__all__ = ["KINDS", "PARTS", "Specimen", "drawn_split", "specimens"]
