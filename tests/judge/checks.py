"""The register of scenarios and the ways in which one ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Literal, Optional

from iso import Message

Phase = Literal["all", "before-restart", "after-restart"]
Where = Literal["terminal", "admin"]

# Returns a note for the report, or nothing.
Check = Callable[[Any], Optional[str]]


class Failure(Exception):
    """The switch does not do what the terminal interface says."""


class Skip(Exception):
    """The data of this run does not let the scenario be judged."""


@dataclass(frozen=True)
class Scenario:
    """A named check, its phase, and whether it runs for every terminal and listener."""

    name: str
    run: Check
    phase: Phase
    where: Where
    slow: bool


REGISTER: list[Scenario] = []


def scenario(phase: Phase = "all", where: Where = "terminal", slow: bool = False) -> Callable[[Check], Check]:
    """Registers a check under its own name."""

    def register(check: Check) -> Check:
        REGISTER.append(Scenario(check.__name__, check, phase, where, slow))
        return check

    return register


def expect(condition: bool, reason: str) -> None:
    if not condition:
        raise Failure(reason)


def expect_code(answer: Message, *codes: str) -> Message:
    """The answer's DE 39 is one of the codes."""
    found = answer.get(39)
    expect(found in codes, f"DE 39 is {found}, not {' or '.join(codes)}")
    return answer


def expect_approved(answer: Message) -> Message:
    """DE 39 is 00 and DE 38 is there."""
    expect_code(answer, "00")
    expect(bool((answer.get(38) or "").strip()), "an approval has no DE 38")
    return answer


def expect_same_answer(first: Message, again: Message, but: tuple[int, ...] = ()) -> None:
    """The first answer's fields come back; the MAC is made afresh."""
    apart = {64, 128, *but}
    numbers = (set(first.fields) | set(again.fields)) - apart
    differing = sorted(number for number in numbers if first.get(number) != again.get(number))
    expect(first.mti == again.mti, f"answered {again.mti} instead of {first.mti}")
    expect(not differing, f"DE {differing} differ from the first answer (DE 39 = {again.get(39)})")


def scrub(text: str) -> str:
    """Takes out of a reason whatever could be a card number, a track or a key."""
    return re.sub(r"\d{13,}[=D]?\d*|[0-9A-Fa-f]{16,}", "***", text)
