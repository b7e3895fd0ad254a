"""A POS terminal: connection, session keys, PIN blocks, MACs and the checks every answer must pass."""

from __future__ import annotations

import itertools
import random
import secrets
import socket
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Iterator, Literal, Mapping, Sequence

import psec

from iso import Codec, IsoError, Message

TIMEOUT = 10.0
ECHOED = (3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49)
NEVER_ANSWERED = (2, 35, 52)
KEY_HEADERS = {"PK": ("P0", "E"), "MK": ("M3", "C")}

# What a request's MAC is: valid, absent, wrong, or in a place that is itself the fault.
Mac = Literal["good", "none", "bad", "misplaced"]


class ProtocolError(Exception):
    """The switch broke a rule of the wire; the text never holds card data or keys."""


class Closed(ProtocolError):
    """The switch closed the connection."""


# --- numbers -----------------------------------------------------------------------------------

_stans: Iterator[int] = itertools.count(random.Random(time.time_ns()).randrange(1, 1_000_000))
_references: Iterator[int] = itertools.count(time.time_ns() // 1_000_000)


def next_stan() -> str:
    """A new DE 11; the run starts at a random place."""
    return f"{next(_stans) % 999_999 + 1:06d}"


def next_reference() -> str:
    """A new DE 37."""
    return f"{next(_references) % 10**12:012d}"


def transmission_time(moment: datetime | None = None) -> str:
    """DE 7, in UTC."""
    return (moment or datetime.now(timezone.utc)).strftime("%m%d%H%M%S")


# --- keys --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyPair:
    """One exchanged pair: PIN key and MAC key, double-length TDES."""

    pin: bytes = field(repr=False)
    mac: bytes = field(repr=False)

    def retail_mac(self, data: bytes) -> str:
        """ISO 9797-1 algorithm 3, padding method 1, as upper-case hex."""
        return psec.mac.generate_retail_mac(self.mac[:8], self.mac[8:], data, 1).hex().upper()

    def pin_block(self, pin: str, pan: str) -> str:
        """ISO 9564 format 0 under the PIN key."""
        return self.encipher_block(psec.pinblock.encode_pinblock_iso_0(pin, pan))

    def encipher_block(self, block: bytes) -> str:
        return psec.des.encrypt_tdes_ecb(self.pin, block).hex().upper()


def parse_tags(text: str) -> dict[str, str]:
    """DE 62: `TAG(2) LENGTH(3 digits) VALUE`, in any order, no tag twice."""
    tags: dict[str, str] = {}
    while text:
        tag, length = text[:2], text[2:5]
        if not length.isdecimal() or len(text) < 5 + int(length):
            raise ProtocolError("DE 62 is not a sequence of tag, length and value")
        if tag in tags:
            raise ProtocolError(f"DE 62 repeats the tag {tag}")
        tags[tag] = text[5 : 5 + int(length)]
        text = text[5 + int(length) :]
    return tags


def unwrap_tr31(tag: str, tmk: bytes, block: str) -> bytes:
    """A version B key block, whose usage, algorithm, mode and exportability must fit the tag."""
    usage, mode = KEY_HEADERS[tag]
    if block[:1] != "B" or block[1:5] != f"{len(block):04d}":
        raise ProtocolError(f"{tag}: no version B key block of its own length")
    try:
        header, key = psec.tr31.unwrap(tmk, block)
    except (psec.tr31.KeyBlockError, psec.tr31.HeaderError):
        raise ProtocolError(f"{tag}: the key block does not unwrap under the TMK") from None
    found = (header.key_usage, header.algorithm, header.mode_of_use, header.exportability)
    if found != (usage, "T", mode, "N"):
        raise ProtocolError(f"{tag}: usage, algorithm, mode, exportability are {found}")
    return key


def unwrap_ecb(tag: str, tmk: bytes, value: str) -> bytes:
    """`X` + 32 hex under the TMK in ECB mode + 6 hex key check value."""
    if len(value) != 39 or value[0] != "X":
        raise ProtocolError(f"{tag}: not X, 32 hex digits and a check value of 6")
    try:
        key = psec.des.decrypt_tdes_ecb(tmk, bytes.fromhex(value[1:33]))
    except ValueError:
        raise ProtocolError(f"{tag}: not hex") from None
    if psec.des.generate_kcv(key, 3).hex().upper() != value[33:].upper():
        raise ProtocolError(f"{tag}: the key check value does not match")
    return key


UNWRAP = {"tr31": unwrap_tr31, "ecb": unwrap_ecb}


# --- connection --------------------------------------------------------------------------------


class Connection:
    """One TCP connection: 2-byte length, then a TPDU on the listeners that have one."""

    def __init__(self, address: str, with_tpdu: bool) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        network, own = secrets.token_bytes(2), secrets.token_bytes(2)
        self.tpdu = b"\x60" + network + own if with_tpdu else b""
        self.answer_tpdu = b"\x60" + own + network if with_tpdu else b""

    def close(self) -> None:
        self.socket.close()

    def frame(self, payload: bytes) -> bytes:
        body = self.tpdu + payload
        return len(body).to_bytes(2, "big") + body

    def write(self, data: bytes) -> None:
        self.socket.settimeout(TIMEOUT)
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise ProtocolError("the switch does not read") from None
        except ConnectionError:
            raise Closed("the switch closed the connection") from None

    def read_body(self) -> bytes:
        """The next frame without its length; empty for a keep-alive."""
        deadline = time.monotonic() + TIMEOUT
        return self._read(int.from_bytes(self._read(2, deadline), "big"), deadline)

    def read(self) -> bytes:
        """The next message, its TPDU checked and taken off."""
        body = self.read_body()
        if not body.startswith(self.answer_tpdu):
            raise ProtocolError("the answer's TPDU does not have source and destination swapped")
        return body[len(self.answer_tpdu) :]

    def wait_closed(self) -> None:
        """Returns when the switch has closed the connection, whatever it still sends before."""
        while True:
            try:
                self.read_body()
            except Closed:
                return

    def _read(self, count: int, deadline: float) -> bytes:
        data = b""
        while len(data) < count:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                part = self.socket.recv(count - len(data))
            except TimeoutError:
                raise ProtocolError(f"nothing within {TIMEOUT:.0f} s") from None
            except ConnectionError:
                part = b""
            if not part:
                raise Closed("the switch closed the connection")
            data += part
        return data


# --- requests ----------------------------------------------------------------------------------


@dataclass
class Request:
    """A request as sent, with what its answer's MAC must be checked against."""

    message: Message
    raw: bytes
    keys: KeyPair | None
    answer_mac: bool | None  # whether the answer must have a MAC; None leaves it open

    @property
    def stan(self) -> str:
        return self.message.fields[11]

    @property
    def answer_mti(self) -> str:
        """0200 and 0201 are answered by 0210, 0420 and 0421 by 0430."""
        mti = self.message.mti
        return f"{mti[:2]}{int(mti[2]) + 1}0"


def mac_place(fields: Mapping[int, str]) -> int:
    """DE 128 when any of DE 65 to 127 is present, else DE 64."""
    return 128 if any(65 <= number <= 127 for number in fields) else 64


class Terminal:
    """A terminal of demo.json on one listener."""

    def __init__(self, codec: Codec, address: str, entry: Mapping[str, str], keys: KeyPair | None = None) -> None:
        self.codec = codec
        self.address = address
        self.id: str = entry["terminalId"]
        self.merchant: str = entry["merchantId"]
        self.scheme: str = entry["keyScheme"]
        self._tmk = bytes.fromhex(entry["tmk"])
        self.keys = keys
        self.connection = Connection(address, codec.binary)

    def reconnect(self) -> None:
        self.connection.close()
        self.connection = Connection(self.address, self.codec.binary)

    def close(self) -> None:
        self.connection.close()

    # Making requests

    def identify(self, fields: Mapping[int, str]) -> dict[int, str]:
        """The fields with DE 7, 11, 41 and 42 added where they are missing."""
        own = {7: transmission_time(), 41: self.id, 42: self.merchant}
        if 11 not in fields:
            own[11] = next_stan()
        return {**own, **fields}

    def request(self, mti: str, fields: Mapping[int, str], mac: Mac = "good", keys: KeyPair | None = None) -> Request:
        """A request ready to be sent; `keys` replace the terminal's own for its MAC."""
        keys = keys or self.keys
        message = Message(mti, self.identify(fields))
        if mac == "none" or keys is None:
            return Request(message, self.codec.encode(message), keys, answer_mac=False)
        place = mac_place(message.fields)
        if mac == "misplaced":
            place = 192 - place
        raw = self._seal(message, place, keys, mac == "bad")
        return Request(message, raw, keys, {"good": True, "bad": False, "misplaced": None}[mac])

    def _seal(self, message: Message, place: int, keys: KeyPair, spoil: bool) -> bytes:
        """Encodes with the MAC over everything before it, its bit already set in the bitmap."""
        message.fields[place] = "0" * 16
        value = keys.retail_mac(self._before_mac(message, place))
        if spoil:
            value = f"{int(value, 16) ^ 1:016X}"
        message.fields[place] = value
        return self.codec.encode(message)

    def _before_mac(self, message: Message, place: int) -> bytes:
        raw = self.codec.encode(message)
        if place == 128:
            return raw[: -self.codec.mac_width]
        first = {number: value for number, value in message.fields.items() if number < 64}
        length = len(self.codec.encode(Message(message.mti, first)))
        if any(number > 64 for number in message.fields):
            length += self.codec.bitmap_width
        return raw[:length]

    # Exchanging messages

    def send(self, *requests: Request) -> None:
        """Writes the requests in one segment."""
        self.connection.write(b"".join(self.connection.frame(request.raw) for request in requests))

    def ask(self, request: Request) -> Message:
        self.send(request)
        return self.collect([request])[0]

    def collect(self, requests: Sequence[Request], strangers: list[Message] | None = None) -> list[Message]:
        """The checked answers in the order of the requests, matched by MTI and DE 11.

        Other messages are a fault, unless a list for these strangers is given."""
        answers: dict[int, Message] = {}
        while len(answers) < len(requests):
            raw = self.connection.read()
            try:
                answer = self.codec.decode(raw)
            except IsoError as error:
                raise ProtocolError(f"the answer does not decode: {error}") from None
            index = self._match(requests, answers, answer)
            if index is not None:
                self.check_answer(requests[index], answer, raw)
                answers[index] = answer
            elif strangers is not None and len(strangers) < 10:
                strangers.append(answer)
            else:
                raise ProtocolError(f"an answer {answer.mti} that fits no request")
        return [answers[index] for index in range(len(requests))]

    @staticmethod
    def _match(requests: Sequence[Request], answers: Mapping[int, Message], answer: Message) -> int | None:
        for index, request in enumerate(requests):
            if index not in answers and request.answer_mti == answer.mti and request.stan == answer.get(11):
                return index
        return None

    def check_answer(self, request: Request, answer: Message, raw: bytes) -> None:
        """What holds for every answer: DE 39, echoed fields, no card data, the MAC."""
        if len(answer.get(39) or "") != 2:
            raise ProtocolError("the answer has no DE 39")
        for number in NEVER_ANSWERED:
            if number in answer.fields:
                raise ProtocolError(f"the answer carries DE {number}")
        for number in ECHOED:
            sent = request.message.get(number)
            # A repeat may be answered with the DE 7 that the first answer had.
            if number == 7 and request.message.mti[3] == "1":
                continue
            if sent is not None and answer.get(number) != sent:
                raise ProtocolError(f"DE {number} is not echoed (DE 39 = {answer.get(39)})")
        self._check_mac(request, answer, raw)

    def _check_mac(self, request: Request, answer: Message, raw: bytes) -> None:
        """An answer is MACed exactly when its request's MAC verified, under the same key."""
        found = [number for number in (64, 128) if number in answer.fields]
        if request.answer_mac is not None and request.answer_mac != bool(found):
            state = "has a MAC though the request's did not verify" if found else "has no MAC"
            raise ProtocolError(f"the answer {state} (DE 39 = {answer.get(39)})")
        if not found:
            return
        place = mac_place(answer.fields)
        if found != [place]:
            raise ProtocolError(f"the answer's MAC is in DE {found}, not in DE {place}")
        value = answer.fields[place]
        if value != value.upper():
            raise ProtocolError("the answer's MAC is not upper-case hex")
        if request.keys is None or request.keys.retail_mac(raw[: -self.codec.mac_width]) != value:
            raise ProtocolError("the answer's MAC does not verify")

    # Network management

    def management(self, code: str, mac: Mac = "none", keys: KeyPair | None = None) -> Message:
        return self.ask(self.request("0800", {70: code}, mac, keys))

    def sign_on(self) -> None:
        self._succeed("001", "none")

    def sign_off(self) -> None:
        self._succeed("002", "good")

    def echo(self) -> None:
        self._succeed("301", "none")

    def _succeed(self, code: str, mac: Mac) -> None:
        answer = self.management(code, mac)
        if answer.get(39) != "00":
            raise ProtocolError(f"0800/{code} is answered {answer.get(39)}")

    def exchange(self) -> KeyPair:
        """0800/101: the new pair, which the terminal does not use by itself."""
        answer = self.management("101")
        if answer.get(39) != "00":
            raise ProtocolError(f"0800/101 is answered {answer.get(39)}")
        tags = parse_tags(answer.get(62) or "")
        missing = [tag for tag in KEY_HEADERS if tag not in tags]
        if missing:
            raise ProtocolError(f"DE 62 lacks {missing}")
        pin, mac = (UNWRAP[self.scheme](tag, self._tmk, tags[tag]) for tag in ("PK", "MK"))
        if len(pin) != 16 or len(mac) != 16:
            raise ProtocolError("session keys are not double length")
        if len({pin[:8], pin[8:], mac[:8], mac[8:]}) != 4:
            raise ProtocolError("session keys have equal halves")
        return KeyPair(pin, mac)
