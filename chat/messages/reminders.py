"""Reminders: texts that users receive again at a time they choose, as a message of a bot.

A reminder is stored until its time. Then one node takes it, posts it to the direct conversation of the user and the
bot, and deletes it. One for a channel is posted there in the user's name, if they may post then. Its message has a
client id of its own, so a node that repeats the delivery posts nothing new (deploy/decisions/0142-reminders.md).
"""

import asyncio
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import structlog
from pydantic import AfterValidator, Field, model_validator

from chat.accounts.api_keys import insert_bot
from chat.accounts.blocks import require_unblocked
from chat.conversations.conversations import create_conversation
from chat.conversations.drafts import ConversationDraft
from chat.log.append import Change, Log
from chat.messages.drafts import Draft, Post
from chat.messages.history import read_message
from chat.messages.mentions import HereResolver
from chat.messages.posting import Posted, PostWriter
from chat.model.errors import Conflict
from chat.model.types import ClientId, Id, Moment, RequestModel, check_text, format_time
from chat.shared.appearance import is_visible
from chat.shared.errors import ApiError, Forbidden, Invalid, NotFound
from chat.shared.membership import require_member
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.rate_limits import Limit
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.texts import Language, texts_in

queries = load(__file__)
log = structlog.get_logger(__name__)
BOT_NAME, MESSAGE_TYPE = "Reminders", "reminder"
TEXT_MOST = 1_000
REMINDERS_MOST = 200
LONGEST = timedelta(days=5 * 366)


class TooManyReminders(Conflict):
    """You have the maximum number of reminders. Remove one first."""

    code = "too_many_reminders"


def check_future(moment: datetime, longest: timedelta, refusal: str) -> datetime:
    """Return the time. Raise `ValueError` with `refusal` if it has passed or is further ahead than `longest`."""
    now = datetime.now(UTC)
    if not now < moment < now + longest:
        raise ValueError(refusal)
    return moment


ReminderText = Annotated[str, Field(max_length=TEXT_MOST), AfterValidator(check_text)]
FAR = "must be in the future, within five years"
ReminderTime = Annotated[Moment, AfterValidator(lambda at: check_future(at, LONGEST, FAR))]


class ReminderChange(RequestModel):
    """A change of a reminder that has not arrived. Fields that are left out stay."""

    text: ReminderText | None = None
    at: ReminderTime | None = None


class ReminderForm(RequestModel):
    """A reminder to set. `at`: when it arrives. `conversation` and `seq`: what it is about, if anything.

    The text may be empty if it is about a message. With a `client_id`, a repetition finds the first reminder.
    """

    text: ReminderText = ""
    at: ReminderTime
    conversation: Id | None = None
    seq: Id | None = None
    client_id: ClientId | None = None

    @model_validator(mode="after")
    def check_subject(self) -> Self:
        """Raise `ValueError` for a message without its conversation, or if there is nothing to remind of."""
        if self.seq and not self.conversation:
            raise ValueError("seq needs a conversation")
        if not self.seq and not is_visible(self.text):
            raise ValueError("needs a text, or a message")
        return self


def describe(row: Sequence[Any]) -> dict[str, Any]:
    """Return `{id, text, at, created_at, conversation?, seq?, post_to?}`."""
    id_, text, at, conversation_id, seq, created_at, post_to = row
    about = {"conversation": conversation_id, "seq": seq, "post_to": post_to}
    fields = {"id": id_, "text": text, "at": format_time(at), "created_at": format_time(created_at)}
    return fields | {name: value for name, value in about.items() if value is not None}


async def create_reminder(
    journal: Log, pool: Pool, settings: Settings, user_id: int, form: ReminderForm, post_to: int | None = None
) -> tuple[dict[str, Any], bool]:
    """Store a reminder. Return it, and whether it is new. `post_to`: the channel in which it is posted for the user.

    Raise `NotFound` if the user cannot read what it is about; `TooManyReminders`; `Blocked` if the user has blocked
    the bot; `TooManyConversations` if there is no room for the conversation with it.
    """
    if form.conversation and form.seq:
        await read_message(pool, user_id, form.conversation, form.seq)
    elif form.conversation:
        await require_member(pool, user_id, form.conversation)
    place_id = await open_place(journal, settings, user_id)
    client_id = form.client_id or secrets.token_hex(16)
    async with pool.connection() as connection, connection.transaction():
        run = connection.execute
        await run(queries.lock_user, [user_id])  # one after the other, so that their number is exact
        if row := await (await run(queries.find_reminder, [user_id, client_id])).fetchone():
            return describe(row), False
        count = await (await run(queries.count_reminders, [user_id])).fetchone()
        if count is None or count[0] >= REMINDERS_MOST:
            raise TooManyReminders
        asked = form.model_dump() | {"user": user_id, "client_id": client_id, "place": place_id, "post_to": post_to}
        row = await (await run(queries.insert_reminder, asked)).fetchone()
        assert row is not None
        return describe(row), True


async def open_place(journal: Log, settings: Settings, user_id: int) -> int:
    """Return the direct conversation of the user and the bot. Create what is missing."""
    async with journal.change() as change:
        bot = await find_bot(change)
        await require_unblocked(change, user_id, [bot])
    draft = ConversationDraft(kind="direct", members=[bot])
    return (await create_conversation(journal, settings, user_id, draft)).id


LOCK = 7_263_374


async def find_bot(change: Change) -> int:
    """Return the bot that reminds. The first reminder creates it."""
    run = change.connection.execute
    if row := await (await run(queries.find_bot)).fetchone():
        return int(row[0])
    await run(queries.lock_bots, [LOCK])
    if row := await (await run(queries.find_bot)).fetchone():
        return int(row[0])
    bot = await insert_bot(change, BOT_NAME, None)
    await run(queries.insert_bot, [bot])
    return bot


async def list_reminders(pool: Pool, user_id: int) -> list[dict[str, Any]]:
    """Return the user's reminders that have not arrived, the next one first."""
    async with pool.connection() as connection:
        return [describe(row) async for row in await connection.execute(queries.list_reminders, [user_id])]


async def change_reminder(pool: Pool, user_id: int, reminder_id: int, wanted: ReminderChange) -> dict[str, Any]:
    """Change a reminder and return it. Raise `NotFound`, also if it has arrived; `Invalid` if nothing is left of it."""
    async with pool.connection() as connection, connection.transaction():
        asked = {"user": user_id, "id": reminder_id, **wanted.model_dump()}
        row = await (await connection.execute(queries.change_reminder, asked)).fetchone()
        if row is None:
            raise NotFound
        reminder = describe(row)
        if "seq" not in reminder and not is_visible(reminder["text"]):
            raise Invalid(errors=[{"field": "text", "detail": "needs a text"}])
    return reminder


async def remove_reminder(pool: Pool, user_id: int, reminder_id: int) -> None:
    """Remove a reminder. Raise `NotFound`, also if it has arrived."""
    async with pool.connection() as connection:
        if not await (await connection.execute(queries.delete_reminder, [user_id, reminder_id])).fetchone():
            raise NotFound


# Times in words: "in 20 minutes", "at 17:30", "tomorrow at 9", "monday", "2026-12-24 at 18:00". Pure.

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
UNIT = "seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPAN = rf"(?P<count>an?|\d{{1,5}})\s?(?P<unit>{UNIT})"
CLOCK = r"(?P<hour{0}>\d{{1,2}})(?::(?P<minute{0}>\d\d))?\s?(?P<half{0}>am|pm)?"
ON_DAY = rf"\s(?:at\s|(?=\d{{1,2}}(?::|\s?[ap]m\b))){CLOCK.format(1)}"  # without "at", a bare number is no time
DAY = rf"(?:on\s|next\s)?(?P<day>today|tomorrow|{'|'.join(DAYS)}|\d{{4}}-\d\d-\d\d)(?:{ON_DAY})?"
WHEN = rf"(?:in\s{SPAN}|{DAY}|at\s{CLOCK.format(2)}(?:\s(?P<later>today|tomorrow))?)"
FIRST = re.compile(rf"{WHEN}(?!\w|:\d)[,:]?", re.IGNORECASE | re.ASCII)
LAST = re.compile(rf"(?:(?P<what>.*?)\s)?{WHEN}[.!]?", re.IGNORECASE | re.ASCII | re.DOTALL)
MORNING, YEARS_AHEAD = 9, 6


class When(NamedTuple):
    """A time in a text: the local time, and the duration until then if the text has that. `rest`: the other words."""

    local: datetime
    span: timedelta | None
    rest: str


def parse_when(text: str, now: datetime) -> When | None:
    """Return the time that a text begins or ends with, None if there is none. `now`: the local time. Linear.

    Raise `ValueError` for a time that no clock or calendar shows.
    """
    if found := FIRST.match(text):
        rest = text[found.end() :].strip()
    elif found := LAST.fullmatch(text):
        rest = (found["what"] or "").strip()
    else:
        return None
    if found["count"]:
        span = read_span(found)
        return When(now + span, span, rest)
    if found["day"]:
        day = on_day(now, found["day"].lower())
        return When(on_clock(day, found["hour1"] or f"{MORNING}", found["minute1"], found["half1"]), None, rest)
    local = on_clock(now, found["hour2"], found["minute2"], found["half2"])
    later = (found["later"] or "").lower()
    return When(local + timedelta(days=later == "tomorrow" or (not later and local <= now)), None, rest)


def read_span(found: re.Match[str]) -> timedelta:
    """Return a duration such as `20 minutes` or `an hour`."""
    count = 1 if found["count"].lower() in ("a", "an") else int(found["count"])
    return timedelta(seconds=count * SECONDS[found["unit"][0].lower()])


def on_day(now: datetime, day: str) -> datetime:
    """Return the beginning of a day: today, tomorrow, the next one of a name, or that of a date."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if day in DAYS:
        return midnight + timedelta(days=(DAYS.index(day) - now.weekday() - 1) % 7 + 1)
    if day in ("today", "tomorrow"):
        return midnight + timedelta(days=day == "tomorrow")
    try:
        date = datetime.fromisoformat(day)
    except ValueError:
        raise ValueError(f"There is no day {day}. Write it as year-month-day, such as 2026-12-24.") from None
    if not now.year <= date.year <= now.year + YEARS_AHEAD:
        raise ValueError(f"The day {day} is not within the next five years.")
    return date


def on_clock(day: datetime, hour: str, minute: str | None, half: str | None) -> datetime:
    """Return the time of a clock on a day. Raise `ValueError`."""
    shown = int(hour)
    if half:
        shown = shown % 12 + 12 * (half.lower() == "pm") if 1 <= shown <= 12 else 24
    if shown > 23 or int(minute or 0) > 59:
        raise ValueError("There is no such time of day. Write it as 9:30, 17:30 or 5pm.")
    return day.replace(hour=shown, minute=int(minute or 0), second=0, microsecond=0)


# Delivery. A node takes what is due for some seconds, which PostgreSQL counts. If it dies meanwhile, another node takes
# it after that time; what was posted already is found by its client id.

TAKEN_SECONDS = 30.0
IDLE_SECONDS = 5.0  # until a node finds what another one stored or left
SHORTEST, BATCH, TRY_LATER = 0.05, 100, 429  # statuses from 429 on pass
Due = TypeVar("Due")


def is_final(error: BaseException) -> bool:
    """Return whether a delivery that failed would fail again, such as to a user who has blocked the bot."""
    return isinstance(error, ApiError) and error.status < TRY_LATER


class TimedDelivery(ABC, Generic[Due]):
    """The background task of a node that posts what is due. A subclass knows the table."""

    def __init__(self, pool: Pool, posts: PostWriter) -> None:
        self._pool, self._posts = pool, posts
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look again, because something was stored on this node."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver, forever: when the next one is due, and every five seconds, also on other nodes."""
        while True:
            self._woken.clear()
            try:
                while (pause := await self._seconds_to_next()) <= 0 and await self.deliver():
                    pass
            except UNAVAILABLE as error:
                log.warning("database unavailable, delivery waits", of=type(self).__name__, error=repr(error))
                pause = IDLE_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(max(pause, SHORTEST)):
                    await self._woken.wait()

    async def deliver(self) -> int:
        """Deliver up to 100 of those that are due and that no other node has taken. Return how many were taken."""
        due = await self.take({"seconds": TAKEN_SECONDS, "most": BATCH})
        outcomes = await asyncio.gather(*map(self.post, due), return_exceptions=True)
        await self.settle(list(zip(due, outcomes, strict=True)))
        return len(due)

    async def _seconds_to_next(self) -> float:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(self.next_query)).fetchone()
        return min(row[0], IDLE_SECONDS) if row else IDLE_SECONDS

    next_query: ClassVar[bytes]

    @abstractmethod
    async def take(self, limits: dict[str, float]) -> list[Due]:
        """Take those that are due, for `seconds`, and `most` at once."""

    @abstractmethod
    async def post(self, due: Due) -> Posted:
        """Post one, or raise."""

    @abstractmethod
    async def settle(self, done: Sequence[tuple[Due, Posted | BaseException]]) -> None:
        """Store what has become of those that were taken. Those that are left alone are taken again later."""


class DueReminder(NamedTuple):
    """A reminder whose time has come."""

    id: int
    text: str
    conversation_id: int | None
    seq: int | None
    place_id: int
    bot_id: int
    post_to: int | None
    user_id: int
    user_posts: bool
    language: str

    def to_post(self, default: Language) -> Post:
        """Return its message, in the language of the user, or in a channel in the default. `data`: what it is about.

        Raise `Forbidden` for one that would be posted in the name of a user whose account is disabled.
        """
        if self.post_to is not None and not self.user_posts:
            raise Forbidden("Your account was disabled.")
        about = {"conversation": self.conversation_id, "seq": self.seq}
        data = {name: value for name, value in about.items() if value is not None}
        texts = texts_in(self.language if self.post_to is None else "", default)
        body = texts.reminder.format(text=self.text) if self.text else texts.reminder_about_message
        fields = {"body": body, "client_id": f"reminder-{self.id}", "type": MESSAGE_TYPE, "data": data or None}
        place = (self.place_id, self.bot_id) if self.post_to is None else (self.post_to, self.user_id)
        return Post(*place, Draft.model_validate(fields))


class ReminderDelivery(TimedDelivery[DueReminder]):
    """The background task of a node that delivers reminders when they are due."""

    next_query = queries.seconds_to_next

    def __init__(self, pool: Pool, posts: PostWriter, here: HereResolver, rate: Limit, default: Language) -> None:
        super().__init__(pool, posts)
        self._here, self._rate, self._default = here, rate, default

    async def take(self, limits: dict[str, float]) -> list[DueReminder]:
        """Take due reminders."""
        async with self._pool.connection() as connection:
            return [DueReminder(*row) async for row in await connection.execute(queries.take_due, limits)]

    async def post(self, due: DueReminder) -> Posted:
        """Post a reminder to its user, or in their name to its channel."""
        post = due.to_post(self._default)
        if due.post_to is not None:
            self._rate.acquire(due.user_id)
            post = post._replace(here=await self._here.find(post.conversation_id, post.author_id, post.draft.body))
        return await self._posts.submit(post)

    async def settle(self, done: Sequence[tuple[DueReminder, Posted | BaseException]]) -> None:
        """Delete the reminders that were delivered, or never can be."""
        gone: list[int] = []
        for one, outcome in done:
            if isinstance(outcome, BaseException) and not is_final(outcome):
                log.warning("reminder not delivered, trying again", reminder=one.id, error=repr(outcome))
                continue
            if isinstance(outcome, ApiError):
                log.info("reminder refused", reminder=one.id, code=outcome.code, channel=one.post_to)
                if one.post_to is not None:
                    await self._keep_for_user(one, outcome)
                    continue
            gone.append(one.id)
        if gone:
            async with self._pool.connection() as connection:
                await connection.execute(queries.delete_delivered, [gone])

    async def _keep_for_user(self, due: DueReminder, refused: ApiError) -> None:
        """Deliver a reminder that was refused in its channel to the user, with the reason."""
        texts = texts_in(due.language, self._default)
        told = {"sentence": texts.reminder_refused, "unnamed": texts.its_channel, "reason": texts.refusal(refused)}
        async with self._pool.connection() as connection:
            await connection.execute(queries.keep_for_user, {"id": due.id} | told)
