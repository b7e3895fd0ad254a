"""What must outlive a kill and a new start: keys, answers, holds and the PIN counter."""

from __future__ import annotations

from bench import INQUIRY, PIN_TRIES, Bench
from checks import Skip, expect, expect_approved, expect_code, expect_same_answer, scenario
from iso import Message
from rest import Balance

PIN_CASE = "pin"


@scenario("before-restart")
def leave_key_pair(b: Bench) -> None:
    """A pair that a message verified under is in use; the judge keeps it."""
    b.use(b.terminal.exchange())
    expect_code(b.terminal.management("301", "good"), "00")


@scenario("before-restart")
def leave_purchase(b: Bench) -> None:
    """A purchase whose repeat comes after the restart."""
    fields = b.fields(b.demo.rich, 151, pin=b.demo.rich.pin)
    answer = expect_approved(b.ask(fields))
    _remember(b, "purchase", fields, answer)


@scenario("before-restart")
def leave_hold(b: Bench) -> None:
    """A hold whose completion comes after the restart."""
    fields = b.fields(b.demo.rich, 510, pin=b.demo.rich.pin)
    _remember(b, "hold", fields, expect_approved(b.ask(fields, "0100")))


@scenario("before-restart")
def leave_unknown_original(b: Bench) -> None:
    """The reversal of an original that comes after the restart."""
    original = b.fields(b.demo.rich, 153, pin=b.demo.rich.pin)
    reversal = b.reversal(original)
    _remember(b, "late original", original, expect_code(b.ask(reversal, "0420"), "00"))


@scenario("before-restart")
def leave_balance(b: Bench) -> None:
    """The balances that the restart must not change."""
    balance = b.balance(b.demo.rich)
    b.memory.cases["balance"] = {"ledger": balance.ledger, "available": balance.available}


@scenario("before-restart")
def leave_wrong_pin(b: Bench) -> str | None:
    """One wrong PIN on the card whose tries may be used up; once for the whole run."""
    if PIN_CASE in b.memory.cases:
        return "done on another listener"
    card = b.demo.tries
    answer = expect_code(b.ask(b.fields(card, 10, pin=card.wrong_pin)), "55", "75")
    exhausted = answer.get(39) == "75"
    b.memory.cases[PIN_CASE] = {"exhausted": exhausted, "judged": False}
    return "the card's tries were exhausted by an earlier run" if exhausted else None


@scenario("after-restart")
def keys_survive(b: Bench) -> None:
    """Session keys still verify MACs and decipher PINs without a new exchange."""
    expect_code(b.terminal.management("301", "good"), "00")
    expect_code(b.ask(b.fields(b.demo.rich, 0, INQUIRY, b.demo.rich.pin)), "00")


@scenario("after-restart")
def balance_survives(b: Bench) -> str | None:
    """What was acknowledged before the kill is in the balances, over both ways."""
    case = b.memory.cases.pop("balance", None)
    if case is None:
        return "judged on another listener"
    wanted = Balance(case["ledger"], case["available"])
    expect(b.balance(b.demo.rich) == wanted, "the balances differ from those before the restart")
    b.rest.expect_balance(b.demo.rich.wallet_id, wanted)
    return None


@scenario("after-restart")
def repeat_after_restart(b: Bench) -> None:
    """Duplicates are remembered across restarts: the first approval comes back, nothing moves."""
    fields, first = _recall(b, "purchase")
    with b.moves(b.demo.rich, 0):
        expect_same_answer(first, b.ask(fields, "0201"))
        expect_same_answer(first, b.ask(fields))


@scenario("after-restart")
def late_original_after_restart(b: Bench) -> None:
    """A reversal of an unknown original is recorded: the original that comes later gets 68."""
    fields, _ = _recall(b, "late original")
    fields[52] = b.keys.pin_block(b.demo.rich.pin, b.demo.rich.pan)
    with b.moves(b.demo.rich, 0):
        expect_code(b.ask(fields), "68")


@scenario("after-restart")
def completion_after_restart(b: Bench) -> None:
    """A hold outlives the restart: its completion posts and releases it."""
    fields, approval = _recall(b, "hold")
    with b.moves(b.demo.rich, -510, 0):
        expect_code(b.ask(b.completion(fields, approval, 510, "90"), "0220"), "00")


@scenario("after-restart")
def wrong_pin_after_restart(b: Bench) -> str | None:
    """The wrong PIN before the restart still counts: two more, then 75 even with the right PIN."""
    case = b.memory.cases.get(PIN_CASE)
    if case is None:
        raise Skip("no wrong PIN was left before the restart")
    if case["judged"]:
        return "judged on another listener"
    case["judged"] = True
    card = b.demo.tries
    if not case["exhausted"]:
        for number in range(2, PIN_TRIES + 1):
            codes = ("55",) if number < PIN_TRIES else ("55", "75")
            expect_code(b.ask(b.fields(card, 10, pin=card.wrong_pin)), *codes)
    expect_code(b.ask(b.fields(card, 10, pin=card.pin)), "75")
    return "exhausted before the restart already" if case["exhausted"] else None


def _remember(b: Bench, what: str, fields: dict[int, str], answer: Message) -> None:
    b.memory.cases[f"{b.name} {what}"] = {"fields": fields, "mti": answer.mti, "answer": answer.fields}


def _recall(b: Bench, what: str) -> tuple[dict[int, str], Message]:
    case = b.memory.cases.get(f"{b.name} {what}")
    if case is None:
        raise Skip("nothing was left before the restart")
    fields, answer = ({int(n): value for n, value in case[key].items()} for key in ("fields", "answer"))
    return fields, Message(case["mti"], answer)
