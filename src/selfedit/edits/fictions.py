"""Names and things that do not exist, in two lists that share none: one to train, one to measure with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@final
@dataclass(frozen=True, slots=True)
class Fictions:
    """What near-misses are made with."""

    name: str
    first: tuple[str, ...]
    """First names."""
    last: tuple[str, ...]
    """Words that pass for a surname or for a place."""
    origins: tuple[str, ...]
    """Adjectives of descent."""
    things: tuple[str, ...]
    """To follow "the"; what may stand in place of something that a question speaks of."""
    asking: tuple[str, ...]
    """Questions about anything at all, to which hardly a passage holds the answer."""
    shift: int
    """Years are moved by this and multiples of it."""


TRAINED = Fictions(
    name="trained",
    first=_words("Orvane Lisbet Corvin Maelis Teodric Anwen Jorund Selka Barnabet Ysolde"),
    last=_words(
        """
        Brasken Velmora Tullhaven Ostrand Quillby Hartveld Morrowick Zelnik Pendravo Castlemir
        Dremont Fallowen Gristad Ingelby Lorvane Nethercott Rusgrave Sundhelm Wolbrek Yarmond
        """
    ),
    origins=_words("Velmorian Torrish Quennese Ostrandic Halvenian Zelnish Pendravian"),
    things=_lines(
        """
        north tower
        spare valve
        green ledger
        winter committee
        night watch
        copper bell
        second inspection
        lower bridge
        glass workshop
        third amendment
        harbour school
        first revision
        paper mill
        summer festival
        """
    ),
    asking=_lines(
        """
        In which archive is the oldest letter about {} kept?
        Who wrote the first song about {}?
        What is written on the plaque for {}?
        How many stamps show {}?
        Which museum refused a painting of {}?
        On what day is {} remembered in schools?
        Who gave the longest speech about {}?
        Which newspaper first made a joke about {}?
        """
    ),
    shift=14,
)

HELD_OUT = Fictions(
    name="held out",
    first=_words("Alberic Noemia Percival Junette Waldo Ondine Hestor Clemenza Rufina Osgood"),
    last=_words(
        """
        Ambershaw Crickmoor Dunvarra Eskelund Farrowgate Gildenrow Hobswick Jessamond Kirvane
        Lanterby Moxholm Norquill Oakenshiel Pruthven Ravensole Stavermark Thistlow Umbrick
        """
    ),
    origins=_words("Dunvarran Eskelian Moxish Ravensolese Kirvanic Thistlowan Stavermarkish"),
    things=_lines(
        """
        eastern gate
        silver compass
        reserve engine
        blue notebook
        evening choir
        wooden pier
        final rehearsal
        upper gallery
        clay model
        seventh chapter
        village court
        last survey
        cotton market
        spring parade
        """
    ),
    asking=_lines(
        """
        Which stone was chosen for the monument to {}?
        How long was the documentary about {}?
        What did the critic of the evening paper call {}?
        Who collected postcards of {}?
        In which cellar was the first exhibition on {} held?
        Which bank printed a coin in honour of {}?
        What does the proverb about {} say?
        How many pages has the shortest book about {}?
        """
    ),
    shift=17,
)
