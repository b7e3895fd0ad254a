#!/usr/bin/env python3
"""Judges a running Umbra demo from outside: terminals on both listeners, and the REST interface."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, Mapping, TextIO

import scenarios  # noqa: F401  (registers them)
from bench import LISTENERS, Bench, Demo, Memory
from checks import REGISTER, Failure, Scenario, Skip, scrub
from iso import IsoError
from terminal import ProtocolError

# A terminal that cannot sign on this often in a row is not tried again.
PATIENCE = 3


@dataclass(frozen=True)
class Result:
    """The outcome of one scenario in one place."""

    where: str
    scenario: str
    status: str
    reason: str = ""

    @property
    def line(self) -> str:
        return f"{self.status:4} {self.where} {self.scenario} {self.reason}".rstrip()


def outcome(action: Callable[[], str | None]) -> tuple[str, str]:
    """Runs a check; its status and a reason without card data or keys."""
    try:
        note = action()
    except Skip as skip:
        return "skip", f"({skip})"
    except (Failure, ProtocolError, IsoError, OSError) as error:
        return "FAIL", scrub(str(error) or type(error).__name__)
    except Exception as error:  # a fault of the judge, or data of a form that it does not expect
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        line = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
        return "FAIL", scrub(f"{type(error).__name__} at {line}: {error}")
    return "ok", f"({note})" if note else ""


class TerminalJudge:
    """Runs scenarios for one terminal on one listener, each on a connection of its own."""

    def __init__(self, demo: Demo, listener: str, entry: Mapping[str, str], memory: Memory) -> None:
        self.demo, self.listener, self.entry, self.memory = demo, listener, entry, memory
        self.unready = 0

    def run(self, check: Scenario) -> str | None:
        bench = self.open()
        try:
            return check.run(bench)
        finally:
            bench.close()

    def open(self) -> Bench:
        """A terminal that is connected, signed on and has keys."""
        if self.unready >= PATIENCE:
            raise Failure("not tried: the terminal cannot be made ready")
        bench = None
        try:
            bench = Bench(self.demo, self.listener, self.entry, self.memory)
            bench.ready()
        except (ProtocolError, IsoError, Failure, OSError) as error:
            self.unready += 1
            if bench:
                bench.close()
            raise Failure(f"the terminal cannot be made ready: {error}") from None
        self.unready = 0
        return bench

    def results(self, todo: list[Scenario]) -> Iterator[Result]:
        for check in todo:
            status, reason = outcome(partial(self.run, check))
            if status == "FAIL":
                # The keys may be in an unknown state: the next scenario exchanges new ones.
                self.memory.keys.pop(self.entry["terminalId"], None)
            yield Result(f"{self.listener}/{self.entry['keyScheme']}", check.name, status, reason)


def judge(demo: Demo, todo: list[Scenario], memory: Memory) -> Iterator[Result]:
    terminals = [check for check in todo if check.where == "terminal"]
    for listener in LISTENERS:
        for entry in demo.terminals:
            yield from TerminalJudge(demo, listener, entry, memory).results(terminals)
    for check in todo:
        if check.where == "admin":
            yield Result("admin/rest", check.name, *outcome(partial(check.run, demo)))


def select(phase: str, only: list[str] | None, slow: bool) -> list[Scenario]:
    chosen = [check for check in REGISTER if check.phase == phase and (slow or not check.slow)]
    if only:
        chosen = [check for check in REGISTER if check.phase == phase and check.name in only]
        missing = sorted(set(only) - {check.name for check in chosen})
        if missing:
            sys.exit(f"judge: no scenario {', '.join(missing)} in the phase {phase}; --list names them")
    return chosen


def report(results: Iterator[Result], lines: TextIO) -> list[Result]:
    """Prints each result as it comes, then the count."""
    started, done = time.monotonic(), []
    for result in results:
        print(result.line, file=lines, flush=True)
        done.append(result)
    counts = ", ".join(f"{number} {name}" for name, number in count(done).items())
    print(f"{counts} in {time.monotonic() - started:.1f} s", file=lines)
    return done


def count(results: list[Result]) -> dict[str, int]:
    names = {"ok": "ok", "failed": "FAIL", "skipped": "skip"}
    return {name: sum(result.status == status for result in results) for name, status in names.items()}


def as_json(results: list[Result]) -> str:
    return json.dumps({**count(results), "results": [vars(result) for result in results]})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo-json", type=Path, metavar="PATH", help="the demo.json of the running daemon")
    parser.add_argument("--phase", choices=("all", "before-restart", "after-restart"), default="all")
    parser.add_argument("--state", type=Path, metavar="FILE", help="kept between the phases around a restart")
    parser.add_argument("--only", action="append", metavar="NAME", help="this scenario alone; may be repeated")
    parser.add_argument("--slow", action="store_true", help="also scenarios that wait for a minute")
    parser.add_argument("--json", action="store_true", help="JSON on standard output, lines on standard error")
    parser.add_argument("--list", action="store_true", help="name the scenarios of the phase and what they check")
    arguments = parser.parse_args()
    if not arguments.list and not arguments.demo_json:
        parser.error("--demo-json is needed")
    if arguments.phase != "all" and not arguments.list and not arguments.state:
        parser.error(f"--phase {arguments.phase} needs --state")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    todo = select(arguments.phase, arguments.only, arguments.slow)
    if arguments.list:
        for check in REGISTER:
            if check.phase == arguments.phase:
                print(f"{check.name}: {' '.join((check.run.__doc__ or '').split())}")
        return 0
    demo = Demo(arguments.demo_json)
    memory = Memory.load(arguments.state) if arguments.phase == "after-restart" else Memory()
    results = report(judge(demo, todo, memory), sys.stderr if arguments.json else sys.stdout)
    if arguments.phase == "before-restart":
        memory.save(arguments.state)
    if arguments.json:
        print(as_json(results))
    return 0 if results and not any(result.status == "FAIL" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
