"""Deliveries to other programs, signed by Standard Webhooks: one request for each entry, and what the answer becomes.

The program's server is never trusted: only public addresses are asked, redirects are not followed, and time, size and
simultaneous requests are limited.
"""

import asyncio
import base64
import hashlib
import hmac
import random
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from chat.conversations.memberships import audit
from chat.integrations.outgoing import DELIVERIES_KEPT, HOOK, SECRET_START, describe_delivery
from chat.log.append import Log
from chat.log.entry import Entry, decode_frame, in_epoch
from chat.log.subscriptions import NotTaken, ReaderKind, Receive
from chat.messages.drafts import Draft, Post
from chat.messages.mentions import HereResolver
from chat.messages.posting import PostWriter
from chat.model.errors import Archived, ReadOnly
from chat.model.types import check_exact, format_time
from chat.shared.errors import ApiError, NotFound
from chat.shared.http_client import UNREACHABLE, Allowed, NotFetched, post_public
from chat.shared.postgres import Pool
from chat.shared.rate_limits import Limit
from chat.shared.sql import load
from chat.transfer.text import clean, parse

queries = load(__file__)
SECONDS, COMMAND_SECONDS, ANSWER_MOST = 10.0, 3.0, 64 * 1024
PATIENCE_SECONDS = 3 * 24 * 3600.0
FIRST_WAIT, DOUBLINGS = 5.0, 8  # the longest wait between two attempts is 21 minutes
AT_ONCE, AT_ONCE_EACH = 200, 5  # requests of this node, and those for the hooks of one user
SHOWN_MOST, PROBLEM_MOST = 500, 200
GONE = 410
TEST = "This is a test of the hook."
COMMAND, TEST_EVENT = "command", "test"  # events that are not in the log
UNREACHED = "The program could not be reached. Owners and admins see why in the conversation's details."
BOT_REMOVED = "The hook's bot was removed from the conversation."


class CommandFailed(ApiError):
    """The program of this command did not answer as expected."""

    status, code = 424, "command_failed"


def sign(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix(SECRET_START))
    digest = hmac.digest(key, b"%b.%d.%b" % (id_.encode(), timestamp, body), hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


class ProgramAnswer(NamedTuple):
    """The answer of a program. `status`: None without an answer; `problem`: empty after success."""

    status: int | None
    body: bytes
    problem: str
    milliseconds: int


async def call_program(
    url: str, secret: str, id_: str, body: bytes, allowed: Allowed, seconds: float = SECONDS
) -> ProgramAnswer:
    """Post a signed body to a program and return its answer. Failures are answers with a problem."""
    now, began = int(time.time()), time.monotonic()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Tandem-Webhooks",
        "webhook-id": id_,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, id_, now, body),
    }
    status, answer, problem = None, b"", ""
    try:
        status, found = await post_public(url, body, headers, allowed, most=ANSWER_MOST, seconds=seconds)
        answer = found or b""
        problem = problem_of(status)
    except NotFetched as refused:
        problem = f"The address {refused}."
    except TimeoutError:
        problem = f"No answer within {seconds:g} s."
    except UNREACHABLE as error:
        problem = f"{type(error).__name__}: {error}"
    return ProgramAnswer(status, answer, clean(problem)[:PROBLEM_MOST], round((time.monotonic() - began) * 1000))


def problem_of(status: int) -> str:
    """Return why an answer with this status is a failure; empty for a success."""
    if 200 <= status < 300:
        return ""
    return f"Status {status}. Redirects are not followed." if 300 <= status < 400 else f"Status {status}."


class HookCall(NamedTuple):
    """An event as a hook receives it. `position`: its place in the log; None for a test."""

    id: str
    event: str
    data: dict[str, Any]
    position: int | None = None

    @property
    def user_id(self) -> int | None:
        """Return the author of a message, or the user of another event."""
        user = self.data.get("author") or self.data.get("user")
        return user if isinstance(user, int) else None


def to_call(hook_id: int, entry: Entry, epoch: str) -> HookCall:
    """Return the call for an entry. Its id is the same at each attempt."""
    cursor, event, data = decode_frame(in_epoch(entry.frame, epoch))
    return HookCall(f"msg_{hook_id}_{cursor.replace('.', '_')}", event, orjson.loads(data), entry.position)


class HookTarget(NamedTuple):
    """A hook as it delivers. `joined`: its bot is a member of the conversation."""

    id: int
    conversation_id: int
    user_id: int
    name: str
    url: str
    secret: str
    created_by: int | None
    joined: bool


class CommandRequest(NamedTuple):
    """A command that a user calls. `thread`: the root of the thread that it was typed in."""

    conversation_id: int
    user_id: int
    command: str
    text: str
    client_id: str
    thread: int | None

    def to_call(self, hook_id: int) -> HookCall:
        """Return the call. Its id is the same if the user sends the same request again."""
        digest = hashlib.sha256(f"{self.user_id} {self.client_id}".encode()).hexdigest()[:32]
        data = {"command": self.command, "text": self.text, "thread": self.thread}
        return HookCall(f"msg_{hook_id}_command_{digest}", COMMAND, data)


class ProgramReply(NamedTuple):
    """The outcome of an answer: a text for the caller of a command alone, a message, or the reason for neither."""

    text: str = ""
    message: bytes = b""
    problem: str = ""


class HookSender:
    """Delivers to hooks. `outcomes`: requests by outcome. `kind`: how its subscriptions are read."""

    def __init__(
        self, pool: Pool, log: Log, posts: PostWriter, here: HereResolver, rate: Limit, allowed: Allowed
    ) -> None:
        self._pool, self._log, self._posts, self._here = pool, log, posts, here
        self._rate, self._allowed = rate, allowed
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._slots_of = defaultdict[tuple[int | None, bool], asyncio.Semaphore](
            partial(asyncio.Semaphore, AT_ONCE_EACH)  # commands have their own, so that they never wait for events
        )
        self.outcomes = Counter({"delivered": 0, "failed": 0})
        self.wake: Callable[[], None] = lambda: None  # the node looks for new work
        self.kind = ReaderKind(
            HOOK,
            self._open,
            page=1,  # a message that is deleted while earlier ones are delivered is never sent
            wait=wait_after,
            patience=PATIENCE_SECONDS,
            on_disabled=self._tell_disabled,
        )

    @asynccontextmanager
    async def _open(self, target: str) -> AsyncIterator[Receive]:
        yield partial(self._deliver, int(target.rpartition(":")[2]))

    async def _deliver(self, hook_id: int, entries: Sequence[Entry], epoch: str) -> None:
        """Deliver entries. Raise `NotTaken`."""
        try:
            hook = await self.find(hook_id)
            if not hook.joined:
                raise NotTaken(BOT_REMOVED, final=True)
            for entry in entries:
                if entry.frame:
                    await self._deliver_one(hook, to_call(hook_id, entry, epoch))
        except NotFound:
            raise NotTaken("removed", gone=True) from None
        except ApiError as error:
            raise NotTaken(f"The reply could not be stored: {error}") from None

    async def _deliver_one(self, hook: HookTarget, call: HookCall) -> None:
        user, own = await self._find_user(call.user_id)
        if own:
            return
        _, answer, _ = await self._send(hook, call, user)
        if answer.problem:
            raise NotTaken(answer.problem, final=answer.status == GONE)

    async def find(self, hook_id: int) -> HookTarget:
        """Return a hook. Raise `NotFound`."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_hook, [hook_id])).fetchone()
        if row is None:
            raise NotFound
        return HookTarget(*row)

    async def _find_user(self, user_id: int | None) -> tuple[dict[str, Any] | None, bool]:
        """Return the user of an event, and whether it is the bot of an outgoing hook, whose replies call no hook."""
        if user_id is None:
            return None, False
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_user, [user_id])).fetchone()
        return ({"id": user_id, "name": row[0], "display_name": row[1]}, row[2]) if row else (None, False)

    async def call_command(self, asked: CommandRequest) -> ProgramReply | None:
        """Send a command to its program, once, and return the reply; None if there is no such command.

        Raise `Archived`, `ReadOnly`, or `CommandFailed` with a reason that any member may see.
        """
        async with self._pool.connection() as connection:
            named = {"conversation": asked.conversation_id, "user": asked.user_id, "command": asked.command}
            row = await (await connection.execute(queries.find_command, named)).fetchone()
        if row is None:
            return None
        *fields, archived, read_only = row
        if archived or read_only:
            raise Archived if archived else ReadOnly
        hook, started = HookTarget(*fields), time.monotonic()
        if not hook.joined:
            raise CommandFailed(BOT_REMOVED)
        if self._slots.locked() or self._slots_of[hook.created_by, True].locked():
            raise CommandFailed("Too many commands are running. Try again in a few seconds.")
        user, _ = await self._find_user(asked.user_id)
        _, answer, reply = await self._send(hook, asked.to_call(hook.id), user)
        if answer.status is None:
            late = time.monotonic() - started >= COMMAND_SECONDS
            told = f"The program did not answer within {COMMAND_SECONDS:g} s." if late else UNREACHED
            raise CommandFailed(told)
        if answer.problem or reply.problem:
            raise CommandFailed(reply.problem or f"The program answered with status {answer.status}.")
        return reply

    async def test(self, hook_id: int) -> dict[str, Any]:
        """Deliver a test event to a hook, also to a disabled one. Return the delivery."""
        hook = await self.find(hook_id)
        call = HookCall(f"msg_{hook_id}_test_{secrets.token_hex(8)}", TEST_EVENT, {"body": TEST})
        return (await self._send(hook, call, None))[0]

    async def redeliver(self, hook_id: int, delivery_id: int) -> dict[str, Any]:
        """Deliver the entry of an earlier delivery again, with its id. Return the delivery. Raise `NotFound`."""
        hook = await self.find(hook_id)
        async with self._pool.connection() as connection:
            asked = [hook_id, delivery_id, hook.conversation_id]
            row = await (await connection.execute(queries.find_delivered, asked)).fetchone()
        if row is None or not row[1] or not hook.joined:
            raise NotFound("There is no such delivery, or its entry is not in the log any more.")
        message_id, frame, position = row
        _, event, data = decode_frame(bytes(frame))
        call = HookCall(message_id, event, orjson.loads(data), position)
        return (await self._send(hook, call, (await self._find_user(call.user_id))[0]))[0]

    async def _send(
        self, hook: HookTarget, call: HookCall, user: dict[str, Any] | None
    ) -> tuple[dict[str, Any], ProgramAnswer, ProgramReply]:
        """Send a call, post the reply, and note both. What the caller of a command alone may read is not noted."""
        command = call.event == COMMAND
        seconds = COMMAND_SECONDS if command else SECONDS
        happened = {"timestamp": call.data.get("created_at") or format_time(datetime.now(UTC))}
        told = {"type": call.event, **happened, "conversation": hook.conversation_id, "user": user, "data": call.data}
        async with self._slots_of[hook.created_by, command], self._slots:
            answer = await call_program(hook.url, hook.secret, call.id, orjson.dumps(told), self._allowed, seconds)
        self.outcomes["failed" if answer.problem else "delivered"] += 1
        reply = ProgramReply() if answer.problem else await self._reply(hook, call, answer.body)
        shown = b"" if reply.text else answer.body[: 4 * SHOWN_MOST]
        noted = {
            "hook": hook.id,
            "message": call.id,
            "event": call.event,
            "position": call.position,
            "status": answer.status,
            "problem": answer.problem or reply.problem,
            "answer": clean(shown.decode(errors="replace"))[:SHOWN_MOST],
            "took": answer.milliseconds,
            "kept": DELIVERIES_KEPT - 1,
        }
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.note_delivery, noted)).fetchone()
        if row is None:
            raise NotFound
        return describe_delivery(row), answer, reply

    async def _reply(self, hook: HookTarget, call: HookCall, body: bytes) -> ProgramReply:
        """Post what a program replied, once for each id, unless it is for the caller of a command alone.

        Raise the errors of a post that may succeed later.
        """
        try:
            found = read_reply(body, call.id, call.data.get("thread"))
            if found is None:
                return ProgramReply()
            draft, private = found
            if private and call.event == COMMAND:
                return ProgramReply(text=draft.body)
            self._rate.acquire(hook.user_id)
            here = await self._here.find(hook.conversation_id, hook.user_id, draft.body)
            posted = await self._posts.submit(Post(hook.conversation_id, hook.user_id, draft, here=here))
        except ApiError as error:
            if error.status >= 500:
                raise
            return ProgramReply(problem=f"The reply was not posted: {error}"[:PROBLEM_MOST])
        except ValueError as error:
            return ProgramReply(problem=f"The reply was not posted: {error}"[:PROBLEM_MOST])
        return ProgramReply(message=posted.message)

    async def _tell_disabled(self, target: str, problem: str) -> None:
        """Record in the conversation's activity log that a hook was disabled."""
        try:
            hook = await self.find(int(target.rpartition(":")[2]))
        except NotFound:
            return
        async with self._log.change() as change:
            named = {"hook": hook.id, "name": hook.name, "problem": problem}
            await audit(change, hook.user_id, "hook.disable", hook.conversation_id, hook.user_id, **named)


def wait_after(attempts: int) -> float:
    """Return the seconds until the next attempt: 5 s, doubled each time up to 21 minutes."""
    return FIRST_WAIT * 2.0 ** min(attempts, DOUBLINGS) * random.uniform(0.8, 1.2)


def read_reply(body: bytes, id_: str, thread: object) -> tuple[Draft, bool] | None:
    """Return the message in an answer: an object with `body` or `data`. None if there is none.

    With it: whether it is for the caller alone, by `"visible_to": "caller"`. Raise `ValueError` if it cannot be posted.
    """
    try:
        fields = parse(body) if body.strip() else None
    except ValueError:
        return None
    if not isinstance(fields, dict) or not (fields.get("body") or fields.get("data")):
        return None
    said = {name: fields[name] for name in ("body", "data", "type") if name in fields}
    try:
        draft = Draft.model_validate(said | {"client_id": id_, "thread": thread})
    except ValidationError as wrong:
        raise ValueError(wrong.errors(include_url=False, include_input=False)[0]["msg"]) from None
    if draft.data is not None:
        check_exact(body)
    return draft, fields.get("visible_to") == "caller"
