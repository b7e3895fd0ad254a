"""0800: sign-on, sign-off, echo and the exchange of session keys."""

from __future__ import annotations

import time

from bench import INQUIRY, Bench
from checks import Failure, expect, expect_approved, expect_code, expect_same_answer, scenario
from terminal import KeyPair, ProtocolError


@scenario()
def sign_on(b: Bench) -> None:
    """DE 70 001 sign-on; 0800 with 001 needs no MAC, and one that is present is verified."""
    expect_code(b.terminal.management("001"), "00")
    expect_code(b.terminal.management("001", "good"), "00")


@scenario()
def echo(b: Bench) -> None:
    """DE 70 301 echo; 0800 with 301 needs no MAC, one that is present is verified."""
    expect_code(b.terminal.management("301"), "00")
    expect_code(b.terminal.management("301", "good"), "00")
    expect_code(b.terminal.management("301", "bad"), "63")


@scenario()
def sign_off_refuses_until_sign_on(b: Bench) -> None:
    """DE 70 002 sign-off: requests are refused until the next 001."""
    card = b.demo.rich
    with b.moves(card, 0):
        b.terminal.sign_off()
        request = b.request(b.fields(card, 100, pin=card.pin))
        request.answer_mac = None
        answer = b.terminal.ask(request)
        expect(answer.get(39) not in ("00", "10"), "a purchase is approved after sign-off")
        b.terminal.sign_on()
    expect_approved(b.ask(b.fields(card, 100, pin=card.pin)))


@scenario()
def sign_off_leaves_the_past_open(b: Bench) -> None:
    """After sign-off only new requests get 58; duplicates, reversals and advices are served."""
    card = b.demo.rich
    with b.moves(card, -101):
        one, two, held = (b.fields(card, amount, pin=card.pin) for amount in (100, 102, 101))
        first, approval = expect_approved(b.ask(one)), expect_approved(b.ask(held, "0100"))
        expect_approved(b.ask(two))
        b.terminal.sign_off()
        try:
            expect_same_answer(first, b.ask(one))
            expect_code(b.ask(b.reversal(one), "0400"), "00")
            expect_code(b.ask(b.reversal(two), "0420"), "00")
            expect_code(b.ask(b.completion(held, approval, 101, "90"), "0220"), "00")
            refused = b.fields(card, 103, pin=card.pin)
            for mti in ("0200", "0201", "0100"):
                expect_code(b.ask(refused, mti), "58")
        finally:
            b.terminal.sign_on()
    with b.moves(card, -103):
        expect_approved(b.ask(refused))


@scenario()
def sign_off_needs_mac(b: Bench) -> None:
    """Only 0800 with 001, 101 or 301 need no MAC; a missing one gets 63 and has no other effect."""
    expect_code(b.terminal.management("002", "none"), "63")
    expect_code(b.ask(b.fields(b.demo.rich, 0, INQUIRY, b.demo.rich.pin)), "00")


@scenario()
def key_exchange_pending_until_used(b: Bench) -> None:
    """A new pair is pending until a message verifies under it; the old pair then serves 60 s more."""
    old, new = b.keys, b.terminal.exchange()
    expect(new != old, "the exchange gives the pair that is already in use")
    _serves(b, old, "the old pair while the new one is pending")
    b.use(new)
    _serves(b, new, "the new pair")
    _serves(b, old, "the old pair just after the new one was used")
    _serves(b, new, "the new pair after the old one was used again")


@scenario()
def key_exchange_replaces_only_pending(b: Bench) -> None:
    """Another 101 replaces only the pending pair."""
    old, dropped = b.keys, b.terminal.exchange()
    latest = b.terminal.exchange()
    expect(len({old, dropped, latest}) == 3, "exchanges give the same pair twice")
    request = b.terminal.request("0800", {70: "301"}, keys=dropped)
    request.answer_mac = False
    expect_code(b.terminal.ask(request), "63")
    _serves(b, old, "the old pair after two exchanges")
    b.use(latest)
    b.terminal.exchange()
    _serves(b, latest, "the pair in use after another exchange")
    _serves(b, old, "the overlapping old pair after another exchange")


@scenario()
def key_exchange_verifies_a_mac(b: Bench) -> None:
    """0800 with 101 needs no MAC; one that is present is verified, and a wrong one gets 63."""
    answer = expect_code(b.terminal.management("101", "bad"), "63")
    expect(answer.get(62) is None, "keys are sent though the MAC is wrong")
    expect_code(b.terminal.management("101", "good"), "00")
    _serves(b, b.keys, "the pair in use")


@scenario()
def pin_under_the_pair_of_the_mac(b: Bench) -> None:
    """The pair that verified the MAC serves DE 52: a block under the other pair is undecipherable."""
    card, old = b.demo.small, b.keys
    b.use(b.terminal.exchange())
    fields = b.fields(card, 0, INQUIRY, card.pin)
    fields[52] = old.pin_block(card.pin, card.pan)
    expect_code(b.ask(fields), "86")
    expect_code(b.ask(b.fields(card, 0, INQUIRY, card.pin)), "00")


@scenario(slow=True)
def old_pair_ends_after_60_s(b: Bench) -> None:
    """The old pair serves 60 s more, and no longer."""
    old = b.keys
    b.use(b.terminal.exchange())
    time.sleep(65)
    request = b.terminal.request("0800", {70: "301"}, keys=old)
    request.answer_mac = False
    expect_code(b.terminal.ask(request), "63")
    _serves(b, b.keys, "the pair in use")


def _serves(b: Bench, keys: KeyPair, which: str) -> None:
    """The pair verifies a MAC and deciphers a PIN block."""
    card = b.demo.rich
    fields = b.fields(card, 0, INQUIRY)
    fields.update({22: "011", 52: keys.pin_block(card.pin, card.pan)})
    try:
        expect_code(b.terminal.ask(b.terminal.request("0200", fields, keys=keys)), "00")
    except (Failure, ProtocolError) as error:
        raise Failure(f"{which}: {error}") from None
