"""Outgoing hooks: addresses at which other programs receive what happens in one conversation, or a slash command.

Each hook has a bot of its own, which is a member of the conversation and posts the program's replies. The hook receives
what the bot may read, so it stops when the bot is removed. Its cursor is a subscription, `hook:ID`. A hook for a
command has none: members call it (deploy/decisions/0155-commands-of-programs.md).
"""

import base64
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from chat.accounts.api_keys import insert_bot
from chat.accounts.models import Form, User, require_distinct_from_admins
from chat.accounts.validation import DisplayName
from chat.conversations.memberships import add_members, audit, end_membership, lock_access, require_capacity
from chat.conversations.permissions import authorize_change
from chat.integrations.incoming import Manager, TooManyHooks
from chat.log.append import Log
from chat.log.entry import JOIN, LEAVE
from chat.log.subscriptions import (
    SubscriptionState,
    add_subscription,
    disable_subscription,
    enable_subscription,
    filter_subscription,
    list_subscriptions,
    remove_subscription,
)
from chat.model.types import LARGEST_ID, format_time
from chat.shared.appearance import check_line
from chat.shared.errors import Invalid, NotFound
from chat.shared.http_client import Allowed, NotFetched, require_public
from chat.shared.postgres import Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
HOOK = "hook"
HOOKS_MOST, MADE_MOST = 10, 100  # in a conversation, by one user
SECRET_START, SECRET_BYTES = "whsec_", 32
NAME_MOST, URL_MOST = 64, 2_000
DELIVERIES_KEPT = 50
PAGE = 100
HINT_MOST = 100
PAUSED = "Turned off by an owner or admin."
Event = Literal["message", "edit", "delete", "finish", "reaction", "pin", "member", "conversation"]


CommandName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Hint = Annotated[str, Field(max_length=HINT_MOST), AfterValidator(check_line)]


class OutgoingForm(Form):
    """A hook to make: for events, new messages if none are named, or for a slash command.

    `name`: of its bot; the command or the host of the URL if it is left out. `hint`: what may follow the command;
    `description`: what it does.
    """

    url: Annotated[str, Field(min_length=1, max_length=URL_MOST)]
    events: Annotated[list[Event], Field(min_length=1, max_length=20)] = Field(default_factory=list)
    name: DisplayName | None = None
    command: CommandName | None = None
    hint: Hint = ""
    description: Hint = ""

    @model_validator(mode="after")
    def check_purpose(self) -> Self:
        """Raise `ValueError` for a command with events."""
        if self.command and self.events:
            raise ValueError("a command gets no events; make another hook for them")
        return self

    @property
    def wanted(self) -> list[str]:
        """Return the events that the hook receives."""
        return [] if self.command else sorted(set(self.events)) or ["message"]


class CommandTaken(Invalid):
    """This conversation has a command with this name."""

    def __init__(self) -> None:
        super().__init__(errors=[{"field": "command", "detail": "is the name of another command; choose another one"}])


class OutgoingChange(Form):
    """What to change of a hook; the rest stays. A hook that is turned on again continues where it stopped."""

    url: Annotated[str, Field(min_length=1, max_length=URL_MOST)] | None = None
    events: Annotated[list[Event], Field(min_length=1, max_length=20)] | None = None
    enabled: bool | None = None


def target_of(hook_id: int) -> str:
    """Return the name of a hook's subscription."""
    return f"{HOOK}:{hook_id}"


def kinds_of(events: Sequence[str]) -> list[str]:
    """Return the kinds of entries of these events."""
    return sorted({kind for event in events for kind in ((JOIN, LEAVE, "role") if event == "member" else (event,))})


async def check_url(url: str, allowed: Allowed) -> str:
    """Return the URL. Raise `Invalid` unless it leads to a public address now, or to one in HOOKS_ALLOW."""
    try:
        await require_public(URL(url), allowed)
    except (NotFetched, ValueError) as refused:
        detail = f"{refused}. Use https:// and the name of a public server"
        raise Invalid(errors=[{"field": "url", "detail": detail}]) from None
    return url


def describe(row: tuple[Any, ...], state: SubscriptionState | None) -> dict[str, Any]:
    """Return the fields of a hook, with the state of its subscription."""
    id_, name, url, events, bot, by, created_at, command, hint, description, disabled = row
    fields = {"id": id_, "name": name, "url": url, "events": events, "user": bot, "created_by": by}
    fields |= {"created_at": format_time(created_at)}
    if command is not None:
        fields |= {"command": command, "hint": hint, "description": description}
    if state is None:
        fields |= {"state": "disabled" if disabled else "running", "problem": PAUSED if disabled else ""}
        return fields | {"waiting": 0, "attempts": 0, "retry_at": None}
    retry_at = None if state.disabled or state.retry_at is None else format_time(state.retry_at)
    told = {"state": state.state, "waiting": state.waiting, "attempts": state.attempts}
    return fields | told | {"retry_at": retry_at, "problem": state.problem}


async def create_outgoing(
    log: Log, settings: Settings, actor_id: int, conversation_id: int, form: OutgoingForm
) -> tuple[dict[str, Any], str]:
    """Create a hook, and add its bot to the conversation. Return the hook and its secret, which is shown only now.

    Raise `Invalid`, `NotFound`, `Forbidden`, `Archived`, `Direct`, `TooManyHooks`, `TooManyMembers`, `ImitatesAdmin`.
    """
    url = await check_url(form.url, settings.hosts_allowed)
    name = form.name or form.command or (URL(url).host or "")[:NAME_MOST]
    secret = SECRET_START + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    async with log.change() as change:
        access = await lock_access(change, conversation_id, actor_id)
        authorize_change(access)
        access.require_open()
        await require_capacity(change, access, settings.max_group_members)
        made = {"conversation": conversation_id, "actor": actor_id, "name": name, "url": url, "secret": secret}
        counts = await (await change.connection.execute(queries.count_hooks, made)).fetchone()
        if counts is None or counts[0] >= HOOKS_MOST or counts[1] >= MADE_MOST:
            raise TooManyHooks
        made |= {"command": form.command, "hint": form.hint, "description": form.description, "events": form.wanted}
        if await (await change.connection.execute(queries.has_command, made)).fetchone() is not None:
            raise CommandTaken
        await require_distinct_from_admins(change.connection, User(0, "", name, "member"))
        made |= {"bot": await insert_bot(change, name, actor_id)}
        row = await (await change.connection.execute(queries.insert_hook, made)).fetchone()
        assert row is not None
        if not form.command:
            kinds = kinds_of(form.wanted)
            await add_subscription(change.connection, target_of(row[0]), HOOK, conversation_id, kinds)
        await add_members(change, access.conversation, {row[4]: "member"})
        await audit(change, actor_id, "hook.make", conversation_id, row[4], hook=row[0], name=name, url=url)
    return describe(row, None), secret


async def list_outgoing(pool: Pool, manager: Manager, conversation_id: int) -> list[dict[str, Any]]:
    """Return the outgoing hooks of a conversation, without their secrets. Raise `NotFound`, `Forbidden`."""
    await manager.require(pool, conversation_id)
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_hooks, [conversation_id])).fetchall()
    if not rows:
        return []
    states = await list_subscriptions(pool, only=[target_of(row[0]) for row in rows])
    found = {state.target: state for state in states}
    return [describe(row, found.get(target_of(row[0]))) for row in rows]


async def change_outgoing(
    log: Log, allowed: Allowed, manager: Manager, conversation_id: int, hook_id: int, wanted: OutgoingChange
) -> None:
    """Change a hook. Raise `Invalid`, `NotFound`, `Forbidden`.

    Only owners and admins of the conversation choose what leaves it, and to where.
    """
    if wanted.url is not None:
        await check_url(wanted.url, allowed)
    events = None if wanted.events is None else sorted(set(wanted.events))
    async with log.change() as change:
        access = await manager.lock(change, conversation_id)
        if wanted.url is not None or events is not None:
            authorize_change(access)
        fields = {"conversation": conversation_id, "id": hook_id, "url": wanted.url, "events": events}
        fields |= {"enabled": wanted.enabled}
        row = await (await change.connection.execute(queries.change_hook, fields)).fetchone()
        if row is None:
            raise NotFound
        if events is not None and row[7] is not None:
            raise Invalid(errors=[{"field": "events", "detail": "a command gets no events"}])
        if events is not None:
            await filter_subscription(change.connection, target_of(hook_id), kinds_of(events))
        if wanted.enabled:
            await enable_subscription(change.connection, target_of(hook_id))
        elif wanted.enabled is False:
            await disable_subscription(change.connection, target_of(hook_id), PAUSED)
        detail = {"hook": hook_id, "name": row[1], **wanted.model_dump(exclude_none=True)}
        await audit(change, manager.user_id, "hook.change", conversation_id, row[4], **detail)


async def remove_outgoing(log: Log, manager: Manager, conversation_id: int, hook_id: int) -> None:
    """Remove a hook. It receives nothing more, its bot leaves, its messages stay. Raise `NotFound`, `Forbidden`."""
    async with log.change() as change:
        await manager.lock(change, conversation_id)
        row = await (await change.connection.execute(queries.delete_hook, [conversation_id, hook_id])).fetchone()
        if row is None:
            raise NotFound
        await remove_subscription(change.connection, target_of(hook_id))
        if (await manager.lock(change, conversation_id, row[0])).subject_role is not None:
            await end_membership(change, conversation_id, row[0])
        await audit(change, manager.user_id, "hook.remove", conversation_id, row[0], hook=hook_id)


async def require_outgoing(pool: Pool, manager: Manager, conversation_id: int, hook_id: int) -> None:
    """Raise `NotFound` or `Forbidden` unless the user may manage this hook."""
    await manager.require(pool, conversation_id)
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_place, [hook_id])).fetchone()
    if row is None or row[0] != conversation_id:
        raise NotFound


def describe_delivery(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the fields of a delivery."""
    id_, message_id, event, position, status, problem, answer, took, sent_at = row
    fields = {"id": id_, "webhook_id": message_id, "event": event, "position": position, "status": status}
    assert isinstance(sent_at, datetime)
    return fields | {"problem": problem, "answer": answer, "took_ms": took, "sent_at": format_time(sent_at)}


async def list_deliveries(pool: Pool, hook_id: int) -> list[dict[str, Any]]:
    """Return the last deliveries of a hook, the newest first."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_deliveries, [hook_id, DELIVERIES_KEPT])).fetchall()
    return [describe_delivery(row) for row in rows]


async def list_commands(pool: Pool, conversation_id: int) -> list[dict[str, str]]:
    """Return `{name, hint, description}` of the commands that programs have added to a conversation, by name."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_commands, [conversation_id])).fetchall()
    return [
        {"name": name, "hint": hint, "description": description or f"Sent to {bot}"}
        for name, hint, description, bot in rows
    ]


class HookPlace(NamedTuple):
    """The place in the list of all hooks after which a page begins: ids of the two kinds."""

    incoming: int = 0
    outgoing: int = 0


PLACE_FORM = re.compile(r"(incoming|outgoing):(\d{1,16})", re.ASCII)


def parse_place(text: str) -> HookPlace:
    """Return the place that a page gave as its `next`; raise `Invalid`."""
    if not text:
        return HookPlace()
    if (found := PLACE_FORM.fullmatch(text)) is None:
        raise Invalid(errors=[{"field": "after", "detail": "must be the `next` of a page"}])
    id_ = min(int(found[2]), LARGEST_ID)
    return HookPlace(id_) if found[1] == "incoming" else HookPlace(LARGEST_ID, id_)


async def list_every(pool: Pool, conversation_id: int | None, after: HookPlace) -> dict[str, Any]:
    """Return up to 100 hooks of every kind, of one conversation or of all: `{hooks:[{kind, id, …}], next}`."""
    asked = after._asdict() | {"conversation": conversation_id, "most": PAGE + 1}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_every, asked)).fetchall()
    page = [describe_listed(row) for row in rows[:PAGE]]
    last = page[-1] if len(rows) > PAGE else None
    table = "incoming" if last and last["kind"] == "incoming" else "outgoing"
    return {"hooks": page, "next": f"{table}:{last['id']}" if last else None}


LISTED = (
    *("kind", "id", "name", "conversation", "conversation_name", "created_by", "created_at", "url", "command"),
    *("events", "state", "waiting", "retry_at", "problem", "last_at"),
)


def describe_listed(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the fields of a hook of any kind."""
    fields = dict(zip(LISTED, row, strict=True))
    times = {name: value and format_time(value) for name, value in fields.items() if name.endswith("_at")}
    return fields | times
