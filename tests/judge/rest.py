"""The REST interface and the admin listener, with the standard library alone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPException
from typing import Any, Mapping

from checks import Failure, expect
from terminal import TIMEOUT

# The daemon is on this machine, whatever proxy the environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# How long a balance may take to show in the REST view.
SETTLE = 5.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `json` keeps numbers exact."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body, parse_float=Decimal, parse_int=Decimal)
        except ValueError:
            raise Failure(f"HTTP {self.status} without a JSON body") from None


@dataclass(frozen=True)
class Balance:
    """A wallet's balances in minor units."""

    ledger: int
    available: int


def to_minor(value: Any) -> int:
    """A JSON number in the major unit as minor units, exactly."""
    expect(isinstance(value, Decimal), "an amount is not a JSON number")
    minor = value.scaleb(2)
    expect(minor == minor.to_integral_value(), "an amount has more decimals than the currency")
    return int(minor)


def http(url: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
    """GET, or POST when there is a body; every status is an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, dict(headers or {}))
    request.add_header("Accept", "*/*")
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with OPENER.open(request, timeout=TIMEOUT) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except (OSError, HTTPException) as error:
        raise Failure(f"no HTTP answer: {error}") from None


class Rest:
    """The tenant's REST interface, logged in as demo.json's administrator."""

    def __init__(self, base_url: str, tenant_id: int, admin: Mapping[str, str]) -> None:
        self.base_url = base_url.rstrip("/")
        self.tenant_id = tenant_id
        self.admin = {"identity": admin["identity"], "password": admin["password"]}
        self._headers: dict[str, str] | None = None

    def login(self) -> None:
        """Logs in and keeps the header that later requests carry."""
        answer = http(f"{self.base_url}/authentication/login", body=self.admin)
        expect(answer.status == 200, f"login is answered HTTP {answer.status}")
        result = answer.json
        expect(isinstance(result, dict), "login is not answered by an object")
        expect({"headerName", "headerValue"} <= result.keys(), "login lacks headerName or headerValue")
        self._headers = {result["headerName"]: result["headerValue"]}

    def get(self, path: str, anonymous: bool = False) -> Answer:
        """GET below the tenant."""
        url = f"{self.base_url}/tenants/{self.tenant_id}{path}"
        if anonymous:
            return http(url)
        if self._headers is None:
            self.login()
        answer = http(url, self._headers)
        if answer.status == 401:
            self.login()
            answer = http(url, self._headers)
        return answer

    def balance(self, wallet_id: int) -> Balance:
        answer = self.get(f"/wallets/{wallet_id}")
        expect(answer.status == 200, f"the wallet is answered HTTP {answer.status}")
        wallet = answer.json
        return Balance(to_minor(wallet.get("currentBalance")), to_minor(wallet.get("availableBalance")))

    def expect_balance(self, wallet_id: int, wanted: Balance) -> None:
        """The wallet shows this balance, at once or soon."""
        deadline = time.monotonic() + SETTLE
        while (found := self.balance(wallet_id)) != wanted:
            if time.monotonic() > deadline:
                raise Failure(f"REST shows {found}, the terminal {wanted}")
            time.sleep(0.1)


def expect_error(answer: Answer, status: int, code: str | None = None) -> None:
    """An error is the array of objects with code, description, severity, type, traceId, spanId."""
    expect(answer.status == status, f"HTTP {answer.status}, not {status}")
    errors = answer.json
    expect(isinstance(errors, list) and bool(errors), "the error is not an array")
    keys = {"code", "description", "severity", "type", "traceId", "spanId"}
    missing = sorted(keys - set(errors[0])) if isinstance(errors[0], dict) else sorted(keys)
    expect(not missing, f"the error lacks {missing}")
    expect(code is None or errors[0]["code"] == code, f"the error's code is {errors[0]['code']}, not {code}")
