"""The REST interface and the admin listener; these run once."""

from __future__ import annotations

from bench import Demo
from checks import expect, scenario
from rest import expect_error, http


@scenario(where="admin")
def rest_login(demo: Demo) -> None:
    """Login with identity and password answers headerName and headerValue, which then open the tenant."""
    demo.rest.login()
    expect(demo.rest.get(f"/wallets/{demo.rich.wallet_id}").status == 200, "the wallet is not readable")


@scenario(where="admin")
def rest_wallet_balances(demo: Demo) -> None:
    """currentBalance and availableBalance are JSON numbers in the major unit."""
    for card in demo.cards:
        balance = demo.rest.balance(card.wallet_id)
        expect(balance.available <= balance.ledger, "the available balance is above the ledger balance")


@scenario(where="admin")
def rest_transactions(demo: Demo) -> None:
    """A wallet's transactions are a list, and `offset` and `limit` page it."""
    path = f"/wallets/{demo.rich.wallet_id}/transactions"
    answer = demo.rest.get(f"{path}?offset=0&limit=1")
    expect(answer.status == 200, f"HTTP {answer.status}")
    expect(isinstance(answer.json, list) and len(answer.json) <= 1, "not a list of one entry")
    expect(isinstance(demo.rest.get(path).json, list), "not a list")


@scenario(where="admin")
def rest_without_token(demo: Demo) -> None:
    """Without a token 401, and the error is an array."""
    expect_error(demo.rest.get(f"/wallets/{demo.rich.wallet_id}", anonymous=True), 401)


@scenario(where="admin")
def rest_unknown_wallet(demo: Demo) -> None:
    """An unknown wallet is 404 with the code ARCH086."""
    expect_error(demo.rest.get("/wallets/999999999999"), 404, "ARCH086")


@scenario(where="admin")
def admin_pages(demo: Demo) -> None:
    """The admin listener serves /healthz, /readyz, /metrics and /openapi.json."""
    for page in ("healthz", "readyz", "metrics", "openapi.json"):
        answer = http(f"http://{demo.listeners['admin']}/{page}")
        expect(answer.status == 200, f"/{page} is answered HTTP {answer.status}")
    answer = http(f"http://{demo.listeners['admin']}/openapi.json")
    expect("paths" in answer.json, "/openapi.json has no paths")
