"""Slash commands: what a member does with a line such as `/remind in 20 minutes call Ben`.

The app sends the line here instead of posting it. The answer is a text for the caller alone, which is not stored, or a
message that the command has posted (deploy/decisions/0143-slash-commands.md).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import psycopg
from pydantic import AfterValidator, Field, ValidationError

from chat.accounts.models import User, find_users
from chat.accounts.validation import TimeZone
from chat.conversations.members import change_notifications, put_member
from chat.integrations.deliveries import CommandRequest, HookSender
from chat.integrations.outgoing import list_commands as list_program_commands
from chat.log.append import Log
from chat.messages.drafts import Draft
from chat.messages.posting import Posted
from chat.messages.reactions import parse_emoji
from chat.messages.reminders import ReminderForm, When, create_reminder, list_reminders, parse_when, remove_reminder
from chat.model.conversation import NoticePatch
from chat.model.types import BODY_MOST, NAME_MOST, ClientId, Id, RequestModel, check_text
from chat.shared.appearance import check_line, look_key
from chat.shared.errors import ApiError, Invalid, NotFound, Unavailable
from chat.shared.postgres import Pool
from chat.shared.rate_limits import Rates
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry
from chat.shared.registry.status_choice import Choice, Mode, read_choices
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.transfer.text import find_emoji, one_line

queries = load(__file__)
NAMES_MOST, STATUS_MOST = 10, 140
LISTED_MOST, LINE_MOST = 20, 100  # reminders in an answer, and characters of each
LEFT = "a channel that you have left"
FOREVER = timedelta(days=36_500)  # as the app stores a mute without an end


class UnknownCommand(NotFound):
    """There is no command with this name here. To send a message that begins with a slash, type two slashes."""

    code = "unknown_command"


class WrongUsage(ApiError):
    """The command needs other words after its name. The detail shows an example."""

    status, code = 422, "wrong_usage"


class CommandForm(RequestModel):
    """A command and the words after it. `client_id` makes a repetition harmless, as for messages.

    `thread`: the root of the thread that it was typed in; `zone`: the time zone of its times, else that of the profile.
    """

    command: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    text: Annotated[str, Field(max_length=BODY_MOST), AfterValidator(check_text)] = ""
    client_id: ClientId
    thread: Id | None = None
    zone: TimeZone | None = None


@dataclass(frozen=True, slots=True)
class CommandCall:
    """A command on its way, with what it may use. `viewer` limits which users are found; `post` posts as the caller."""

    journal: Log
    pool: Pool
    settings: Settings
    registry: Registry
    rates: Rates
    programs: HookSender
    post: Callable[[Draft], Awaitable[Posted]]
    user_id: int
    viewer: int | None
    conversation_id: int
    form: CommandForm

    @property
    def text(self) -> str:
        """Return the words after the name."""
        return self.form.text.strip()


class CommandAnswer(NamedTuple):
    """The answer: a text for the caller alone, in Markdown, or the message that was posted."""

    text: str = ""
    message: bytes = b""


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command: `hint` shows what may follow its name, `description` what it does."""

    hint: str
    description: str
    run: Callable[[CommandCall], Awaitable[CommandAnswer]]


async def run_command(call: CommandCall) -> CommandAnswer:
    """Run a command: a built-in one, or that of a program.

    Raise `UnknownCommand`, `WrongUsage`, `CommandFailed`, or what the action raises.
    """
    command = COMMANDS.get(call.form.command)
    return await (command.run if command else call_program)(call)


async def call_program(call: CommandCall) -> CommandAnswer:
    """Send a command to its program, and return its reply."""
    form = call.form
    words = form.command, call.text, form.client_id, form.thread
    reply = await call.programs.call_command(CommandRequest(call.conversation_id, call.user_id, *words))
    if reply is None:
        raise UnknownCommand
    if reply.message:
        return CommandAnswer(message=reply.message)
    return CommandAnswer(reply.text or f"/{form.command} was sent.")


async def list_commands(pool: Pool, conversation_id: int) -> list[dict[str, str]]:
    """Return `{name, hint, description}` of each command of a conversation, by name. Built-in names win."""
    known = [{"name": name, "hint": one.hint, "description": one.description} for name, one in COMMANDS.items()]
    more = await list_program_commands(pool, conversation_id)
    return sorted([*known, *(one for one in more if one["name"] not in COMMANDS)], key=lambda one: one["name"])


# Times in the caller's zone.


def show_time(local: datetime) -> str:
    """Return a local time as shown, such as `Tuesday, December 1 at 09:00`."""
    return f"{local:%A, %B} {local.day} at {local:%H:%M}"


def find_when(text: str, now: datetime) -> When | None:
    """Return the time in a text, None if there is none. Raise `WrongUsage` for one that does not exist."""
    try:
        return parse_when(text, now)
    except ValueError as wrong:
        raise WrongUsage(str(wrong)) from None


class LocalTime(NamedTuple):
    """The caller's time zone, and the time there."""

    zone: str
    now: datetime


async def read_local_time(call: CommandCall) -> LocalTime:
    """Return the caller's local time. PostgreSQL, which every node shares, knows the zones. Raise `Invalid`."""
    try:
        async with call.pool.connection() as connection:
            asked = {"zone": call.form.zone or None, "user": call.user_id}
            row = await (await connection.execute(queries.read_local_time, asked)).fetchone()
    except psycopg.errors.InvalidParameterValue:
        raise Invalid(errors=[{"field": "zone", "detail": "must be one like Europe/Berlin"}]) from None
    assert row is not None
    return LocalTime(*row)


async def to_moment(call: CommandCall, zone: str, when: When) -> datetime:
    """Return the moment at which clocks in the zone show this time, or that is so far away."""
    if when.span is not None:
        return datetime.now(UTC) + when.span
    async with call.pool.connection() as connection:
        row = await (await connection.execute(queries.to_moment, {"zone": zone, "time": when.local})).fetchone()
    assert row is not None
    return row[0].astimezone(UTC)  # type: ignore[no-any-return]


# The commands.

SHRUG = "¯\\\\\\_(ツ)\\_/¯"  # escaped, because Markdown would take its arms
REMIND = "Write what and when: /remind in 20 minutes call Ben, or /remind #general stand-up tomorrow at 9:30."
INVITE = "Name up to ten users: /invite @ben @chloe."
MUTE = "Write for how long: /mute, /mute 2 hours, /mute until tomorrow, or /mute off."
MODES: dict[str, Mode] = {"online": "online", "away": "away", "dnd": "dnd", "invisible": "invisible"}
MODE_NAMES = {"online": "Online", "away": "Away", "dnd": "Do not disturb", "invisible": "Invisible"}


async def shrug(call: CommandCall) -> CommandAnswer:
    """Post the text with a shrug."""
    body = f"{call.text} {SHRUG}".strip()
    try:
        draft = Draft(body=body, client_id=call.form.client_id, thread=call.form.thread)
    except ValidationError:
        raise WrongUsage(f"The message can have at most {BODY_MOST} characters.") from None
    return CommandAnswer(message=(await call.post(draft)).message)


async def change_status(call: CommandCall) -> CommandAnswer:
    """Set the caller's status on all devices."""
    call.rates.status.acquire(call.user_id)
    known = (await read_choices(call.pool, [call.user_id]))[call.user_id]
    word, _, rest = call.text.partition(" ")
    mode = MODES.get(word.lower(), known.mode)
    text = rest.strip() if word.lower() in MODES else call.text
    if word.lower() in ("", "clear"):
        mode, text = "online", ""
    first, _, rest = text.partition(" ")
    if emoji := read_emoji(first):
        text = rest.strip()
    try:
        text = check_line(text)
    except ValueError:
        raise WrongUsage("A status is one line.") from None
    if len(text) > STATUS_MOST:
        raise WrongUsage(f"A status can have at most {STATUS_MOST} characters.")
    try:
        await call.registry.choose(call.user_id, Choice(mode, text, emoji))
    except REDIS_AWAY:
        raise Unavailable("Your status could not be shown to others yet. Try again.", retry_after=2) from None
    shown = " ".join(filter(None, [emoji, text]))
    return CommandAnswer(f"Your status is now: {MODE_NAMES[mode]}{f' · {shown}' if shown else ''}.")


def read_emoji(word: str) -> str:
    """Return the emoji that a word is, or the name of, such as `:palm_tree:`; empty for another word."""
    if len(word) > 2 and word[0] == word[-1] == ":":
        return find_emoji(word.strip(":").lower()) or ""
    with suppress(Invalid):
        return parse_emoji(word)
    return ""


async def remind(call: CommandCall) -> CommandAnswer:
    """Set a reminder for the caller, list those that are set, or cancel one."""
    word, _, rest = call.text.partition(" ")
    if call.text.lower() == "list":
        return await show_reminders(call)
    if word.lower() == "cancel" and rest.strip().isdecimal() and rest.isascii():
        await remove_reminder(call.pool, call.user_id, int(rest[:16]))
        return CommandAnswer("Reminder canceled.")
    if word.startswith("@"):
        raise WrongUsage("You can remind yourself or a channel. " + REMIND)
    channel = await find_channel(call) if word.startswith("#") else None
    local = await read_local_time(call)
    words = channel.rest if channel else rest.strip() if word.lower() == "me" else call.text
    found = find_when(words, local.now)
    what = without_first(found.rest, "to", "that", "about") if found else ""
    if found is None or not what:
        raise WrongUsage(REMIND)
    try:
        at = await to_moment(call, local.zone, found)
        form = ReminderForm(text=what, at=at, client_id=call.form.client_id)
    except ValidationError:
        raise WrongUsage("A reminder is in the future, within five years, and has at most 1,000 characters.") from None
    await create_reminder(call.journal, call.pool, call.settings, call.user_id, form, channel and channel.id)
    shown = f"post this in #{channel.name} for you" if channel else "remind you"
    return CommandAnswer(f"I will {shown} on {show_time(found.local)}.")


class FoundChannel(NamedTuple):
    """A channel that a command names, and the words after its name."""

    id: int
    name: str
    rest: str


async def find_channel(call: CommandCall) -> FoundChannel:
    """Return the channel of the caller with the longest name that the text begins with. Raise `WrongUsage`."""
    words = call.text[1 : NAME_MOST + 1].split(" ")
    keys = [look_key(" ".join(words[: n + 1])) for n in range(len(words))]
    asked = {"keys": keys, "user": call.user_id, "conversation": call.conversation_id}
    async with call.pool.connection() as connection:
        row = await (await connection.execute(queries.find_channel, asked)).fetchone()
    if row is None:
        raise WrongUsage(f"You are in no channel #{words[0]}. " + REMIND)
    id_, name, count = row
    return FoundChannel(id_, name, " ".join(call.text.split(" ")[count:]).strip())


def without_first(text: str, *words: str) -> str:
    """Return a text without its first word, if it is one of these."""
    first, _, rest = text.partition(" ")
    return rest.strip() if first.lower() in words else text


async def show_reminders(call: CommandCall) -> CommandAnswer:
    """List the reminders that are set."""
    local, found = await read_local_time(call), await list_reminders(call.pool, call.user_id)
    if not found:
        return CommandAnswer("You have no reminders. " + REMIND)
    async with call.pool.connection() as connection:
        asked = {"zone": local.zone, "moments": [datetime.fromisoformat(one["at"]) for one in found]}
        times = [row[0] for row in await (await connection.execute(queries.to_local_times, asked)).fetchall()]
        named = {"user": call.user_id, "channels": [one["post_to"] for one in found if "post_to" in one]}
        rows = await (await connection.execute(queries.name_channels, named)).fetchall()
        channels = {row[0]: f"#{row[1]}" for row in rows}
    lines = [
        f"- {show_time(time)}: {one_line(one['text'], LINE_MOST) or 'a message'}"
        f"{' in ' + channels.get(one['post_to'], LEFT) if 'post_to' in one else ''} (`/remind cancel {one['id']}`)"
        for one, time in zip(found[:LISTED_MOST], times, strict=False)
    ]
    more = [f"- and {len(found) - LISTED_MOST} more"] if len(found) > LISTED_MOST else []
    return CommandAnswer("\n".join(["Your reminders:", *lines, *more]))


async def invite(call: CommandCall) -> CommandAnswer:
    """Add users to the conversation, or invite them if they must accept first."""
    names = list(dict.fromkeys(word.strip("@,;").lower() for word in call.text.split()))
    if not 1 <= len(names) <= NAMES_MOST or not all(names):
        raise WrongUsage(INVITE)
    users = [await find_named(call, name) for name in names]
    lines: list[str] = []
    for user in users:
        try:
            lines.append(f"@{user.name} {await add_user(call, user.id)}")
        except ApiError as error:
            if not lines:
                raise
            lines.append(f"@{user.name} was not added: {error}")
    return CommandAnswer("\n".join(lines))


async def add_user(call: CommandCall, user_id: int) -> str:
    """Add a user, or invite them. Return what happened."""
    call.rates.add.acquire(call.user_id)
    place = call.user_id, call.conversation_id
    role, is_new = await put_member(call.journal, call.settings, *place, user_id, None)
    return "was added." if is_new else "is a member already." if role else "was invited, and can accept."


async def find_named(call: CommandCall, name: str) -> User:
    """Return the user of this name whom the caller can see. Raise `WrongUsage`."""
    for user in await find_users(call.pool, name, call.viewer):
        if user.name.lower() == name:
            return user
    raise WrongUsage(f"No user has the name @{name}. No one was added.")


async def mute(call: CommandCall) -> CommandAnswer:
    """Mute the conversation for the caller, or end that."""
    until, shown = None, ""
    if call.text.lower() != "off":
        local = await read_local_time(call)
        end = read_end(call.text, local.now) if call.text else When(local.now, FOREVER, "")
        until = await to_moment(call, local.zone, end)
        shown = f" until {show_time(end.local)}" if call.text else ""
    await change_notifications(call.journal, call.user_id, call.conversation_id, NoticePatch(muted_until=until))
    return CommandAnswer(f"This conversation is muted{shown}." if until else "This conversation is no longer muted.")


def read_end(text: str, now: datetime) -> When:
    """Return the time at which a mute ends. Raise `WrongUsage`."""
    words = without_first(text, "for", "until")
    when = find_when(words, now) or find_when(f"in {words}", now)
    if when is None or when.rest or when.local <= now:
        raise WrongUsage(MUTE)
    return when


COMMANDS: dict[str, SlashCommand] = {
    "invite": SlashCommand("@user …", "Add users to this conversation", invite),
    "mute": SlashCommand("[2 hours | until tomorrow | off]", "Mute this conversation", mute),
    "remind": SlashCommand("[#channel] [what] [when] | list", "Set a reminder", remind),
    "shrug": SlashCommand("[message]", "Add a shrug to your message", shrug),
    "status": SlashCommand("[away | dnd | invisible] [emoji] [text] | clear", "Set your status", change_status),
}
