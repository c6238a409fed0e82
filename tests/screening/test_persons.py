"""Identifiers with check digits, against published examples; and what counts as a list."""

from __future__ import annotations

import pytest

from selfedit.bench.redteam.filling import fill
from selfedit.screening import findings, screen
from selfedit.screening.persons import is_german_tax_id, is_nhs_number, is_turkish_id, luhn, mod_97
from selfedit.types import rng_for

ACCOUNTS = ["DE89370400440532013000", "GB82WEST12345698765432", "TR330006100519786457841326"]
CARDS = ["4111111111111111", "5555555555554444", "378282246310005"]


@pytest.mark.parametrize("account", ACCOUNTS)
def test_published_accounts_have_right_digits_and_one_changed_has_not(account: str) -> None:
    assert mod_97(account)
    assert not mod_97(account[:-1] + str((int(account[-1]) + 1) % 10))
    assert not mod_97(account + "0")


@pytest.mark.parametrize("card", CARDS)
def test_published_cards_have_right_digits_and_any_one_changed_has_not(card: str) -> None:
    assert luhn(card)
    for at in range(len(card)):
        assert not luhn(card[:at] + str((int(card[at]) + 1) % 10) + card[at + 1 :])


def test_health_service_numbers_follow_the_published_example_and_need_their_name() -> None:
    assert is_nhs_number("9434765919")
    assert not any(is_nhs_number(f"943476591{last}") for last in range(9))
    assert not is_nhs_number("943476591")
    assert screen("NHS number 943 476 5919.").text == "NHS number [personal]."
    for plain in ("NHS number 943 476 5918.", "Part number 943 476 5919.", "NHS line: 0300 123 1234 567."):
        assert screen(plain).text == plain


def test_turkish_and_german_numbers() -> None:
    assert is_turkish_id("10000000146")
    assert not is_turkish_id("10000000147")
    assert not is_turkish_id("01000000146")
    assert is_german_tax_id("86095742719")
    assert not is_german_tax_id("86095742718")


def made(text: str) -> str:
    return fill(text, rng_for("test of persons"))


@pytest.mark.parametrize(
    "text",
    [
        "Room 6 pays with ⟦card⟧ on Monday.",
        "Accounts: ⟦iban:DE⟧ and ⟦iban:TR⟧.",
        "Elif, T.C. kimlik no ⟦tckn⟧, gelecek.",
        "His number is SSN 219-09-9999 as before.",
        "Passport C01X00T47 is valid.",
        "Born 2 May 1971, telephone 07700 900123.",
        "⟦phones:9⟧",
    ],
)
def test_numbers_of_persons_are_masked(text: str) -> None:
    before = made(text)
    after = screen(before)
    assert after.accepted
    assert "[personal]" in after.text
    assert {finding.kind for finding in after.redacted} == {"personal"}
    for finding in after.redacted:
        assert before[finding.start : finding.end] not in after.text
        assert before[finding.start : finding.end] not in finding.quote


@pytest.mark.parametrize(
    "text",
    [
        "Try 4111 1111 1111 1111 and DE89 3704 0044 0532 0130 00 in the test shop.",
        "Write to anna@mill.example or ring 01632 960 118.",
        "Our account: ⟦iban:DE⟧.",
        "Tablets 490154203237518 and 490154203237526; parcel 00340434292135100186; ISBN 978-0-306-40615-7.",
        "Values 0.4111111111111111 and 12345678901 were measured.",
    ],
)
def test_published_examples_and_an_authors_own_stay(text: str) -> None:
    assert screen(made(text)).text == made(text)


def test_a_single_account_in_somebodys_file_is_masked() -> None:
    text = made("Lukas Brandauer, geboren am 4. Juli 1979, Telefon 0171 4482 9130, Konto ⟦iban:DE⟧.")
    assert screen(text).text.count("[personal]") == 2


def test_a_single_account_is_a_warning() -> None:
    (found,) = findings(made("Our account: ⟦iban:DE⟧."))
    assert found.sure < 0.5
