"""Calls of Lua scripts: many in one round trip, bounded in time, and the scripts loaded again where they were lost."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from chat.shared.redis import Bytes

CALL_SECONDS = 2.5


class Script:
    """A script on one key: the files `names`, one after the other."""

    def __init__(self, *names: str) -> None:
        files = [Path(__file__).with_name(f"{name}.lua") for name in names]
        self.text = "\n".join(file.read_text() for file in files)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


HOLD, REAP, LOOK = Script("person", "hold"), Script("person", "reap"), Script("person", "look")
LEASE, LEAVE, CLAIM = Script("lease"), Script("leave"), Script("claim")
DRAIN, OVERVIEW = Script("drain"), Script("overview")


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One script on one key."""

    script: Script
    key: str
    arguments: Sequence[Any]

    def command(self, whole: bool) -> list[Any]:
        """By its digest, or with its `whole` text, which the server then remembers."""
        name, body = ("EVAL", self.script.text) if whole else ("EVALSHA", self.script.digest)
        return [name, body, 1, self.key, *self.arguments]


async def run_calls(redis: Bytes, calls: Sequence[ScriptCall]) -> list[Any]:
    """The outcomes in order; raises what the server answered to the first that failed, or that it is away.

    The calls are such that repeating them is harmless: who does not know whether they came through says them again.
    """
    outcomes = await run_commands(redis, [call.command(whole=False) for call in calls])
    lost = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, NoScriptError)]
    again = await run_commands(redis, [calls[n].command(whole=True) for n in lost])
    for n, outcome in zip(lost, again, strict=True):
        outcomes[n] = outcome
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes


async def run_call(redis: Bytes, call: ScriptCall) -> Any:
    """The outcome of a single one."""
    return (await run_calls(redis, [call]))[0]


async def run_commands(redis: Bytes, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Any commands in one round trip; an error stands in the place of its outcome. Raises that Redis is away."""
    if not commands:
        return []
    async with asyncio.timeout(CALL_SECONDS), redis.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute(raise_on_error=False))


# The names of keys and channels. Keys are hash-tagged, so that all of one person is on one server of a cluster.

LEASES = "tandem:{nodes}"
COUNTS = "tandem:{nodes}:counts"
ROOMS = "tandem:{nodes}:rooms"
ROOMS_ASKED = "tandem:{nodes}:rooms:asked"
PEOPLE = "tandem:{u:*}"
REVOKED = b"tandem:revoked"
PERSON = b"tandem:person:"
TYPING = b"tandem:typing:"
HOLDER = b"tandem:holder:"


def person_key(user_id: int) -> str:
    """The hash with everything about one person."""
    return f"tandem:{{u:{user_id}}}"


def person_of(key: bytes) -> int:
    """Whose hash this is."""
    return int(key[len(b"tandem:{u:") : -1])


def held_key(holder: str) -> str:
    """The set of people of whom a holder has, or has had, devices: whom to reap when it dies."""
    return f"tandem:{{h:{holder}}}"


def holder_channel(holder: str) -> bytes:
    """Where a holder hears of people whom it shares; by its last part, for a node's name may be anything."""
    return HOLDER + holder.rpartition("~")[2].encode()


def ticket_key(digest: str) -> str:
    """A ticket, by the hash of what its bearer says."""
    return f"tandem:ticket:{digest}"
