"""Reversals 0400 and 0420 and their repeats."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from bench import Bench
from checks import expect_approved, expect_code, scenario
from terminal import next_reference, transmission_time


def paid(b: Bench, amount: int) -> dict[int, str]:
    """An approved purchase on the rich card."""
    fields = b.fields(b.demo.rich, amount, pin=b.demo.rich.pin)
    expect_approved(b.ask(fields))
    return fields


@scenario()
def reversal_by_de90(b: Bench) -> None:
    """The original is the same terminal's message with DE 90's MTI, STAN and DE 7."""
    with b.moves(b.demo.rich, 0):
        expect_code(b.ask(b.reversal(paid(b, 410), "90"), "0400"), "00")


@scenario()
def reversal_of_a_repeat_with_another_de7(b: Bench) -> None:
    """A repeat with another DE 7 may be the message that DE 90 names: it was the same purchase."""
    card = b.demo.rich
    later = transmission_time(datetime.now(timezone.utc) + timedelta(seconds=40))
    for named in ("first", "repeat"):
        with b.moves(card, 0):
            fields = paid(b, 411)
            repeat = {**fields, 7: later}
            expect_approved(b.ask(repeat, "0201"))
            reversal = b.reversal(repeat if named == "repeat" else fields, "90")
            expect_code(b.ask(reversal, "0400"), "00")


@scenario()
def reversal_of_a_lost_message_whose_repeat_came(b: Bench) -> None:
    """DE 90 names the first copy, which was lost; what came is its repeat with another DE 7."""
    card = b.demo.rich
    with b.moves(card, 0):
        fields = b.fields(card, 413, pin=card.pin)
        later = transmission_time(datetime.now(timezone.utc) + timedelta(seconds=-2))
        expect_approved(b.ask({**fields, 7: later}, "0201"))
        expect_code(b.ask(b.reversal(fields, "90"), "0420"), "00")


@scenario()
def reversal_before_a_repeat(b: Bench) -> None:
    """The reversal overtakes the repeat it names: the late repeat gets 68, and the first copy's money goes back."""
    card = b.demo.rich
    with b.moves(card, 0):
        fields = paid(b, 415)
        repeat = {**fields, 7: transmission_time(datetime.now(timezone.utc) + timedelta(seconds=-2))}
        expect_code(b.ask(b.reversal(repeat, "90"), "0420"), "00")
        expect_code(b.ask(repeat, "0201"), "68")
        expect_code(b.ask(repeat, "0201"), "68")


@scenario()
def reversal_by_de11(b: Bench) -> None:
    """Without DE 90 the original is that with the original's DE 11."""
    with b.moves(b.demo.rich, 0):
        expect_code(b.ask(b.reversal(paid(b, 412), "11"), "0400"), "00")


@scenario()
def reversal_with_de90_of_zeros(b: Bench) -> None:
    """A DE 90 of zeros names nothing: the original is that with the original's DE 11."""
    with b.moves(b.demo.rich, 0):
        expect_code(b.ask({**b.reversal(paid(b, 413), "11"), 90: "0" * 42}, "0400"), "00")


@scenario()
def reversal_by_de11_and_de37(b: Bench) -> None:
    """Without DE 90 the original is that with the original's DE 11 and, if present, DE 37."""
    card = b.demo.rich
    with b.moves(card, -414):
        original = paid(b, 414)
        other = {**b.reversal(original, "11+37"), 37: next_reference()}
        expect_code(b.ask(other, "0420"), "00")
    with b.moves(card, 414):
        expect_code(b.ask(b.reversal(original, "11+37"), "0400"), "00")


@scenario()
def reversal_advice(b: Bench) -> None:
    """0420 reverses as 0400 does and is answered by 0430; its repeat 0421 too."""
    with b.moves(b.demo.rich, 0):
        reversal = b.reversal(paid(b, 416), "90")
        expect_code(b.ask(reversal, "0420"), "00")
        expect_code(b.ask(reversal, "0421"), "00")


@scenario()
def reversal_of_a_swiped_purchase(b: Bench) -> None:
    """DE 2 or 35 must agree: a purchase by track 2 is reversed by DE 2."""
    card = b.demo.rich
    with b.moves(card, 0):
        original = b.swiped(card, 418, card.pin)
        expect_approved(b.ask(original))
        reversal = b.reversal(original, "90")
        del reversal[35]
        expect_code(b.ask({**reversal, 2: card.pan}, "0400"), "00")


@scenario()
def repeated_reversal(b: Bench) -> None:
    """A repeated reversal is answered 00 and changes nothing."""
    with b.moves(b.demo.rich, 0):
        original = paid(b, 420)
        reversal = b.reversal(original, "90")
        expect_code(b.ask(reversal, "0400"), "00")
        expect_code(b.ask(reversal, "0400"), "00")
        expect_code(b.ask(reversal, "0401"), "00")
        expect_code(b.ask({**reversal, 7: transmission_time()}, "0401"), "00")
        expect_code(b.ask(b.reversal(original, "90"), "0400"), "00")


@scenario()
def partial_reversal(b: Bench) -> None:
    """DE 95 positions 1 to 12 are the amount that remains."""
    with b.moves(b.demo.rich, -130):
        reversal = {**b.reversal(paid(b, 430), "90"), 95: f"{130:012d}" + "0" * 30}
        expect_code(b.ask(reversal, "0400"), "00")
        expect_code(b.ask(reversal, "0401"), "00")


@scenario()
def reversal_with_de95_zero(b: Bench) -> None:
    """Zeros in DE 95 reverse all."""
    with b.moves(b.demo.rich, 0):
        expect_code(b.ask({**b.reversal(paid(b, 432), "90"), 95: "0" * 42}, "0400"), "00")


@scenario()
def reversal_data_differ(b: Bench) -> None:
    """DE 2, 3, 4 and 49 must agree, else 77; the original stays reversible."""
    card = b.demo.rich
    with b.moves(card, -440):
        original = paid(b, 440)
        for number, other in ((4, f"{441:012d}"), (3, "010000"), (2, b.demo.small.pan)):
            expect_code(b.ask({**b.reversal(original, "90"), number: other}, "0400"), "77")
    with b.moves(card, 440):
        expect_code(b.ask(b.reversal(original, "90"), "0400"), "00")


@scenario()
def unknown_original_0400(b: Bench) -> None:
    """Unknown original: 0400 gets 25, again 25 when repeated; the late original gets 68."""
    card = b.demo.rich
    with b.moves(card, 0):
        original = b.fields(card, 450, pin=card.pin)
        reversal = b.reversal(original, "90")
        expect_code(b.ask(reversal, "0400"), "25")
        expect_code(b.ask(reversal, "0400"), "25")
        expect_code(b.ask(reversal, "0401"), "25")
        expect_code(b.ask(original), "68")


@scenario()
def unknown_original_0420(b: Bench) -> None:
    """Unknown original: 0420 gets 00, its repeat 0421 too; the late original gets 68."""
    card = b.demo.rich
    with b.moves(card, 0):
        original = b.fields(card, 460, pin=card.pin)
        reversal = b.reversal(original, "90")
        expect_code(b.ask(reversal, "0420"), "00")
        expect_code(b.ask(reversal, "0421"), "00")
        expect_code(b.ask(original), "68")
        expect_code(b.ask(original, "0201"), "68")


@scenario()
def unknown_original_by_de11(b: Bench) -> None:
    """The same without DE 90: the late original with that DE 11 and DE 37 gets 68."""
    card = b.demo.rich
    with b.moves(card, 0):
        original = b.fields(card, 470, pin=card.pin)
        expect_code(b.ask(b.reversal(original, "11+37"), "0420"), "00")
        expect_code(b.ask(original), "68")
