"""The audit: admin actions and other security events, each with its actor, address, session and device.

`record` writes one row in the transaction of the action: both are committed or neither is. Events that strangers can
cause in any number go through `chat.shared.security_events` instead.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

import orjson
import structlog

from chat.shared.postgres import Connection
from chat.shared.queries import load

queries = load(__file__)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """The user who acts, from which address, in which session, on which device; all empty for the command line."""

    user_id: int | None = None
    address: str | None = None
    session_id: int | None = None
    device: str = ""


COMMAND_LINE = Actor()


def no_caller() -> Actor:
    """Return the caller outside of a request."""
    return COMMAND_LINE


# The caller of the request that is being served. Rows get their address from here, so that no function that passes only
# a user's id can lose it.
CALLER: ContextVar[Callable[[], Actor]] = ContextVar("caller", default=no_caller)


def complete(actor: Actor) -> Actor:
    """Return the actor with the address and session of the request, where the caller of the request is the actor."""
    if actor.user_id is None or actor.session_id is not None:
        return actor
    caller = CALLER.get()()
    return caller if caller.user_id == actor.user_id else actor


async def record(
    connection: Connection, actor: Actor, action: str, subject: int | None = None, **detail: object
) -> None:
    """Insert one row. `action` is `noun.verb`, `subject` the user it is about, `detail` whatever JSON can hold."""
    actor = complete(actor)
    row = {"actor": actor.user_id, "action": action, "subject": subject, "detail": orjson.dumps(detail).decode()}
    source = {"address": actor.address, "session": actor.session_id, "device": actor.device}
    await connection.execute(queries.insert_row, row | source)
    if actor != COMMAND_LINE:  # a command prints its own result
        log_event(actor, action, subject, detail)


def log_event(actor: Actor, action: str, subject: int | None, detail: dict[str, object], times: int = 1) -> None:
    """Write the event to the log, for whatever forwards log lines to another system."""
    keys = {"user": actor.user_id, "subject": subject, "address": actor.address, "session": actor.session_id}
    log.info("security event", action=action, times=times, detail=detail or None, **keys)
