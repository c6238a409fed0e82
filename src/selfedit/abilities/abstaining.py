"""Does an answer say that it is not known? By rule, in English and Turkish; no model is asked.

An empty answer says nothing, and counts as not knowing. A guess after the admission ("I don't know, but
perhaps in 1912") is a statement. Where the words only stand in a name or a title, nothing is admitted.
"""

from __future__ import annotations

import regex

from selfedit.rewards import first_line

_LEADS = (
    r"(?:the )?answer(?: is|(?=:))|cevap(?=:)|yanıt(?=:)|oh|well|sorry|i'm (?:afraid|sorry)(?: that)?|no(?=,)"
    r"|unfortunately|üzgünüm|maalesef|ne yazık ki"
)
_LEAD = regex.compile(rf"^(?:(?:{_LEADS})\b)?[\s:,.;!–-]*")
"""What may come before: "The answer is:", "Sorry,"."""

_CANNOT = r"(?:do not|don't|did not|didn't|cannot|can't|could not|couldn't|am (?:not )?(?:un)?able to)"
_HAVE = r"have (?:any |that |enough |the )?(?:information|idea|answer)"
_KNOW = rf"(?:know|remember|recall|say|tell|answer|find|{_HAVE})"
_GIVEN = r"(?:known|recorded|stated|mentioned|specified|given|available|clear|certain)"
_ENDS = r"(?=[\s.!?,;)]*$)"
_PHRASES = (
    rf"(?:i|we) (?:really |simply |just |honestly )?{_CANNOT} (?:really |actually )?{_KNOW}\b",
    r"(?:i|we)(?: have|'ve) (?:no|never) (?:idea|information|knowledge|clue|record|heard|learned|read)\b",
    r"(?:i'm|i am|we are|we're) (?:not (?:sure|certain|aware|familiar)|unsure|unaware)\b",
    rf"(?:no|not enough) (?:idea|information|answer|clue|records?)"
    rf"(?:{_ENDS}| (?:is|about|on|of|was|what|who)\b)",
    rf"not (?:sure|certain)(?:{_ENDS}| (?:who|what|when|where|which|how|why|if|about)\b)",
    rf"(?:it|this|that|the (?:[\w-]+ ){{1,5}}?)\s?(?:is|was) (?:not (?:yet )?{_GIVEN}|unknown|unclear)"
    rf"(?:{_ENDS}| (?:who|what|when|where|which|how|why|whether|in the|from the)\b)",
    r"there (?:is|was) no (?:such|information|answer|record|known|mention)\b",
    r"(?:nobody|no[ -]one) knows\b",
    rf"(?:unknown|unclear|unsure|unspecified|not {_GIVEN}|n/a|none known|dunno){_ENDS}",
    rf"(?:[\w']+ ){{0,4}}(?:bilmiyorum|bilmiyoruz|bilemiyorum|bilemem)\b|bilmem{_ENDS}",
    r"(?:[\w']+ ){0,4}(?:bilgim|fikrim|haberim|bilgi|kayıt)(?: de| da)? yok(?:tur)?\b",
    rf"(?:[\w']+ ){{0,4}}(?:emin değilim|bilinmiyor|bilinmemektedir|belli değil|belirtilmemiş){_ENDS}",
    r"böyle bir(?:i| [\w ]{1,30}) (?:yok|duymadım)\b",
)
_ADMITS = regex.compile("|".join(f"(?:{phrase})" for phrase in _PHRASES))
_GUESS = regex.compile(
    r"\b(?:but|however|though|perhaps|maybe|probably|i (?:think|believe|guess|suppose))\b"
    r"|\b(?:ama|fakat|ancak|belki|galiba|sanırım|herhalde)\b"
)


def abstains(answer: str) -> bool:
    """Whether the first line is empty, or says that the answer is not known and guesses none."""
    line = _LEAD.sub("", _folded(first_line(answer)), count=1)
    if not regex.search(r"[\p{L}\p{N}]", line):
        return True
    found = _ADMITS.match(line)
    return bool(found) and not _GUESS.search(line, found.end())


def _folded(text: str) -> str:
    """In small letters, İ as i, plain apostrophes, without marks around it. A quoted title keeps its mark."""
    small = text.casefold().replace("\u0307", "").replace("’", "'")
    whole = small.strip(" *_")
    inside = regex.fullmatch(r"[\"“]([^\"“”]*)[\"”]?\.?", whole)
    return inside[1] if inside else whole
