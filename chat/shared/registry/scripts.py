"""Call Lua scripts: many in one round trip, with a deadline. Scripts that the server has lost are loaded again."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from chat.shared.redis import Bytes, drop_demoted

CALL_SECONDS = 2.5


class Script:
    """A script on one key, joined from the files `names`."""

    def __init__(self, *names: str) -> None:
        files = [Path(__file__).with_name(f"{name}.lua") for name in names]
        self.text = "\n".join(file.read_text() for file in files)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


HOLD, REAP, LOOK = (Script("person", name) for name in ("hold", "reap", "look"))
LEASE, LEAVE, CLAIM, DRAIN, OVERVIEW = (
    Script("clock", name) for name in ("lease", "leave", "claim", "drain", "overview")
)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A call of a script on one key."""

    script: Script
    key: str
    arguments: Sequence[Any]

    def command(self, whole: bool) -> list[Any]:
        """Return the command, with the script's digest or with its `whole` text, which the server then caches."""
        name, body = ("EVAL", self.script.text) if whole else ("EVALSHA", self.script.digest)
        return [name, body, 1, self.key, *self.arguments]


async def run_calls(redis: Bytes, calls: Sequence[ScriptCall]) -> list[Any]:
    """Return the outcomes in order; raise the first error that the server answered, or that it is unavailable.

    All calls are idempotent, so a caller that got no answer may repeat them.
    """
    outcomes = await run_commands(redis, [call.command(whole=False) for call in calls])
    lost = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, NoScriptError)]
    again = await run_commands(redis, [calls[n].command(whole=True) for n in lost])
    for n, outcome in zip(lost, again, strict=True):
        outcomes[n] = outcome
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            await drop_demoted(redis, outcome)
            raise outcome
    return outcomes


async def run_call(redis: Bytes, call: ScriptCall) -> Any:
    """Return the outcome of one call."""
    return (await run_calls(redis, [call]))[0]


async def run_commands(redis: Bytes, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Run commands in one round trip; an error is returned as its outcome. Raise if Redis is unavailable."""
    if not commands:
        return []
    async with asyncio.timeout(CALL_SECONDS), redis.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute(raise_on_error=False))


# The names of keys and channels. Keys are hash-tagged, so that all data of a user is on one server of a cluster.

LEASES = "tandem:{nodes}"
COUNTS = "tandem:{nodes}:counts"
ROOMS = "tandem:{nodes}:rooms"
ROOMS_ASKED = "tandem:{nodes}:rooms:asked"
PEOPLE = "tandem:{u:*}"


def user_key(user_id: int) -> str:
    """Return the key of the hash with all data of a user."""
    return f"tandem:{{u:{user_id}}}"


def user_of_key(key: bytes) -> int:
    """Return the user of a hash key."""
    return int(key[len(b"tandem:{u:") : -1])


def held_key(holder: str) -> str:
    """Return the key of the set of users with devices on a holder, now or earlier; they are reaped when it dies."""
    return f"tandem:{{h:{holder}}}"


class RegistryChannels:
    """The names of channels. All databases of a Redis server share its channels, so those of a numbered database have
    its number: two deployments on one server hear nothing of each other. person.lua makes such names too.

    All begin with `tandem:`, to which the rights of a Redis user may be limited.
    """

    def __init__(self, redis: Bytes) -> None:
        pool = getattr(redis, "connection_pool", None)  # a cluster has none, and one database
        number = int(pool.connection_kwargs.get("db") or 0) if pool else 0
        start = b"tandem:%d/" % number if number else b"tandem:"
        self.revoked, self.persons, self.typing, self.holders = (
            start + kind for kind in (b"revoked", b"person:", b"typing:", b"holder:")
        )

    def of_person(self, user_id: int) -> bytes:
        """Return the channel with the views of a user."""
        return b"%b%d" % (self.persons, user_id)

    def of_typing(self, conversation_id: int) -> bytes:
        """Return the channel that says who types in a conversation."""
        return b"%b%d" % (self.typing, conversation_id)

    def of_holder(self, holder: str) -> bytes:
        """Return the channel with news of users on several holders. Only the random part, as names are arbitrary."""
        return self.holders + holder.rpartition("~")[2].encode()


def ticket_key(digest: str) -> str:
    """Return the key of a ticket, by the hash of the ticket."""
    return f"tandem:ticket:{digest}"
