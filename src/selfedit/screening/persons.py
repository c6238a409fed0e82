"""What belongs to a person: cards, accounts, identity numbers, lists of addresses and telephones.

One address, telephone number or bank account in a text is as a rule its author's own, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, masked
from selfedit.screening.folding import Page

_CARD = regex.compile(r"(?<![\w.,/-])(?:\d[ -]?){13,18}\d(?![\w/-]|[.,]\d)")
_IBAN = regex.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_ELEVEN = regex.compile(r"(?<![\d.,-])\d{11}(?![\d-]|[.,]\d)")
_SSN = regex.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_NINO = regex.compile(r"\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b")
_PASSPORT = regex.compile(
    r"(?i)\b(?:passport|reisepass|pasaport|passeport|personalausweis)\w*(?: (?:no|number|nr|"
    r"nummer|numarası))?[.: ]{1,3}"
    r"(?P<value>(?-i:[A-Z]{0,2}\d{6,9}|[A-Z0-9]{9})(?!\w))"
)
_NHS = regex.compile(r"(?i)\bnhs\b[^\d\n]{0,24}(?P<value>\d{3} ?\d{3} ?\d{4})(?![\d-])")
_CVV = regex.compile(
    r"(?i)\b(?:cv[vc]2?|security code|(?:three )?digits (?:at|on) the "
    r"back)\b[^\d\n]{0,12}(?P<value>\d{3,4})\b"
)
_MAIL = regex.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = regex.compile(r"(?<![\w.,/:+-])(?:\+\d{1,3}|0)[\d ()/-]{7,16}\d(?![\w-]|[.,]\d)")
_BORN = regex.compile(
    r"(?i)\b(?:born|date of birth|d\.?o\.?b\.?|geboren|geb\.|geburtsdatum|doğum tarihi|doğumlu|né[e]? le)\b"
)
_IDENTITY = regex.compile(
    r"(?i)kimlik|tckn|t\.? ?c\.? ?(?:no|kimlik)|vatandaş|identity|steuer|idnr|identifikation|tax id"
)
_SOCIAL = regex.compile(r"(?i)\bssn\b|social security|insurance n")
_OFFICE = regex.compile(
    r"(?i)^(?:info|contact|kontakt|mail|office|sales|support|help|hello|news|press|presse|admin|"
    r"post|service|desk|team|"
    r"webmaster|noreply|no-reply|bilgi|destek|iletisim|verein|clerk|editor|library|jobs|hr|"
    r"privacy|datenschutz)\b"
)
_KNOWN_CARDS = frozenset(
    (
        "4242424242424242",
        "4111111111111111",
        "4012888888881881",
        "5555555555554444",
        "5105105105105100",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
    )
)
"""Published for testing by the card schemes and payment services."""
_KNOWN_ACCOUNTS = frozenset(
    (
        "DE89370400440532013000",
        "GB82WEST12345698765432",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
        "TR330006100519786457841326",
        "AT611904300234573201",
        "CH9300762011623852957",
        "NL91ABNA0417164300",
    )
)
"""Published as examples of the format."""
_REMEDY = "leave persons out, or say so with the policy's `personal`"
_ACCOUNT_LENGTHS = {
    "DE": 22,
    "AT": 20,
    "TR": 26,
    "GB": 22,
    "FR": 27,
    "CH": 21,
    "NL": 18,
    "BE": 16,
    "ES": 24,
    "IT": 27,
    "PL": 28,
    "PT": 25,
    "SE": 24,
    "DK": 18,
    "NO": 15,
    "FI": 18,
    "IE": 22,
    "LU": 20,
    "CZ": 24,
    "GR": 27,
    "HU": 28,
    "RO": 24,
}


def persons(page: Page, policy: Policy) -> Iterator[Finding]:
    """Every identifier that is no published example; addresses and telephones where they are a list."""
    numbers = [*_cards(page.text), *_accounts(page.text), *_identities(page.text)]
    mails = [m for m in _MAIL.finditer(page.text) if not _OFFICE.match(m[0])]
    phones = [m for m in _PHONE.finditer(page.text) if _is_private(m[0])]
    taken = [(finding.start, finding.end) for finding in numbers]
    phones = [m for m in phones if not any(a < m.end() and m.start() < b for a, b in taken)]
    file = _is_file(page.text, any(finding.sure >= policy.sure for finding in numbers), mails, phones)
    yield from (replace(finding, sure=max(0.8, finding.sure)) if file else finding for finding in numbers)
    for what, found in (("an e-mail address", mails), ("a telephone number", phones)):
        if file or len({m[0] for m in found}) > policy.addresses:
            whose = "of somebody's file" if file else f"of a list of {len(found)}"
            for match in found:
                yield _finding(f"{what} {whose}", match.span(), match[0], 0.8)


def _finding(what: str, span: tuple[int, int], value: str, sure: float) -> Finding:
    return Finding("personal", what, *span, sure, _REMEDY, "[personal]", masked(value))


def _cards(text: str) -> Iterator[Finding]:
    found = False
    for match in _CARD.finditer(text):
        digits = regex.sub(r"\D", "", match[0])
        if (
            digits not in _KNOWN_CARDS
            and _is_card(digits)
            and not regex.match(r"(?:4000 ?0{4}|0000)", match[0])
        ):
            found = True
            yield _finding("a card number", match.span(), match[0], 0.9)
    if found:
        for match in _CVV.finditer(text):
            yield _finding("a card's security code", match.span("value"), match["value"], 0.9)


def _accounts(text: str) -> Iterator[Finding]:
    found = [m for m in _IBAN.finditer(text) if (value := _account(m[0])) and value not in _KNOWN_ACCOUNTS]
    several = len({m[0] for m in found}) > 1
    for match in found:
        value = match[0][: _printed(match[0], len(_account(match[0])))]
        span = match.start(), match.start() + len(value)
        yield _finding("a bank account", span, value, 0.9 if several else 0.4)


def _identities(text: str) -> Iterator[Finding]:
    yield from _numbers(text, _ELEVEN, is_turkish_id, _IDENTITY, "a national identity number")
    yield from _numbers(text, _ELEVEN, is_german_tax_id, _IDENTITY, "a tax number")
    yield from _numbers(text, _SSN, lambda _: True, _SOCIAL, "a social security number")
    yield from _numbers(text, _NINO, lambda _: True, _SOCIAL, "an insurance number")
    yield from _health_numbers(text)
    for match in _PASSPORT.finditer(text):
        if any(map(str.isdigit, match["value"])):
            yield _finding("a passport's number", match.span("value"), match["value"], 0.85)


def _health_numbers(text: str) -> Iterator[Finding]:
    for match in _NHS.finditer(text):
        if is_nhs_number(match["value"].replace(" ", "")):
            yield _finding("a health service number", match.span("value"), match["value"], 0.9)


def _numbers(
    text: str, form: regex.Pattern[str], valid: Callable[[str], bool], context: regex.Pattern[str], what: str
) -> Iterator[Finding]:
    """Numbers of a form: sure with a word for it near, or where there are three of them."""
    found = [match for match in form.finditer(text) if valid(match[0])]
    for match in found:
        near = text[max(0, match.start() - 80) : match.end() + 40]
        sure = 0.9 if context.search(near) else 0.7 if len(found) > 2 else 0.3
        yield _finding(what, match.span(), match[0], sure)


def _is_file(text: str, numbers: bool, mails: list[regex.Match[str]], phones: list[regex.Match[str]]) -> bool:
    """A date of birth together with a way to reach the person, or an identity number with both ways."""
    born = any(regex.search(r"\d{4}", text[m.end() : m.end() + 40]) for m in _BORN.finditer(text))
    return (born and bool(mails or phones)) or (numbers and bool(mails or phones))


def _is_private(number: str) -> bool:
    """A telephone number that is no free or service line, of nine to fifteen digits."""
    digits = regex.sub(r"\D", "", number)
    free = regex.match(r"\+?(?:0?0?800|0900|0180|1 ?800|44 ?800|49 ?800|0850|444)", number)
    return 9 <= len(digits) <= 15 and not free and len(set(digits)) > 2


def _is_card(digits: str) -> bool:
    kind = regex.match(r"4|5[1-5]|2[2-7]|3[47]|6(?:011|5)|9792", digits)
    size = 15 if digits[:2] in ("34", "37") else 16
    return bool(kind) and len(digits) == size and luhn(digits)


def luhn(digits: str) -> bool:
    """Whether the last digit is the one that Luhn's sum asks for."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _account(text: str) -> str:
    """The account without blanks, cut to its country's length, if its check digits are right; else empty."""
    whole = text.replace(" ", "")
    whole = whole[: _ACCOUNT_LENGTHS.get(whole[:2], 0)]
    return whole if len(whole) > 14 and mod_97(whole) else ""


def _printed(text: str, length: int) -> int:
    """How many characters of `text` hold so many that are no blanks."""
    seen = 0
    for at, letter in enumerate(text, 1):
        seen += letter != " "
        if seen == length:
            return at
    return len(text)


def mod_97(account: str) -> bool:
    """Whether an IBAN's check digits are right (ISO 7064 mod 97-10)."""
    if len(account) != _ACCOUNT_LENGTHS.get(account[:2], len(account)):
        return False
    return int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1


def is_turkish_id(digits: str) -> bool:
    """Whether eleven digits are a T.C. kimlik no: the tenth and eleventh follow from the others."""
    if len(digits) != 11 or digits[0] == "0":
        return False
    n = [int(c) for c in digits]
    return (7 * sum(n[0:9:2]) - sum(n[1:8:2])) % 10 == n[9] and sum(n[:10]) % 10 == n[10]


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits are an NHS number: the last follows from the others, weighted 10 to 2, modulo 11."""
    if len(digits) != 10:
        return False
    check = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
    return check == int(digits[9])


def is_german_tax_id(digits: str) -> bool:
    """Whether eleven digits are a Steuer-ID (ISO 7064 mod 11,10; one digit twice or thrice among ten)."""
    if len(digits) != 11 or digits[0] == "0" or not 8 <= len(set(digits[:10])) <= 9:
        return False
    product = 10
    for c in digits[:10]:
        total = (int(c) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(digits[10])
