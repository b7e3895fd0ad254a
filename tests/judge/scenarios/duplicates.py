"""Duplicates, repeats and messages that come too late."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from bench import Bench, original_data
from checks import expect_approved, expect_code, expect_same_answer, scenario
from terminal import next_stan, transmission_time


@scenario()
def byte_identical_duplicate(b: Bench) -> None:
    """Same terminal, DE 11, DE 7 and MTI: the first answer's fields come back and nothing moves."""
    card = b.demo.rich
    request = b.request(b.fields(card, 131, pin=card.pin))
    with b.moves(card, -131):
        first = expect_approved(b.terminal.ask(request))
        expect_same_answer(first, b.terminal.ask(request))
        expect_same_answer(first, b.terminal.ask(request))


@scenario()
def duplicate_on_another_connection(b: Bench) -> None:
    """A duplicate is the same terminal's, not the same connection's."""
    card = b.demo.rich
    request = b.request(b.fields(card, 117, pin=card.pin))
    with b.moves(card, -117):
        first = expect_approved(b.terminal.ask(request))
        b.terminal.reconnect()
        b.terminal.sign_on()
        expect_same_answer(first, b.terminal.ask(request))


@scenario()
def duplicate_of_a_decline(b: Bench) -> None:
    """The first answer's fields come back for a decline too."""
    card = b.demo.rich
    request = b.request({**b.fields(card, 100), 2: b.demo.unknown_pan()})
    first = expect_code(b.terminal.ask(request), "14")
    expect_same_answer(first, b.terminal.ask(request))


@scenario()
def repeat_0201(b: Bench) -> None:
    """0201 is answered by 0210 with the first answer's fields."""
    card = b.demo.rich
    fields = b.fields(card, 133, pin=card.pin)
    with b.moves(card, -133):
        first = expect_approved(b.ask(fields))
        expect_same_answer(first, b.ask(fields, "0201"))


@scenario()
def repeat_0201_alone(b: Bench) -> None:
    """A repeat whose first copy was lost is a request like any other, and posts once."""
    card = b.demo.rich
    fields = b.fields(card, 107, pin=card.pin)
    with b.moves(card, -107):
        first = expect_approved(b.ask(fields, "0201"))
        expect_same_answer(first, b.ask(fields, "0201"))


@scenario()
def repeat_with_another_de7(b: Bench) -> None:
    """A repeat with another DE 7 is also found by DE 11, 12 and 13."""
    card = b.demo.rich
    fields = b.fields(card, 135, pin=card.pin)
    later = transmission_time(datetime.now(timezone.utc) + timedelta(seconds=40))
    with b.moves(card, -135):
        first = expect_approved(b.ask(fields))
        expect_same_answer(first, b.ask({**fields, 7: later}, "0201"), but=(7,))


@scenario()
def duplicate_with_another_amount(b: Bench) -> None:
    """If DE 2, 3, 4 or 49 differ the duplicate gets 94, and nothing moves."""
    card = b.demo.rich
    fields = b.fields(card, 139, pin=card.pin)
    with b.moves(card, -139):
        first = expect_approved(b.ask(fields))
        expect_code(b.ask({**fields, 4: f"{140:012d}"}), "94")
        expect_code(b.ask({**fields, 3: "010000"}), "94")
        expect_same_answer(first, b.ask(fields))


@scenario()
def duplicate_compares_no_pin_and_no_entry(b: Bench) -> None:
    """DE 52 takes no part, and DE 2 is compared with the PAN of DE 35."""
    card = b.demo.rich
    fields = b.fields(card, 141, pin=card.pin)
    by_track = {number: value for number, value in fields.items() if number not in (2, 14)}
    with b.moves(card, -141):
        first = expect_approved(b.ask(fields))
        expect_same_answer(first, b.ask({**fields, 52: b.keys.pin_block(card.wrong_pin, card.pan)}))
        expect_same_answer(first, b.ask({**by_track, 35: card.track2}))


@scenario()
def duplicate_in_flight(b: Bench) -> None:
    """A duplicate of a request still in flight waits for its answer: two equal answers, one posting."""
    card = b.demo.rich
    request = b.request(b.fields(card, 143, pin=card.pin))
    with b.moves(card, -143):
        b.terminal.send(request, request)
        first, again = b.terminal.collect([request, request])
        expect_approved(first)
        expect_same_answer(first, again)


@scenario()
def old_transmission_time(b: Bench) -> None:
    """Requests are remembered for 24 h, advices for 7 days; an older DE 7 gets 94."""
    card = b.demo.rich
    with b.moves(card, 0):
        expect_code(b.ask({**b.fields(card, 100, pin=card.pin), 7: _days_ago(3)}), "94")
        advice = b.fields(card, 100)
        advice[90] = original_data("0200", {11: next_stan(), 7: _days_ago(3)})
        expect_code(b.ask({**advice, 7: _days_ago(3)}, "0420"), "00")
        expect_code(b.ask({**advice, 7: _days_ago(9), 11: next_stan()}, "0420"), "94")


def _days_ago(days: int) -> str:
    return transmission_time(datetime.now(timezone.utc) - timedelta(days=days))
