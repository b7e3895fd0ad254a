"""Purchases, cashback and refunds, and the reasons to decline them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from bench import CASHBACK, PURCHASE, REFUND, Bench
from checks import expect, expect_approved, expect_code, scenario
from rest import Balance
from terminal import ECHOED


@scenario()
def purchase_with_pin(b: Bench) -> None:
    """0200 posts DE 4: balances by DE 54 types 01 and 02, and over REST, fall by exactly the amount;
    answers echo DE 3 4 7 11 12 13 32 37 41 42 49, never 2, 35, 52."""
    card, amount = b.demo.rich, 137
    before = b.balance(card)
    b.rest.expect_balance(card.wallet_id, before)
    request = b.request(b.fields(card, amount, pin=card.pin))
    expect(set(ECHOED) <= set(request.message.fields), "the judge's own request lacks a field")
    expect_approved(b.terminal.ask(request))
    after = Balance(before.ledger - amount, before.available - amount)
    expect(b.balance(card) == after, "the balance inquiry does not show the purchase")
    b.rest.expect_balance(card.wallet_id, after)


@scenario()
def purchase_by_pan_without_pin(b: Bench) -> None:
    """The card by DE 2 and DE 14, without a PIN."""
    with b.moves(b.demo.rich, -211):
        expect_approved(b.ask(b.fields(b.demo.rich, 211)))


@scenario()
def purchase_by_track2(b: Bench) -> None:
    """The card by DE 35, with and without a PIN."""
    card = b.demo.rich
    with b.moves(card, -223 - 101):
        expect_approved(b.ask(b.swiped(card, 223, card.pin)))
        expect_approved(b.ask(b.swiped(card, 101)))


@scenario()
def purchase_in_rest_transactions(b: Bench) -> None:
    """The wallet's ledger entries over REST include the purchase."""
    card, amount = b.demo.rich, 301 + int(b.fields(b.demo.rich, 0)[11]) % 97
    since = (datetime.now(timezone.utc) - timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    before = b.balance(card)
    expect_approved(b.ask(b.fields(card, amount, pin=card.pin)))
    b.rest.expect_balance(card.wallet_id, Balance(before.ledger - amount, before.available - amount))
    answer = b.rest.get(f"/wallets/{card.wallet_id}/transactions?dateFromIncl={since}")
    expect(answer.status == 200, f"transactions are answered HTTP {answer.status}")
    entries = answer.json
    expect(isinstance(entries, list) and bool(entries), "no list of entries")
    expect(any(_mentions(entry, amount) for entry in entries), "no entry has the purchase's amount")


@scenario()
def cashback(b: Bench) -> None:
    """Code 09: DE 4 is the total, cashback included; DE 54 amount type 40 is the cashback."""
    card = b.demo.rich
    fields = b.fields(card, 500, CASHBACK, card.pin)
    fields[54] = f"0040{card.currency}D{200:012d}"
    with b.moves(card, -500):
        expect_approved(b.ask(fields))


@scenario()
def refund(b: Bench) -> None:
    """Code 20 credits the card."""
    with b.moves(b.demo.rich, 145):
        expect_approved(b.ask(b.fields(b.demo.rich, 145, REFUND)))


@scenario()
def unknown_terminal(b: Bench) -> None:
    """DE 41 and DE 42 together name the terminal; an unknown pair gets 58."""
    card = b.demo.rich
    strangers = [{41: "NOSUCH99", 42: "NOSUCHMERCHANT9"}, {42: "NOSUCHMERCHANT9"}, {41: "NOSUCH99"}]
    with b.moves(card, 0):
        for names in strangers:
            expect_code(b.ask({**b.fields(card, 100), **names}, mac="none"), "58")
            expect_code(b.terminal.ask(b.terminal.request("0800", {70: "001", **names}, "none")), "58")


@scenario()
def unknown_card(b: Bench) -> None:
    """14 unknown card."""
    expect_code(b.ask({**b.fields(b.demo.rich, 100), 2: b.demo.unknown_pan()}), "14")


@scenario()
def pan_that_fails_luhn(b: Bench) -> None:
    """PANs pass Luhn; one that does not is no known card: 14."""
    pan = b.demo.rich.pan
    wrong = pan[:-1] + str((int(pan[-1]) + 1) % 10)
    with b.moves(b.demo.rich, 0):
        expect_code(b.ask({**b.fields(b.demo.rich, 100), 2: wrong}), "14")


@scenario()
def expired_card(b: Bench) -> None:
    """54 expired."""
    expect_code(b.ask(b.fields(b.demo.expired, 100)), "54")


@scenario()
def blocked_card(b: Bench) -> None:
    """62 card blocked."""
    expect_code(b.ask(b.fields(b.demo.blocked, 100)), "62")


@scenario()
def insufficient_funds(b: Bench) -> None:
    """51 insufficient funds, and nothing moves."""
    card = b.demo.small
    with b.moves(card, 0):
        expect_code(b.ask(b.fields(card, b.balance(card).available + 1, pin=card.pin)), "51")


@scenario()
def amount_zero(b: Bench) -> None:
    """13 invalid amount."""
    expect_code(b.ask(b.fields(b.demo.rich, 0, PURCHASE, b.demo.rich.pin)), "13")


def _mentions(value: object, amount: int) -> bool:
    """Whether a number anywhere in a JSON value is the amount, with either sign."""
    if isinstance(value, dict):
        return any(_mentions(part, amount) for part in value.values())
    if isinstance(value, list):
        return any(_mentions(part, amount) for part in value)
    return isinstance(value, Decimal) and abs(value) * 100 == amount
