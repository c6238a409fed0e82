"""What stands in a text as one piece whatever words are around it: dates, amounts, quantities, quotations.

Patterns alone; which of these pieces are worth a question is told elsewhere (`spans`).
"""

from __future__ import annotations

import regex

from selfedit.edits.words import MONTHS

_MONTH = "(?:" + "|".join(sorted((month.capitalize() for month in MONTHS), key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?:[12]\d{3}(?:[-–/]\d{2,4})?)"
_ERA = r"(?:\s?(?:BCE|BC|CE|AD|B\.C\.|A\.D\.))"
_NUMBER = r"(?:\d+(?:,\d{3})*(?:\.\d+)?)"
_COUNT = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|dozen)"
)
_SCALE = r"(?:hundred|thousand|million|billion|trillion|dozen)s?"
_UNIT = (
    r"(?:percent|per cent|%|square miles?|square kilomet(?:er|re)s?|square feet|cubic \p{Ll}+|"
    r"miles?|kilomet(?:er|re)s?|"
    r"met(?:er|re)s?|cent?imet(?:er|re)s?|millimet(?:er|re)s?|feet|foot|inch(?:es)?|yards?|acres?|hectares?|pounds?|"
    r"kilograms?|grams?|tons?|tonnes?|lit(?:er|re)s?|gallons?|km²?|mi|kg|lb|ft|cm|mm|m|g|mph|GHz|MHz|Hz|kW|MW|GW|"
    r"GB|MB|TB|°[CF]|degrees|volts?|watts?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centuries|"
    r"dollars?|euros?|cents?|times|people|inhabitants|members|students)"
)
ATOMS = tuple(
    (kind, regex.compile(pattern))
    for kind, pattern in (
        (
            "date",
            rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTH}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?\b)(?:,?\s{_YEAR})?{_ERA}?",
        ),
        ("date", rf"\b{_MONTH},?\s(?:of\s)?{_YEAR}\b"),
        (
            "date",
            r"(?i)\b(?:(?:early|mid|late)[- ](?:to[- ](?:mid|late)[- ])?)?(?:the\s)?(?:\d{1,2}(?:st|nd|rd|th)"
            r"|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth"
            r"|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty-first)"
            r"[- ]centur(?:y|ies)\b" + _ERA + "?",
        ),
        ("date", r"(?i)\b(?:early|mid|late)[- ](?:the\s)?[12]\d{2}0s\b|\b[12]\d{2}0s\b"),
        ("date", rf"\b\d{{1,4}}(?:[-–]\d{{1,4}})?{_ERA}\b"),
        ("money", rf"(?:US)?[$€£¥]\s?{_NUMBER}(?:\s{_SCALE})?(?:\s(?:dollars|euros))?"),
        ("percent", rf"(?i)\b(?:{_NUMBER}|{_COUNT})(?:\s?%|\s(?:percent|per\scent)\b)"),
        ("quantity", rf"\b{_NUMBER}(?:[-–]{_NUMBER})?(?:\s{_SCALE})?\s?{_UNIT}(?!\w)"),
        ("quantity", rf"(?i)\b{_COUNT}(?:-\p{{Ll}}+)?(?:\s{_SCALE})?\s{_UNIT}(?!\w)"),
        ("quantity", rf"(?i)\b(?:{_NUMBER}|{_COUNT})\s{_SCALE}\b"),
        ("date", rf"(?<![\w.,$€£¥-]){_YEAR}(?![\w%]|,\d|\.\d)"),
    )
)
"""Kind → pattern. Where two match at one place, the first counts."""
QUOTED = regex.compile(r"[\"“]([^\"“”\n]{2,80})[\"”]")
