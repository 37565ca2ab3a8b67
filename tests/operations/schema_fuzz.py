"""Fuzz a node by its own description: every call, as an admin, a member and a visitor, with valid and invalid data.

`python -m tests.operations.schema_fuzz --seconds 300` runs for five minutes, with servers and a node of its own.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chat.local.engine import ValkeyEngine
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from chat.shared.identity import hash_token
from tests.cast import Cast, Person, casting
from tests.databases import as_node
from tests.files.sending import posts, sends
from tests.nodes import running_node
from tests.verbs import answers, begins, reacts

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
FAR = 2**40  # ids that no call guesses, so that no call disables the callers or ends their sessions

# WebSockets, whose protocol is described elsewhere; and calls that end the caller's account.
LEFT_OUT = {("get", "/api/chat/socket"), ("get", "/api/presence/socket"), ("delete", "/api/users/me")}
WAIT = 10
Json = dict[str, Any]


@dataclass
class Findings:
    """Responses that did not match the description, once for each call and fault; `statuses` counts the responses."""

    faults: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    def note(self, label: str, failures: FailureGroup, sent: str) -> None:
        """Record the first of its kind."""
        for one in failures.exceptions:
            title = f"{label}: {getattr(one, 'title', type(one).__name__)}"
            said = " ".join(str(one).split())[:400]
            self.faults.setdefault(f"{title}: {said[:120]}", f"{title}: {said} | {sent[:300]}")


@dataclass(frozen=True)
class Caller:
    """A caller, by a token; "" for a visitor. `known`: path parameters of existing objects."""

    name: str
    token: str
    known: Json

    def headers(self) -> dict[str, str]:
        """Return the headers of the caller's identity."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


async def enters_far(cast: Cast, name: str, role: str) -> Person:
    """Sign up a user whose ids are out of reach."""
    token = f"token-of-{name}-{uuid.uuid4().hex}"
    number = FAR + len(cast.people)
    async with await psycopg.AsyncConnection.connect(cast.database_url, autocommit=True) as connection:
        await connection.execute(
            "insert into users (id, name, display_name, password_hash, role) overriding system value"
            " values (%s, %s, %s, '', %s)",
            [number, name, name.title(), role],
        )
        await connection.execute(
            "insert into sessions (id, user_id, token_hash, device, expires_at) overriding system value"
            " values (%s, %s, %s, 'test', now() + interval '1 day')",
            [number, number, hash_token(token)],
        )
    (owner,) = cast.people[:1] or await cast.enters("ben")
    person = Person(cast.http, owner.at, name, number, token)
    cast.people.append(person)
    return person


async def set_stage(cast: Cast) -> list[Caller]:
    """Create a conversation with a little of everything, and the callers."""
    (ben,) = await cast.enters("ben")
    ada, ana = await enters_far(cast, "ada", "admin"), await enters_far(cast, "ana", "member")
    room = await begins(ana, "channel", "kitchen", ben, ada)
    await ana.says(room, "Shall we cook, @ben?")
    await answers(ben, room, 1, "yes")
    await reacts(ben, room, 1, "🍅")
    file = await sends(ana, b"soup", "soup.txt")
    await posts(ana, room, file, body="the recipe")
    place = f"/api/chat/conversations/{room}"
    _, link = await ana.call("POST", f"{place}/links", {})
    _, report = await ben.call("POST", f"{place}/messages/1/reports", {"reason": "rude"})
    known = {"conversation": room, "seq": 1, "user": ben.id, "link": link["id"], "report": report["id"]}
    known |= {"file": file["id"], "name": file["name"], "emoji": "🍅", "avatar": 1}
    return [Caller("admin", ada.token, known), Caller("member", ana.token, known), Caller("nobody", "", known)]


def fuzz(
    at: str, document: Json, callers: Sequence[Caller], examples: int, number: int, until: float, step: int = 1
) -> Findings:
    """Make every call `examples` times as each caller; start none after the moment `until`.

    With a `step`, only every so many call is made; one that is no multiple of 3 leaves calls of each caller.
    """
    schema, found, turns = schemathesis.openapi.from_dict(document), Findings(), itertools.count(1)
    for mode in MODES:
        for result in schema.get_all_operations():
            operation = result.ok()
            if (operation.method, operation.path) in LEFT_OUT:
                continue
            for caller in callers:
                if next(turns) % step:
                    continue
                if time.monotonic() > until:
                    return found
                fuzz_call(at, operation.as_strategy(generation_mode=mode), caller, found, examples, number)
    return found


def fuzz_call(
    at: str, cases: st.SearchStrategy[schemathesis.Case], caller: Caller, found: Findings, examples: int, number: int
) -> None:
    """Make one call; half of the time with path parameters that exist."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, known=st.booleans())
    def tries(case: schemathesis.Case, known: bool) -> None:
        if known:
            for name in case.path_parameters.keys() & caller.known.keys():
                case.path_parameters[name] = caller.known[name]
        if case.path == "/api/chat/stream":
            case.query["poll"] = "0"  # a stream does not end
        response = case.call(base_url=at, headers=caller.headers(), timeout=WAIT)
        found.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            found.note(f"{case.method} {case.path} as {caller.name}", failures, str(case.body))

    with suppress(Unsatisfiable):  # a call without parameters has no invalid ones
        tries()


async def describe_node(person: Person) -> Json:
    """Return the description that the node serves."""
    status, document = await person.call("GET", "/api/openapi.json")
    assert status == 200
    return dict(document)


async def fuzz_node(cast: Cast, at: str, examples: int, number: int, seconds: float, step: int) -> Findings:
    """Create the data and fuzz from a thread, because the node runs in this loop. The callers must exist to the end."""
    callers = await set_stage(cast)
    document, until = await describe_node(cast.people[-1]), time.monotonic() + seconds
    found = await asyncio.to_thread(fuzz, at, document, callers, examples, number, until, step)
    for person in cast.people[1:]:
        assert (await person.call("GET", "/api/users/me"))[0] == 200
    return found


async def fuzz_for(seconds: float) -> Findings:
    """Fuzz again and again, each time with other seeds."""
    found, until, number = Findings(), time.monotonic() + seconds, 0
    with tempfile.TemporaryDirectory(prefix="tandem-fuzz-") as folder:
        engines = PostgresEngine(Path(folder) / "postgres"), ValkeyEngine(Path(folder) / "valkey")
        with engines[0] as postgres, engines[1] as valkey:
            await migrate(postgres.url, as_node(postgres.url))
            async with (
                running_node(postgres.url, valkey.url, streams_per_person=1000) as node,
                casting(postgres.url, node.url) as cast,
            ):
                callers = await set_stage(cast)
                document = await describe_node(cast.people[-1])
                while (left := until - time.monotonic()) > 0:
                    number += 1
                    more = await asyncio.to_thread(
                        fuzz, node.url, document, callers, 5, number, time.monotonic() + left
                    )
                    found.faults |= more.faults
                    found.statuses += more.statuses
                    print(f"round {number}: {found.statuses.total():,} calls, {len(found.faults)} faults", flush=True)
    return found


def main() -> int:
    """Print the findings; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    found = asyncio.run(fuzz_for(parser.parse_args().seconds))
    for fault in sorted(found.faults.values()):
        print(fault)
    print(f"{found.statuses.total():,} calls, by status {dict(sorted(found.statuses.items()))}")
    print(f"{len(found.faults)} faults")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
