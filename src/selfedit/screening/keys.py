"""Keys, tokens and passwords: by the form their makers gave them, or by the word that stands before them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, masked
from selfedit.screening.folding import Page

_FORMS = (
    (r"(?s)-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----.{40,}?-----END (?:[A-Z]+ )*PRIVATE "
    r"KEY(?: BLOCK)?-----", "a private key"),
    (r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", "a cloud access key"),
    (r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{40,}", "an access token"),
    (r"\bglpat-[\w-]{20,}|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{40,}|"
    r"\bhf_[A-Za-z0-9]{30,}", "an access token"),
    (r"\bxox[abprs]-[\w-]{20,}", "a chat service's token"),
    (r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{20,}", "a payment service's key"),
    (r"\bAIza[\w-]{35}", "an API key"),
    (r"\bsk-(?:proj-|ant-|or-)?[\w-]{32,}", "an API key"),
    (r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", "a signed token"),
    (r"\bSG\.[\w-]{20,}\.[\w-]{30,}|\bAC[0-9a-f]{32}\b", "an API key"),
)  # fmt: skip
_NAME = (
    r"(?:pass ?wor[dt]|passwd|pass ?phrase|pwd|secret|token|api[-_ ]?key|access[-_ ]?key|private[-_ "
    r"]?key|auth[-_ ]?key|"
    r"credential|kennwort|şifre|sifre|parola|mot de passe|contraseña|wachtwoord|senha|пароль|hasło)"
)
_ASSIGNED = regex.compile(
    rf"(?i){_NAME}\w*(?:[-_ ](?:key|id|value))*[\"']?\s*(?::=|=>|=|"
    rf":)\s*[\"'“„]?(?P<value>[^\s\"'“”„,;<>]{{6,}})"
)
_TOLD = regex.compile(
    rf"(?i)\b{_NAME}\w{{0,4}}\b(?: (?:is|lautet|ist|for \w+ is|olarak))? "
    rf"[\"'“„(]?(?P<value>[^\s\"'“”„,;()<>]{{6,}})"
)
_URL = regex.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@]+:(?P<value>[^\s@/]{3,})@")
_BEARER = regex.compile(r"(?i)\bbearer\s+(?P<value>[\w.~+/-]{20,}=*)")
_CODE = regex.compile(
    r"(?i)\b(?:pin(?:[- ]?code)?|alarm(?:[- ]code)?|(?:door|gate|entry|access|duress|safe|lock|"
    r"security|alarm) code|combination|"
    r"(?:alarm|kapı|yedek|kasa|giriş) kodu?|zugangscode|türcode|alarmcode|geheimzahl|"
    r"tresorcode)\b[^\d\n]{0,30}?"
    r"(?<![\d.,:/])(?P<value>\d{4,8})(?![\d.,:/]\d|\d)"
)
_PLACEHOLDER = regex.compile(
    r"(?i)^(?:<.*|"
    r"\$\{?.*|%\w+%|\{\{?.*|\*+|\.+|x{4,}|y?our[-_].*|my[-_]?(?:secret|password|token|key)\w*|change_?me\w*|"
    r"example\w*|passwor[dt]\w*|passwd|secret\w*|token\w*|none|null|true|false|env[.(].*|"
    r"os\.environ.*|process\.env.*|"
    r"redacted|placeholder|todo|tbd|dummy\w*|test\w*|\[.*|hunter2|admin\w*)$"
)
_EXPRESSION = regex.compile(r"[(\[{|]|^[A-Za-z_]+(?:\.[A-Za-z_]\w*)+$|^[a-z]+(?:_[a-z0-9]+)+$|^\d[\d.,]*\w?$")
"""Of a program: a call, an index, a name with dots or underscores, a number."""
_REMEDY = "change it, since it is known now, and keep it out of texts"


def keys(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each of them once. Examples that providers print, placeholders and ordinary words are none."""
    text = page.text
    for form, what in _FORMS:
        for match in regex.finditer(form, text):
            if "EXAMPLE" not in match[0]:
                yield _finding(what, match.span(), match[0], 0.97)
    for pattern, what in ((_ASSIGNED, "a secret"), (_TOLD, "a password"), (_BEARER, "a token")):
        for match in pattern.finditer(text):
            value = str(match["value"]).rstrip(".)!?:")
            if _looks_secret(value, told=pattern is _TOLD):
                start = match.start("value")
                yield _finding(what, (start, start + len(value)), value, 0.85)
    for match in _URL.finditer(text):
        value = str(match["value"])
        if not _PLACEHOLDER.match(value) and not value.isupper():
            yield _finding("a password in an address", match.span("value"), value, 0.9)
    for match in _CODE.finditer(text):
        yield _finding("a code that opens something", match.span("value"), str(match["value"]), 0.7)


def _finding(what: str, span: tuple[int, int], value: str, sure: float) -> Finding:
    return Finding("secret", what, *span, sure, _REMEDY, "[secret]", masked(value))


def _looks_secret(value: str, *, told: bool) -> bool:
    """Whether a value is no placeholder, name or word: letters with digits or signs, or much entropy."""
    if _PLACEHOLDER.match(value) or "EXAMPLE" in value or value.startswith(("http", "/", "./", "--")):
        return False
    if _EXPRESSION.search(value):
        return False
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    signs = sum(not c.isalnum() and c not in "-_.'’/" for c in value)
    if letters and digits:
        return len(value) >= 6 and (bool(signs) or entropy(value) > (2.9 if told else 2.5))
    return not told and letters and (len(value) >= 20 and entropy(value) > 3.8)


def entropy(text: str) -> float:
    """Bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0
