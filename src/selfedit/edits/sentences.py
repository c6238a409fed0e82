"""Where sentences begin and end, by rule. Knows English best; other Latin-script languages acceptably."""

from __future__ import annotations

import itertools

import regex

from selfedit.edits.words import listed

_END = regex.compile(r"(?<![.!?…])[.!?…]++(?:\[\d++\])*+[\"'”’»)\]]*+(?:\[\d++\])*+(?=\s|$)")
_BREAK = regex.compile(r"\n[ \t]*\n\s*|\n(?=[ \t]*(?:[-*•#|>]|\d{1,3}[.)])[ \t])")
_LAST_WORD = regex.compile(r"[^\s(\[\"“«„'‘]+$")
_NEXT_WORD = regex.compile(r"\s*[\"'“”‘«„(\[¿¡*_]*([^\s,;:.!?]*)")
_ENCLOSED = regex.compile(
    r"\([^()\n]{0,300}\)|“[^“”\n]{0,300}”|«[^«»\n]{0,300}»|(?<![\w\"])\"[^\"\n]{0,300}\"(?!\w)"
)
_INITIAL = regex.compile(r"\p{Lu}|(?:\p{Lu}\.)+\p{Lu}|(?:\p{Lu}\.?-)\p{Lu}")
_MONTH = regex.compile(
    r"(?i)(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|ocak|şub|nis|haz|tem|ağu|eyl|eki|kas|ara)\p{L}*"
)

# Never the last word of a sentence: a name or a number follows.
_ALWAYS = listed(
    """
    mr mrs ms mx dr prof rev hon st sr sra srta mme mlle mgr gen col maj capt cmdr lt sgt cpl adm gov
    sen rep pres fr br messrs mt ft pt no nos nr vol vols fig figs eq ch sec art pp p ed eds trans cf vs
    v viz e.g i.e eg ie approx ca c circa al op cit est b d r m z.b bzw bspw vgl d.h u.a z.t hr hrsg bd
    s p.ex p.ej ej núm sig dott avv ing doç av örn bkz vb yrd jan feb mar apr jun jul aug sept sep oct
    nov dec str num gb rt ven supt insp det univ
    """
)
# Either: the next word decides.
_SOMETIMES = listed(
    """
    jr inc ltd co corp bros llc plc dept assn etc usw ecc a.m p.m b.c a.d b.c.e c.e u.s u.k u.n e.u d.c
    ph.d m.d b.a m.a b.sc m.sc esq ave blvd rd mi km lb lbs oz in min max hr hrs sq cu
    """
)
_STARTERS = listed(
    """
    the a an this that these those it its he she they his her their we our you your i there here in on
    at by for from with after before during since while when where what who how why although though
    however but and or as if once under over between among despite because both each all some many most
    several one two no not another other such later today then thus also according unlike until upon
    following it's der die das ein eine er sie es wir le la les un une il elle el los las una lo gli bu
    bir ve o os as
    """
)


def sentence_offsets(passage: str) -> tuple[tuple[int, int], ...]:
    """Start and end of each sentence without white space around it. Blank lines and list items divide too."""
    offsets: list[tuple[int, int]] = []
    start = 0
    for gap in (*_BREAK.finditer(passage), None):
        end = gap.start() if gap else len(passage)
        cuts = [start, *(cut for cut in _cuts(passage[start:end], start)), end]
        pairs = (_trimmed(passage, a, b) for a, b in itertools.pairwise(cuts))
        offsets += [(a, b) for a, b in pairs if a < b]
        start = gap.end() if gap else end
    return tuple(offsets)


def sentences(passage: str) -> tuple[str, ...]:
    """The passage's sentences in order, each on one line. Every word of the passage is in exactly one."""
    return tuple(" ".join(passage[start:end].split()) for start, end in sentence_offsets(passage))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _cuts(paragraph: str, shift: int) -> list[int]:
    enclosed = [match.span() for match in _ENCLOSED.finditer(paragraph)]
    cuts: list[int] = []
    begin = first = 0
    for mark in _END.finditer(paragraph):
        end = mark.end()
        while first < len(enclosed) and enclosed[first][1] <= end:
            first += 1
        inside = first < len(enclosed) and enclosed[first][0] < end
        if not inside and end < len(paragraph) and _ends(paragraph, begin, mark.span()):
            cuts.append(end + shift)
            begin = end
    return cuts


def _ends(text: str, begin: int, mark: tuple[int, int]) -> bool:
    """Whether a sentence that began at `begin` ends at the mark, from the word before and the word after."""
    found = _NEXT_WORD.match(text, mark[1])
    following = found.group(1) if found else ""
    if following and following[0].islower():
        return False
    signs = text[mark[0] : mark[1]]
    if signs[0] != "." or len(signs.rstrip("\"'”’»)]")) > 1:
        return True
    before = text[max(begin, mark[0] - 40) : mark[0]]
    last = _LAST_WORD.search(before)
    word = last.group() if last else ""
    alone = mark[0] - begin <= 40 and word == before.lstrip()
    return _ends_after_word(word.rstrip("*_"), following, alone=alone, closed=signs != ".")


def _ends_after_word(word: str, following: str, *, alone: bool, closed: bool) -> bool:
    lower, starter = word.lower().rstrip(".,"), following.lower() in _STARTERS
    if closed:
        return True
    if not word or (alone and regex.fullmatch(r"\d{1,3}|[IVXLC]+|\p{L}", word)):
        return False
    if word.isdigit():
        return not (len(word) <= 2 and _MONTH.fullmatch(following))
    if lower in _SOMETIMES:
        return starter or not following
    if lower in _ALWAYS and not (lower in ("no", "st", "art", "p", "in") and starter):
        return False
    if _INITIAL.fullmatch(word):
        return starter
    return True
