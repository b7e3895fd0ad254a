"""Pre-authorizations and their completions."""

from __future__ import annotations

from bench import INQUIRY, REFUND, Bench
from checks import expect_approved, expect_code, expect_same_answer, scenario
from iso import Message
from terminal import next_stan


def hold(b: Bench, amount: int) -> tuple[dict[int, str], Message]:
    """An approved 0100 on the rich card."""
    fields = b.fields(b.demo.rich, amount, pin=b.demo.rich.pin)
    return fields, expect_approved(b.ask(fields, "0100"))


@scenario()
def preauthorization_holds(b: Bench) -> None:
    """Every approved 0100 is a hold: the available balance falls, the ledger balance does not."""
    card = b.demo.rich
    with b.moves(card, 0, -310):
        fields, _ = hold(b, 310)
    b.rest.expect_balance(card.wallet_id, b.balance(card))
    expect_code(b.ask(b.reversal(fields, mti="0100"), "0400"), "00")


@scenario()
def completion_by_de90(b: Bench) -> None:
    """A completion is 0220 with DE 25 = 06, DE 38 and DE 90: it posts, and the hold is gone."""
    _complete(b, 320, 320, "90")


@scenario()
def completion_by_de37(b: Bench) -> None:
    """A completion may name its hold by the same DE 37."""
    _complete(b, 330, 330, "37")


@scenario()
def completion_for_less(b: Bench) -> None:
    """A completion may post less than was held; the rest is released."""
    _complete(b, 340, 150, "90")


def _complete(b: Bench, held: int, posted: int, by: str) -> None:
    card = b.demo.rich
    with b.moves(card, -posted):
        fields, approval = hold(b, held)
        completion = b.completion(fields, approval, posted, by)
        first = expect_code(b.ask(completion, "0220"), "00")
        expect_same_answer(first, b.ask(completion, "0221"))


@scenario()
def completion_without_hold(b: Bench) -> None:
    """A completion without its hold gets 25."""
    card = b.demo.rich
    with b.moves(card, 0):
        never_sent, approval = b.fields(card, 350), Message("0110", {38: "123456"})
        expect_code(b.ask(b.completion(never_sent, approval, 350, "90"), "0220"), "25")
        expect_code(b.ask(b.completion(never_sent, approval, 350, "37"), "0220"), "25")


@scenario()
def completion_with_a_foreign_approval(b: Bench) -> None:
    """DE 38 is ans 6: one that was not given here finds no hold, and says nothing outside completions."""
    card = b.demo.rich
    fields, approval = hold(b, 351)
    with b.moves(card, 0):
        for text in ("A1B2C3", "      ", f"{(int(approval.fields[38]) + 1) % 1_000_000:06d}"):
            foreign = Message("0110", {38: text})
            expect_code(b.ask(b.completion(fields, foreign, 351, "90"), "0220"), "25")
    with b.moves(card, 0, 351):
        expect_code(b.ask({**b.reversal(fields, mti="0100"), 38: "A1B2C3"}, "0400"), "00")


@scenario()
def completion_with_another_transaction(b: Bench) -> None:
    """Only what takes money from the card completes a hold: a refund or an inquiry gets 12, and the hold stays."""
    card = b.demo.rich
    fields, approval = hold(b, 352)
    completion = b.completion(fields, approval, 352, "90")
    with b.moves(card, 0):
        for code in (REFUND, INQUIRY, "210000"):
            other = {**completion, 3: code, 11: next_stan()}
            first = expect_code(b.ask(other, "0220"), "12")
            expect_same_answer(first, b.ask(other, "0221"))
    with b.moves(card, -352, 0):
        expect_code(b.ask(completion, "0220"), "00")


@scenario()
def second_completion(b: Bench) -> None:
    """A second completion of the same hold finds none: 25."""
    card = b.demo.rich
    with b.moves(card, -360):
        fields, approval = hold(b, 360)
        expect_code(b.ask(b.completion(fields, approval, 360, "90"), "0220"), "00")
        expect_code(b.ask(b.completion(fields, approval, 360, "90"), "0220"), "25")


@scenario()
def completion_over_tolerance(b: Bench) -> None:
    """A completion over the wallet type's tolerance gets 61 and posts nothing."""
    card = b.demo.rich
    fields, approval = hold(b, 100)
    with b.moves(card, 0):
        expect_code(b.ask(b.completion(fields, approval, 100 * 20, "90"), "0220"), "61")
    b.ask(b.reversal(fields, mti="0100"), "0400")


@scenario()
def reversal_of_a_hold(b: Bench) -> None:
    """A reversal of a pre-authorization releases the hold; its completion then gets 25."""
    card = b.demo.rich
    with b.moves(card, 0):
        fields, approval = hold(b, 370)
        expect_code(b.ask(b.reversal(fields, mti="0100"), "0400"), "00")
        expect_code(b.ask(b.completion(fields, approval, 370, "90"), "0220"), "25")
