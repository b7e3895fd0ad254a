"""Framing: segments, pipelining, keep-alives and messages that mean nothing."""

from __future__ import annotations

import time

from bench import Bench
from checks import expect, expect_approved, expect_code, expect_same_answer, scenario
from iso import Message
from terminal import ProtocolError, Request

GARBAGE = b"\xff" * 24


@scenario()
def keep_alive(b: Bench) -> None:
    """A frame of length 0 is a keep-alive: echoed, no error."""
    for count in (1, 3):
        b.terminal.connection.write(b"\0\0" * count)
        for _ in range(count):
            expect(b.terminal.connection.read_body() == b"", "a keep-alive is not echoed as one")
    b.terminal.echo()


@scenario()
def pipelined_requests(b: Bench) -> None:
    """Twenty requests in one write are all answered, matched by DE 11, and each posts once."""
    card = b.demo.rich
    amounts = [100 + number for number in range(20)]
    requests = [b.request(b.fields(card, amount, pin=card.pin if amount % 2 else None)) for amount in amounts]
    with b.moves(card, -sum(amounts)):
        b.terminal.send(*requests)
        for answer in b.terminal.collect(requests):
            expect_approved(answer)


@scenario()
def two_frames_in_one_segment(b: Bench) -> None:
    """Frames are cut by their length, not by segment."""
    card = b.demo.rich
    requests = [b.request(b.fields(card, 105, pin=card.pin)), _echo(b)]
    b.terminal.send(*requests)
    for answer in b.terminal.collect(requests):
        expect_code(answer, "00")


@scenario()
def frame_byte_by_byte(b: Bench) -> None:
    """A purchase sent one byte at a time."""
    card = b.demo.rich
    request = b.request(b.fields(card, 109, pin=card.pin))
    with b.moves(card, -109):
        for byte in b.terminal.connection.frame(request.raw):
            b.terminal.connection.write(bytes([byte]))
            time.sleep(0.001)
        expect_approved(b.terminal.collect([request])[0])


@scenario()
def frame_cut_at_every_byte(b: Bench) -> None:
    """A message in two parts, for every place where it can be cut."""
    for cut in range(1, len(b.terminal.connection.frame(_echo(b).raw))):
        request = _echo(b)
        frame = b.terminal.connection.frame(request.raw)
        b.terminal.connection.write(frame[:cut])
        time.sleep(0.002)
        b.terminal.connection.write(frame[cut:])
        expect_code(b.terminal.collect([request])[0], "00")


@scenario()
def unknown_mti(b: Bench) -> None:
    """A message of an unknown MTI closes nothing; what follows is answered."""
    card = b.demo.rich
    for mti in ("1200", "0600", "0900"):
        stray = b.request(b.fields(card, 100), mti, "good")
        strangers = _survives(b, b.terminal.connection.frame(stray.raw))
        for answer in strangers:
            expect(answer.get(39) not in ("00", "10"), f"{mti} is approved")


@scenario()
def unserved_mti(b: Bench) -> None:
    """Only the MTIs of the interface and their repeats are served; their neighbours get 12 and move nothing."""
    card = b.demo.rich
    with b.moves(card, 0):
        for mti in ("0140", "0240", "0260", "0202", "0203", "0205", "0402", "0440", "0600"):
            expect_code(b.ask(b.fields(card, 104), mti), "12")
        expect_code(b.ask({70: "301"}, "0820"), "12")
    expect_code(b.ask({70: "301"}, "0801"), "00")


@scenario()
def network_code_in_a_purchase(b: Bench) -> None:
    """DE 70 is echoed in 0810 alone; the answer to a purchase that carries one has its MAC in DE 64."""
    card = b.demo.rich
    fields = {**b.fields(card, 108, pin=card.pin), 70: "301"}
    with b.moves(card, -108):
        first = expect_approved(b.ask(fields))
        expect(first.get(70) is None, "DE 70 is echoed")
        expect_same_answer(first, b.ask(fields))


@scenario()
def undecodable_messages(b: Bench) -> None:
    """A message that cannot be decoded far enough closes nothing: the connection goes on, and
    messages between keep the count from reaching three in a row."""
    whole = b.request(b.fields(b.demo.rich, 100)).raw
    payloads = [GARBAGE, GARBAGE[:1], whole[:-20], whole + b"\0", b""]
    for payload in payloads:
        if b.terminal.connection.frame(payload) != b"\0\0":
            for answer in _survives(b, b.terminal.connection.frame(payload)):
                expect(answer.get(39) not in ("00", "10"), "an undecodable message is approved")
    for _ in range(2):
        _survives(b, b.terminal.connection.frame(GARBAGE) * 2)


@scenario()
def frame_too_short_for_a_tpdu(b: Bench) -> None:
    """The same for a frame that ends inside the TPDU, or inside the MTI."""
    _survives(b, b"\0\1\x60")


@scenario()
def three_undecodable_close(b: Bench) -> None:
    """Three in a row close the connection; a new one works."""
    b.terminal.connection.write(b.terminal.connection.frame(GARBAGE) * 3)
    b.terminal.connection.wait_closed()
    b.terminal.reconnect()
    b.terminal.sign_on()
    expect_approved(b.ask(b.fields(b.demo.rich, 103, pin=b.demo.rich.pin)))


def _echo(b: Bench) -> Request:
    return b.terminal.request("0800", {70: "301"}, "none")


def _survives(b: Bench, frames: bytes) -> list[Message]:
    """After the frames an echo is still answered; returns the other answers."""
    strangers: list[Message] = []
    request = _echo(b)
    b.terminal.connection.write(frames)
    b.terminal.send(request)
    try:
        answer = b.terminal.collect([request], strangers)[0]
    except ProtocolError as error:
        raise ProtocolError(f"after {len(frames)} odd bytes: {error}") from None
    expect_code(answer, "00")
    return strangers
