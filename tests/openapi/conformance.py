#!/usr/bin/env python3
"""Judges the OpenAPI document and a running demo by it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Mapping

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

HERE = Path(__file__).parent

# The daemon is on this machine, whatever proxy the environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# What the platform's people alone may do, and what they see that a tenant's do not.
PLATFORM = ("listTenants", "createTenant")

# It would end the session of all that follows.
LEFT_OUT = "logout"

# Succeeds with the right password alone: every run begins with it.
LOG_IN = "login"

# Of each kind of entity at least: one is enough to show that an operation works, the others are deleted or used up.
PLENTY = 12

# What else is worth saying of entities that exist: amounts and times up to their ends and beyond.
VALUES: dict[str, list[Any]] = {
    "amount": [0.01, 1, 2.5, 0.01, 1, 1e27, 1e-27],
    "currency": ["ZAR", "USD", "JPY"],
    "expires": ["2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"],
}


class Rest:
    """The REST interface as one of the demo's people sees it."""

    def __init__(self, demo: Mapping[str, Any], who: str) -> None:
        self.base = demo["baseUrl"]
        self.tenant = f"/tenants/{demo['tenantId']}"
        self.identity = demo[who]["identity"]
        self.token = ""
        self.token = self.post("/authentication/login", demo[who])["headerValue"].split()[1]

    def get(self, path: str) -> Any:
        return self._call(path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._call(path, json.dumps(body).encode())

    def _call(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(self.base + path, body, {"Content-Type": "application/json"})
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with OPENER.open(request, timeout=30) as answer:
            return json.load(answer)


def furnish(rest: Rest, plenty: int) -> dict[str, dict[str, list[Any]]]:
    """Makes entities of all kinds for requests to name. Gives the values of the path's parameters and of the body's
    fields."""
    made: dict[str, list[Any]] = {"tenantId": [int(rest.tenant.split("/")[-1])]}

    def make(parameter: str, path: str, body: Mapping[str, Any]) -> None:
        made.setdefault(parameter, []).append(rest.post(rest.tenant + path, body)[parameter])

    def name(kind: str, number: int) -> str:
        return f"conformance-{kind}-{number}"

    zar = [{"att": "Currency", "val": "ZAR"}]
    kinds = ("CLOSED_LOOP_DIGITAL", "SYSTEM", "PREPAID_CARD", "BANK_ACCOUNT")
    for number in range(plenty):
        kind = kinds[number % len(kinds)]
        make("walletTypeId", "/wallet-types", {"name": name("type", number), "mode": kind, "configuration": zar})
        make("customerId", "/customers", {"externalUniqueId": name("customer", number), "firstName": "Ada"})
        make("configItemId", "/config-items", {"key": name("setting", number), "value": "x"})
        make("terminalTypeId", "/terminal-types", {"name": name("kind", number)})
        terminal = {"deviceId": f"CONF{number:04}", "merchantId": "CONFORMANCE", "currency": "ZAR"}
        make("terminalId", "/terminals/enroll", terminal)
        user = {"identity": name("user", number), "lastName": "Lovelace", "phone1": "27110000000"}
        make("adminUserId", "/admin-users", user)
    digital, system, prepaid = made["walletTypeId"][:3]
    for number, kind in enumerate((system, digital, prepaid, digital)):
        wallet = {"walletTypeId": kind, "status": "ACTIVE", "externalUniqueId": name("wallet", number)}
        make("walletId", "/tenant-wallets", wallet)
    # Money comes out of the wallet of mode SYSTEM: it alone may be below zero.
    payer, payee = made["walletId"][:2]
    for number in range(plenty):
        unique = name("transfer", number)
        transfer = {"fromWalletId": payer, "toWalletId": payee, "amount": 100, "description": "Funding"}
        rest.post(rest.tenant + "/wallets/transfers", transfer | {"externalUniqueId": unique})
        hold = {"amount": 0.25, "expires": "2100-01-01T00:00:00Z", "sessionId": name("session", number)}
        make("reservationId", f"/wallets/{payee}/reservations", hold)
        make("cardId", f"/wallets/{payee}/cards", {"cardHolderName": "Ada Lovelace"})
    wallets = made["walletId"]
    body = VALUES | {
        "fromWalletId": wallets,
        "toWalletId": wallets,
        "originalExternalUniqueId": [name("transfer", number) for number in range(plenty)],
        # The others have nothing that depends on them, so they can be removed.
        "terminalTypeId": made["terminalTypeId"][: len(kinds)],
        "walletTypeId": made["walletTypeId"][: len(kinds)],
    }
    return {"path": made, "body": body}


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of answers under which a field that it does not name is a breach."""
    result = dict(schema)
    if "items" in result:
        result["items"] = closed(result["items"])
    elif "oneOf" in result:
        result["oneOf"] = [closed(part) for part in result["oneOf"]]
    elif result.keys() & {"$ref", "allOf", "properties"}:
        result["unevaluatedProperties"] = False
    return result


def strict(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the schemas of all answers closed."""
    result = json.loads(json.dumps(document))
    for operation in operations(result):
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                content["schema"] = closed(content["schema"])
    return result


def operations(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return (operation for methods in document["paths"].values() for operation in methods.values())


def run(rest: Rest, document: Path, arguments: argparse.Namespace, only: Iterable[str] = ()) -> Counter[str]:
    """Runs Schemathesis as one of the demo's people. Gives how often each operation was answered with each status."""
    folder = Path(tempfile.mkdtemp(dir=arguments.work))
    statuses = folder / "statuses.json"
    own = next((user for user in rest.get(rest.tenant + "/admin-users") if user["identity"] == rest.identity), {})
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml", "run", document]
    command += ["--url", rest.base.split("/eclipse-conductor")[0], "--seed", arguments.seed, "--no-color"]
    command += ["--max-examples", arguments.examples, "--exclude-operation-id", LEFT_OUT]
    for name in only:
        command += ["--include-operation-id", name]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "NO_PROXY": "*",
        "PYTHONDONTWRITEBYTECODE": "1",
        "UMBRA_KNOWN": json.dumps(arguments.known),
        "UMBRA_TOKEN": rest.token,
        "UMBRA_USER_ID": str(own.get("adminUserId", "no tenant's")),
        "UMBRA_STATUSES": str(statuses),
    }
    done = subprocess.run([str(part) for part in command], cwd=folder, env=environment)
    if done.returncode:
        raise SystemExit(f"requests as {rest.identity}: see above")
    return Counter(json.loads(statuses.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--document", type=Path, required=True, help="what `umbra openapi` printed")
    parser.add_argument("--demo-json", type=Path, required=True)
    parser.add_argument("--examples", type=int, default=8, help="of each operation and phase at most")
    parser.add_argument("--seed", type=int, default=20_260_101)
    arguments = parser.parse_args()

    document = json.loads(arguments.document.read_text())
    validate(document, cls=OpenAPIV31SpecValidator)
    demo = json.loads(arguments.demo_json.read_text())
    with OPENER.open(f"http://{demo['listeners']['admin']}/openapi.json", timeout=30) as answer:
        if json.load(answer) != document:
            raise SystemExit("the daemon serves another document than was printed")

    tenant, platform = Rest(demo, "admin"), Rest(demo, "global")
    arguments.known = furnish(tenant, max(PLENTY, arguments.examples))
    with tempfile.TemporaryDirectory() as arguments.work:
        judged = Path(arguments.work) / "openapi.json"
        judged.write_text(json.dumps(strict(document)))
        statuses = run(tenant, judged, arguments) + run(platform, judged, arguments, PLATFORM)

    print("answers by status:", dict(sorted(by_status(statuses).items())))
    succeeded = {key.split()[0] for key in statuses if key.split()[1].startswith("2")}
    named = {operation["operationId"] for operation in operations(document)}
    if missing := named - succeeded - {LEFT_OUT, LOG_IN}:
        for name in sorted(missing):
            print(name, {key.split()[1]: count for key, count in statuses.items() if key.split()[0] == name})
        raise SystemExit("these never succeeded, so their answers were not judged")
    print(f"{len(named)} operations, {statuses.total()} answers")


def by_status(statuses: Counter[str]) -> Counter[str]:
    total: Counter[str] = Counter()
    for key, count in statuses.items():
        total[key.split()[1]] += count
    return total


if __name__ == "__main__":
    main()
