#!/usr/bin/env python3
"""ISO 8583:1987 in the two encodings a terminal speaks, on top of pyiso8583.

The field tables are those of jPOS's packagers iso87binary.xml and iso87ascii.xml.
`python iso.py --self-test` checks them against the vectors of both packagers.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

import iso8583

# Kinds: n fixed digits; x sign and digits; c fixed characters; b fixed bytes; lln, llc, lllc
# variable digits or characters; lllb variable bytes (characters in the ASCII encoding).
FIELD_TABLE = """
    2 lln 19   | 3 n 6      | 4-6 n 12   | 7 n 10     | 8-10 n 8   | 11-12 n 6  | 13-18 n 4
    19-24 n 3  | 25-26 n 2  | 27 n 1     | 28-31 x 9  | 32-33 lln 11
    34 llc 28  | 35 lln 37  | 36 lllc 104 | 37 c 12   | 38 c 6     | 39 c 2     | 40 c 3
    41 c 8     | 42 c 15    | 43 c 40    | 44 llc 25  | 45 llc 76  | 46-48 lllc 999
    49-51 c 3  | 52 b 8     | 53 n 16    | 54 lllc 120 | 55 lllb 999 | 56-63 lllc 999
    64 b 8     | 65 b 1     | 66 n 1     | 67 n 2     | 68-70 n 3  | 71-72 n 4  | 73 n 6
    74-81 n 10 | 82-85 n 12 | 86-89 n 16 | 90 n 42    | 91 c 1     | 92 c 2     | 93 c 6
    94 c 7     | 95 c 42    | 96 b 16    | 97 x 17    | 98 c 25    | 99-100 lln 11
    101 llc 17 | 102-103 llc 28 | 104 lllc 100 | 105-127 lllc 999 | 128 b 8
"""


class IsoError(ValueError):
    """A message that the encoding does not allow; its text never holds field values."""


@dataclass(frozen=True)
class Kind:
    """One row of the field table."""

    type: str
    length: int


def _parse_table(text: str) -> dict[int, Kind]:
    kinds: dict[int, Kind] = {}
    for entry in text.replace("\n", "|").split("|"):
        if not entry.strip():
            continue
        numbers, kind, length = entry.split()
        first, _, last = numbers.partition("-")
        for number in range(int(first), int(last or first) + 1):
            kinds[number] = Kind(kind, int(length))
    return kinds


KINDS = _parse_table(FIELD_TABLE)


@dataclass
class Message:
    """A message as its MTI and its fields; binary fields are upper-case hex."""

    mti: str
    fields: dict[int, str] = field(default_factory=dict)

    def get(self, number: int) -> str | None:
        return self.fields.get(number)


def _fixed(data_enc: str, length: int, **more: str) -> dict[str, Any]:
    return {"data_enc": data_enc, "len_enc": "ascii", "len_type": 0, "max_len": length, **more}


def _variable(data_enc: str, len_enc: str, width: int, length: int, **more: str) -> dict[str, Any]:
    return {"data_enc": data_enc, "len_enc": len_enc, "len_type": width, "max_len": length, **more}


def _binary_entry(kind: Kind) -> dict[str, Any]:
    """BCD digits and lengths: fixed odd digits are padded left, variable ones right, with 0."""
    nibbles = {"len_count": "nibbles"}
    match kind.type:
        case "n":
            return _fixed("b", kind.length, left_pad="0", **nibbles)
        case "x":
            return _fixed("b", 1 + kind.length // 2)
        case "c":
            return _fixed("latin-1", kind.length)
        case "b":
            return _fixed("b", kind.length)
        case "lln":
            return _variable("b", "bcd", 1, kind.length, right_pad="0", **nibbles)
        case "llc":
            return _variable("latin-1", "bcd", 1, kind.length)
        case "lllc":
            return _variable("latin-1", "bcd", 2, kind.length)
        case "lllb":
            return _variable("b", "bcd", 2, kind.length)
    raise AssertionError(kind.type)


def _ascii_entry(kind: Kind) -> dict[str, Any]:
    """Everything in characters: decimal lengths, and binary fields as twice as many hex digits."""
    match kind.type:
        case "n" | "x" | "c":
            return _fixed("latin-1", kind.length)
        case "b":
            return _fixed("ascii", 2 * kind.length)
        case "lln" | "llc":
            return _variable("latin-1", "ascii", 2, kind.length)
        case "lllc" | "lllb":
            return _variable("latin-1", "ascii", 3, kind.length)
    raise AssertionError(kind.type)


@dataclass(frozen=True)
class Codec:
    """Turns messages into bytes and back in one encoding."""

    name: str
    binary: bool
    spec: Mapping[str, Mapping[str, Any]]

    @property
    def mac_width(self) -> int:
        """The bytes that DE 64 or 128 takes at the end of a message."""
        return 8 if self.binary else 16

    @property
    def bitmap_width(self) -> int:
        return 8 if self.binary else 16

    def encode(self, message: Message) -> bytes:
        document = {"t": message.mti}
        for number, value in message.fields.items():
            document[str(number)] = self._to_wire(KINDS[number], value)
        try:
            raw, _ = iso8583.encode(document, self.spec)
        except iso8583.EncodeError as error:
            raise IsoError(str(error)) from None
        return bytes(raw)

    def decode(self, raw: bytes) -> Message:
        try:
            document, _ = iso8583.decode(raw, self.spec)
        except iso8583.DecodeError as error:
            raise IsoError(str(error)) from None
        message = Message(document["t"])
        for key, value in document.items():
            if key.isdecimal() and key != "1":
                message.fields[int(key)] = self._from_wire(int(key), value)
        return message

    def _to_wire(self, kind: Kind, value: str) -> str:
        if kind.type == "n":
            return value.rjust(kind.length, "0")
        if kind.type == "c":
            return value.ljust(kind.length)
        if kind.type == "b":
            return value.upper()
        if kind.type == "x":
            sign, digits = value[:1], value[1:].rjust(kind.length - 1, "0")
            return sign.encode("latin-1").hex() + digits if self.binary else sign + digits
        if kind.type == "lln" and self.binary:
            return value.replace("=", "D")
        return value

    def _from_wire(self, number: int, value: str) -> str:
        kind = KINDS[number]
        if kind.type == "x" and self.binary:
            value = bytes.fromhex(value[:2]).decode("latin-1") + value[2:]
        if number == 35 and self.binary:
            value = value.replace("D", "=")
        digits = value[1:] if kind.type == "x" else value
        if self.binary and kind.type in ("n", "x") and not digits.isdecimal():
            raise IsoError(f"digits expected: field {number}")
        return value


def _codec(name: str, binary: bool) -> Codec:
    entry = _binary_entry if binary else _ascii_entry
    bitmap = _fixed("b", 8) if binary else _fixed("ascii", 16)
    spec = {"h": _fixed("ascii", 0), "p": bitmap, "1": bitmap}
    spec["t"] = _fixed("b", 2) if binary else _fixed("ascii", 4)
    spec.update({str(number): entry(kind) for number, kind in KINDS.items()})
    return Codec(name, binary, spec)


CODECS = {
    "iso87binary": _codec("iso87binary", binary=True),
    "iso87ascii": _codec("iso87ascii", binary=False),
}

# Messages written by hand, for what the vectors leave out: (codec, message, hex).
HAND_MADE = [
    (
        "iso87binary",
        Message("0200", {35: "9999990000000008=25121010000", 52: "0123456789ABCDEF"}),
        "0200 0000000020001000 28 9999990000000008D25121010000 0123456789ABCDEF",
    ),
    (
        "iso87binary",
        Message("0800", {35: "999999000000008=2512", 62: "PK001A", 64: "FEDCBA9876543210"}),
        "0800 0000000020000005 20 999999000000008D2512 0006 504B30303141 FEDCBA9876543210",
    ),
    (
        "iso87binary",
        Message("0200", {35: "99999900000008=2512", 102: "A1"}),
        "0200 8000000020000000 0000000004000000 19 99999900000008D25120 02 4131",
    ),
    (
        "iso87binary",
        Message("0420", {22: "021", 70: "301", 95: "0" * 42, 128: "00" * 8}),
        "0420 8000040000000000 0400000200000001 0021 0301" + "30" * 42 + "00" * 8,
    ),
    (
        "iso87ascii",
        Message("0200", {35: "9999990000000008=2512", 52: "0123456789ABCDEF", 54: "0040710D000000000100"}),
        b"02000000000020001400219999990000000008=25120123456789ABCDEF0200040710D000000000100".hex(),
    ),
]


def _check_vector(vector: Mapping[str, Any]) -> str | None:
    """The reason why a vector does not hold, or None."""
    codec = CODECS[vector["inputs"]["packager"]]
    raw, expected = bytes.fromhex(vector["inputs"]["message"]), vector["expected"]
    try:
        message = codec.decode(raw)
    except IsoError as error:
        return None if "error" in expected else str(error)
    if "error" in expected:
        return "decoded, though it must not"
    if message.mti != expected["mti"]:
        return "MTI differs"
    if message.fields != {int(number): value for number, value in expected["fields"].items()}:
        return "fields differ"
    return None if codec.encode(message) == raw else "encodes to other bytes"


def _check_hand_made(name: str, message: Message, expected: str) -> str | None:
    raw = bytes.fromhex(expected)
    if CODECS[name].encode(message) != raw:
        return "encodes to other bytes"
    return None if CODECS[name].decode(raw) == message else "decodes to other fields"


def self_test(path: Path) -> int:
    """Checks every vector of the two packagers; returns the number of failures."""
    vectors = [v for v in json.loads(path.read_text())["vectors"] if v["inputs"].get("packager") in CODECS]
    results = [(vector["name"], _check_vector(vector)) for vector in vectors]
    for index, (name, message, raw) in enumerate(HAND_MADE):
        results.append((f"hand-made/{name}-{index}", _check_hand_made(name, message, raw)))
    failures = [(name, reason) for name, reason in results if reason]
    for name, reason in failures:
        print(f"FAIL {name} {reason}")
    print(f"{len(results) - len(failures)} of {len(results)} messages hold")
    return len(failures)


def main() -> int:
    default = Path(__file__).resolve().parent.parent / "vectors" / "iso8583.json"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", required=True)
    parser.add_argument("--vectors", type=Path, default=default)
    arguments = parser.parse_args()
    return 1 if self_test(arguments.vectors) else 0


if __name__ == "__main__":
    sys.exit(main())
