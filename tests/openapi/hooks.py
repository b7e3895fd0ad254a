"""What Schemathesis cannot know by itself, loaded by it through SCHEMATHESIS_HOOKS."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

# No two may have the same; eight digits are of the form of each.
UNIQUE = {"deviceId", "externalUniqueId", "identity", "key", "name"}

# Values by name: of the path's parameters, and of the body's fields.
KNOWN: dict[str, dict[str, list[Any]]] = json.loads(os.environ["UMBRA_KNOWN"])

CALLS = 0
STATUSES: Counter[str] = Counter()


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Gives wallet types the attribute that no schema can demand. Only lists that were empty get it."""
    if isinstance(body, dict) and body.get("configuration") == []:
        body["configuration"] = [{"att": "Currency", "val": "ZAR"}]
    return body


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Makes most right requests about what exists, and tells them apart from all that came before: an id of nothing, a
    name that is taken, a version that is old, a used Idempotency-Key or a made-up cursor would end them before
    anything else is looked at. Those of the stateful phase name what earlier ones have made."""
    global CALLS
    CALLS += 1
    if CALLS % 8 == 0 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    case.query.pop("cursor", None)
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"conformance-{CALLS}"
    if case.meta.phase.name != TestPhase.STATEFUL:
        name_known(case.path_parameters, KNOWN["path"])
    if isinstance(case.body, dict):
        case.body.pop("version", None)
        name_known(case.body, KNOWN["body"])
        for name in UNIQUE & case.body.keys():
            if isinstance(case.body[name], str):
                case.body[name] = f"{CALLS:08}"


def name_known(values: dict[str, Any], known: dict[str, list[Any]]) -> None:
    for index, name in enumerate(sorted(known.keys() & values.keys())):
        values[name] = known[name][(CALLS + index) % len(known[name])]


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leaves the user alone as whom the requests are made: a new password ends his session."""
    return str((case.path_parameters or {}).get("adminUserId", "")) != os.environ["UMBRA_USER_ID"]


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Counts answers by operation and status, where the method is the operation's own."""
    if case.method.upper() == case.operation.method.upper():
        STATUSES[f"{case.operation.definition.raw['operationId']} {response.status_code}"] += 1
        with open(os.environ["UMBRA_STATUSES"], "w") as file:
            json.dump(STATUSES, file)
