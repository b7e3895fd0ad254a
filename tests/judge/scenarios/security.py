"""PINs and MACs."""

from __future__ import annotations

from bench import INQUIRY, PIN_TRIES, Bench
from checks import expect_approved, expect_code, scenario


@scenario()
def wrong_pin_then_right(b: Bench) -> None:
    """55 wrong PIN, without effect on the balance; the right PIN afterwards resets the counter."""
    card = b.demo.small
    with b.moves(card, 0):
        for _ in range(2):
            for _ in range(PIN_TRIES - 1):
                expect_code(b.ask(b.fields(card, 10, pin=card.wrong_pin)), "55")
            expect_code(b.ask(b.fields(card, 0, INQUIRY, card.pin)), "00")


@scenario()
def undecipherable_pin_block(b: Bench) -> None:
    """86 PIN block undecipherable, no try consumed."""
    card = b.demo.small
    broken = b.fields(card, 10, pin=card.pin)
    broken[52] = b.keys.encipher_block(b"\xff" * 8)
    with b.moves(card, 0):
        for _ in range(PIN_TRIES - 1):
            expect_code(b.ask(b.fields(card, 10, pin=card.wrong_pin)), "55")
        for _ in range(PIN_TRIES):
            expect_code(b.ask({**broken, 11: b.fields(card, 0)[11]}), "86")
        expect_code(b.ask(b.fields(card, 0, INQUIRY, card.pin)), "00")


@scenario()
def pin_tries_exceeded(b: Bench) -> str | None:
    """75 PIN tries exceeded, even with the right PIN."""
    card, note = b.demo.tries, None
    for number in range(1, PIN_TRIES + 1):
        answer = expect_code(b.ask(b.fields(card, 10, pin=card.wrong_pin)), "55", "75")
        if answer.get(39) == "75" and number < PIN_TRIES:
            note = "tries of this card were used up earlier"
            break
    expect_code(b.ask(b.fields(card, 10, pin=card.pin)), "75")
    return note


@scenario()
def wrong_mac(b: Bench) -> None:
    """A wrong MAC gets 63 without MAC, has no other effect and enters no duplicate table."""
    card = b.demo.rich
    fields = b.fields(card, 119, pin=card.pin)
    with b.moves(card, 0):
        expect_code(b.ask(fields, mac="bad"), "63")
    with b.moves(card, -119):
        expect_approved(b.ask(fields))


@scenario()
def missing_mac(b: Bench) -> None:
    """A missing MAC gets 63 without MAC, has no other effect and enters no duplicate table."""
    card = b.demo.rich
    fields = b.fields(card, 121, pin=card.pin)
    with b.moves(card, 0):
        expect_code(b.ask(fields, mac="none"), "63")
        expect_code(b.ask(fields, mac="none"), "63")
    with b.moves(card, -121):
        expect_approved(b.ask(fields))


@scenario()
def wrong_mac_consumes_no_pin_try(b: Bench) -> None:
    """A wrong MAC has no other effect: a wrong PIN beside it is not counted."""
    card = b.demo.small
    for _ in range(PIN_TRIES):
        expect_code(b.ask(b.fields(card, 10, pin=card.wrong_pin), mac="bad"), "63")
    expect_code(b.ask(b.fields(card, 0, INQUIRY, card.pin)), "00")


@scenario()
def mac_in_128_without_later_fields(b: Bench) -> None:
    """DE 128 only when any of DE 65 to 127 is present; the other way round is 30."""
    card = b.demo.rich
    with b.moves(card, 0):
        expect_code(b.ask(b.fields(card, 100, pin=card.pin), mac="misplaced"), "30")


@scenario()
def mac_in_64_with_later_fields(b: Bench) -> None:
    """DE 64 when any of DE 65 to 127 is present is 30."""
    card = b.demo.rich
    original = b.fields(card, 100, pin=card.pin)
    with b.moves(card, -100):
        expect_approved(b.ask(original))
        expect_code(b.ask(b.reversal(original), "0400", "misplaced"), "30")
