"""What a scenario works with: demo.json's cards and terminals, and ready-made requests."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator, Mapping

from checks import Skip, expect, expect_code
from iso import CODECS, Message
from rest import Balance, Rest
from terminal import KeyPair, Mac, Request, Terminal, next_reference, next_stan, transmission_time

LISTENERS = {"pos-binary": CODECS["iso87binary"], "pos-ascii": CODECS["iso87ascii"]}
SCHEMES = ("tr31", "ecb")

PURCHASE, CASHBACK, REFUND, INQUIRY = "000000", "090000", "200000", "310000"
PIN_TRIES = 3


@dataclass(frozen=True)
class Card:
    """A card of demo.json; it never prints itself."""

    pan: str = field(repr=False)
    expiry: str = field(repr=False)
    pin: str = field(repr=False)
    track2: str = field(repr=False)
    wallet_id: int
    currency: str
    balance: Decimal
    active: bool

    @property
    def wrong_pin(self) -> str:
        return self.pin[:-1] + str((int(self.pin[-1]) + 1) % 10)

    @property
    def expired(self) -> bool:
        return self.expiry < datetime.now(timezone.utc).strftime("%y%m")


def luhn_digit(digits: str) -> str:
    """The check digit to append."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


class Demo:
    """demo.json of a running daemon."""

    def __init__(self, path: Path) -> None:
        data = json.loads(path.read_text())
        self.listeners: Mapping[str, str] = data["listeners"]
        self.terminals = [
            entry for entry in data["terminals"] if entry.get("keyScheme") in SCHEMES and entry.get("mac", True)
        ]
        self.cards = [self._card(entry) for entry in data["cards"]]
        self.rest = Rest(data["baseUrl"], int(data["tenantId"]), data["admin"])

    @staticmethod
    def _card(entry: Mapping[str, Any]) -> Card:
        return Card(
            pan=entry["pan"],
            expiry=entry["expiry"],
            pin=entry["pin"],
            track2=entry["track2"],
            wallet_id=entry["walletId"],
            currency=entry["currency"],
            balance=Decimal(entry["balance"]),
            active=entry.get("status", "ACTIVE") == "ACTIVE",
        )

    @cached_property
    def _usable(self) -> list[Card]:
        """Active cards with money, the poorest first."""
        usable = [card for card in self.cards if card.active and not card.expired and card.balance > 0]
        return sorted(usable, key=lambda card: card.balance)

    @property
    def rich(self) -> Card:
        return self._pick(self._usable[-1:], "rich")

    @property
    def small(self) -> Card:
        return self._pick(self._usable[:-1], "small")

    @property
    def tries(self) -> Card:
        """The card whose PIN tries may be used up."""
        return self._pick(self._usable[1:-1], "further active")

    @property
    def blocked(self) -> Card:
        return self._pick([card for card in self.cards if not card.active and not card.expired], "blocked")

    @property
    def expired(self) -> Card:
        return self._pick([card for card in self.cards if card.active and card.expired], "expired")

    @staticmethod
    def _pick(cards: list[Card], name: str) -> Card:
        if not cards:
            raise Skip(f"demo.json has no {name} card")
        return cards[0]

    def unknown_pan(self) -> str:
        """A PAN that passes Luhn, in the rich card's range, and on no card."""
        length, known = len(self.rich.pan), {card.pan for card in self.cards}
        while True:
            digits = self.rich.pan[:8] + "".join(secrets.choice("0123456789") for _ in range(length - 9))
            pan = digits + luhn_digit(digits)
            if pan not in known:
                return pan


@dataclass
class Memory:
    """The session keys in use, and what one phase leaves for a later one."""

    cases: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, KeyPair] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Memory:
        data = json.loads(path.read_text())
        keys = {name: KeyPair(bytes.fromhex(pin), bytes.fromhex(mac)) for name, (pin, mac) in data["keys"].items()}
        return cls(data["cases"], keys)

    def save(self, path: Path) -> None:
        """Writes a file that only its owner may read: it holds session keys."""
        keys = {name: (pair.pin.hex(), pair.mac.hex()) for name, pair in self.keys.items()}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"cases": self.cases, "keys": keys}, file)


class Bench:
    """One terminal on one listener, connected and signed on, and how to make its requests."""

    def __init__(self, demo: Demo, listener: str, entry: Mapping[str, str], memory: Memory) -> None:
        self.demo = demo
        self.rest = demo.rest
        self.listener = listener
        self.scheme = entry["keyScheme"]
        self.memory = memory
        keys = memory.keys.get(entry["terminalId"])
        self.terminal = Terminal(LISTENERS[listener], demo.listeners[listener], entry, keys)

    @property
    def name(self) -> str:
        return f"{self.listener}/{self.scheme}"

    def close(self) -> None:
        self.terminal.close()

    def ready(self) -> None:
        """Signs on, and exchanges keys when there are none."""
        self.terminal.sign_on()
        if self.terminal.keys is None:
            self.use(self.terminal.exchange())

    def use(self, keys: KeyPair) -> None:
        """Makes a pending pair the terminal's own: a message verifies under it."""
        expect_code(self.terminal.management("301", "good", keys), "00")
        self.terminal.keys = self.memory.keys[self.terminal.id] = keys

    # Fields of requests

    def fields(self, card: Card, amount: int, code: str = PURCHASE, pin: str | None = None) -> dict[int, str]:
        """A keyed-in card: DE 2 and 14; a PIN block when there is a PIN."""
        moment = datetime.now(timezone.utc)
        fields = {
            2: card.pan,
            3: code,
            4: f"{amount:012d}",
            7: transmission_time(moment),
            11: next_stan(),
            12: moment.strftime("%H%M%S"),
            13: moment.strftime("%m%d"),
            14: card.expiry,
            22: "011" if pin else "012",
            25: "00",
            32: "12345",
            37: next_reference(),
            49: card.currency,
        }
        if pin:
            fields[52] = self.keys.pin_block(pin, card.pan)
        return fields

    def swiped(self, card: Card, amount: int, pin: str | None = None) -> dict[int, str]:
        """The same with track 2 instead of DE 2 and 14."""
        fields = self.fields(card, amount, pin=pin)
        del fields[2], fields[14]
        return {**fields, 22: "021", 35: card.track2}

    def completion(self, hold: Mapping[int, str], approval: Message, amount: int, by: str) -> dict[int, str]:
        """0220 with DE 25 = 06 and DE 38, that names its hold by DE 90 or by the same DE 37."""
        fields = self._follow(hold, amount)
        fields.update({25: "06", 38: approval.fields[38]})
        if by == "90":
            fields[90] = original_data("0100", hold)
        else:
            fields[37] = hold[37]
        return fields

    def reversal(self, original: Mapping[int, str], by: str = "90", mti: str = "0200") -> dict[int, str]:
        """A reversal that names its original by DE 90, by DE 11, or by DE 11 and 37."""
        fields = self._follow(original, int(original[4]))
        if by == "90":
            fields[90] = original_data(mti, original)
            return fields
        fields[11] = original[11]
        if by == "11+37":
            fields[37] = original[37]
        else:
            del fields[37]
        return fields

    def _follow(self, original: Mapping[int, str], amount: int) -> dict[int, str]:
        """A new message on the original's card, without a PIN."""
        fields = dict(original)
        fields.pop(52, None)
        fields.pop(54, None)
        fields.update({4: f"{amount:012d}", 7: transmission_time(), 11: next_stan(), 37: next_reference()})
        return fields

    # Sending

    @property
    def keys(self) -> KeyPair:
        assert self.terminal.keys is not None
        return self.terminal.keys

    def request(self, fields: Mapping[int, str], mti: str = "0200", mac: Mac = "good") -> Request:
        return self.terminal.request(mti, fields, mac)

    def ask(self, fields: Mapping[int, str], mti: str = "0200", mac: Mac = "good") -> Message:
        return self.terminal.ask(self.request(fields, mti, mac))

    # Balances

    def balance(self, card: Card) -> Balance:
        """The balances by a balance inquiry with the PIN: DE 54, types 01 and 02."""
        answer = expect_code(self.ask(self.fields(card, 0, INQUIRY, card.pin)), "00")
        found: dict[str, int] = {}
        for amount_type, currency, amount in parse_amounts(answer.get(54) or ""):
            expect(currency == card.currency, "DE 54 is in another currency than the card")
            found.setdefault(amount_type, amount)
        expect({"01", "02"} <= found.keys(), "DE 54 lacks amount type 01 or 02")
        return Balance(found["01"], found["02"])

    @contextmanager
    def moves(self, card: Card, ledger: int, available: int | None = None) -> Iterator[None]:
        """What happens inside changes the balances by exactly this, in minor units."""
        before = self.balance(card)
        yield
        after = self.balance(card)
        wanted = (ledger, ledger if available is None else available)
        found = (after.ledger - before.ledger, after.available - before.available)
        expect(found == wanted, f"ledger and available balance moved by {found}, not {wanted}")


def original_data(mti: str, original: Mapping[int, str]) -> str:
    """DE 90: MTI, STAN, DE 7, and DE 32 and 33 filled with zeros on the left."""
    return mti + original[11] + original[7] + original.get(32, "").rjust(11, "0") + "0" * 11


def parse_amounts(text: str) -> Iterator[tuple[str, str, int]]:
    """DE 54: account(2) type(2) currency(n3) C or D, n12; yields type, currency, signed amount."""
    expect(len(text) % 20 == 0, "DE 54 is not a repetition of 20 characters")
    for start in range(0, len(text), 20):
        entry = text[start : start + 20]
        expect(entry[7] in "CD" and entry[8:].isdecimal(), "an amount of DE 54 is malformed")
        yield entry[2:4], entry[4:7], int(entry[8:]) * (1 if entry[7] == "C" else -1)
