"""Commands over the message socket: post, append, finish, edit, delete, react and read.

Each is answered by `ack` or `problem`.

A command does what a route does, with the same functions, limits and scopes, and the same `client_id` finds the message
of an earlier attempt on either way. The message's type is `message_type` there, as `type` names the command.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chat.conversations.endpoints import READ_MARKS, put_read_mark
from chat.conversations.read_marks import Mark
from chat.log.append import LOG
from chat.messages import endpoints
from chat.messages.drafts import Append, Correction, Draft, Finish
from chat.messages.edits import delete_message, edit_message
from chat.messages.reactions import Reaction, parse_emoji, react, unreact
from chat.model.types import Id, MessageType
from chat.shared.errors import ApiError, Failed, Invalid, Unavailable
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE
from chat.shared.web import IDENTITIES, SCOPES, SETTINGS, charge_route, name_errors
from chat.stream.websocket import encode_problem

log = structlog.get_logger(__name__)
Fields = dict[str, Any]
ID_MOST = 64  # characters
CommandId = Annotated[int, Field(ge=0, lt=2**53)] | Annotated[str, Field(max_length=ID_MOST)]


class Command(BaseModel):
    """A command. `id` is repeated in the answer; a command without one is answered only if it fails."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: CommandId | None = None
    conversation: Id


class PostCommand(Command, Draft):
    """Post a message. It is durable when `ack` arrives."""

    type: Literal["post"]
    message_type: MessageType | None = None

    def to_draft(self) -> Draft:
        """Return the draft that a request would have."""
        return self.model_copy(update={"type": self.message_type})


class AppendCommand(Command, Append):
    """Append text to a streamed message. It is durable when `ack` arrives, with the length of the message."""

    type: Literal["append"]
    seq: Id


class FinishCommand(Command, Finish):
    """Finish a streamed message."""

    type: Literal["finish"]
    seq: Id


class EditCommand(Command, Correction):
    """Edit the text or the data of a message."""

    type: Literal["edit"]
    seq: Id


class DeleteCommand(Command):
    """Delete a message."""

    type: Literal["delete"]
    seq: Id


class ReactCommand(Command):
    """Add a reaction to a message, or remove it."""

    type: Literal["react"]
    seq: Id
    emoji: str
    remove: bool = False


class ReadCommand(Command):
    """Move the read mark forward to a message."""

    type: Literal["read"]
    seq: Id


AnyCommand = Annotated[
    PostCommand | AppendCommand | FinishCommand | EditCommand | DeleteCommand | ReactCommand | ReadCommand,
    Field(discriminator="type"),
]
TOGETHER = (AppendCommand,)  # several in a row share an entry, so the second does not wait for the first
COMMANDS: TypeAdapter[Command] = TypeAdapter(AnyCommand)


def read_command(text: bytes) -> Command | bytes:
    """Return the command, or the problem that answers a text which is none."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        return refuse(Invalid("This frame is not JSON."), None)
    try:
        command = COMMANDS.validate_python(given)
        if isinstance(command, PostCommand | FinishCommand | EditCommand) and command.data is not None:
            endpoints.require_exact(text)
    except (ValidationError, Invalid) as wrong:
        named = given.get("id") if isinstance(given, dict) else None
        invalid = wrong if isinstance(wrong, Invalid) else Invalid(errors=name_errors(wrong))
        return refuse(invalid, named if isinstance(named, int | str) else None)
    return command


async def answer_command(app: web.Application, member: Member, command: Command) -> bytes:
    """Carry out a command. Return `{"type": "ack", "id", …}` or `{"type": "problem", "id", …}`.

    Success without an id is answered by nothing.
    """
    try:
        done = await carry_out(app, member, command)
    except ApiError as error:
        return refuse(error, command.id)
    except UNAVAILABLE:
        return refuse(Unavailable(retry_after=1), command.id)
    except Exception as error:
        log.error("command failed", exc_info=error)
        return refuse(Failed(), command.id)
    return b"" if command.id is None else orjson.dumps({"type": "ack", "id": command.id, **done})


def joins(command: Command) -> bool:
    """Return whether this command can be carried out together with its neighbors of the same kind."""
    return isinstance(command, TOGETHER)


async def carry_out(app: web.Application, member: Member, command: Command) -> Fields:
    """Do what the route of this command does, after the same checks. Return the fields of its answer."""
    work, handler = WORKS[type(command)]
    check_call(app, member, handler, command.conversation)
    return await work(app, member, command)


def check_call(app: web.Application, member: Member, handler: Handler, conversation_id: int | None) -> None:
    """Do the checks of the route with this handler, for a caller who reached its function in another way.

    Raise `Unauthenticated`, `RateLimited` and the errors of `KeyLimits.check`.
    """
    app[IDENTITIES].check(member)
    if member.key is not None:
        member.key.check(app[SCOPES].get(handler), conversation_id)
    charge_route(app, handler, member.payer)


def refuse(error: ApiError, command_id: int | str | None) -> bytes:
    """Return the answer to a command that was refused: its id and the problem document."""
    named = {} if command_id is None or len(str(command_id)) > ID_MOST else {"id": command_id}
    after = {} if error.retry_after is None else {"retry_after": error.retry_after}
    return encode_problem(error, **after, **named)


async def post(app: web.Application, member: Member, command: PostCommand) -> Fields:
    """Post; the answer has the message."""
    posted = await endpoints.submit_post(app, member, command.conversation, command.to_draft())
    return {"message": orjson.Fragment(posted.message)}


async def append(app: web.Application, member: Member, command: AppendCommand) -> Fields:
    """Append; the answer has the length of the message."""
    return {"length": await endpoints.submit_append(app, member, command.conversation, command.seq, command)}


async def finish(app: web.Application, member: Member, command: FinishCommand) -> Fields:
    """Finish; the answer has the message."""
    message = await endpoints.submit_finish(app, member, command.conversation, command.seq, command)
    return {"message": orjson.Fragment(message.encode())}


async def edit(app: web.Application, member: Member, command: EditCommand) -> Fields:
    """Edit; the answer has the message."""
    place, seconds = (command.conversation, command.seq), app[SETTINGS].edit_seconds
    message = await edit_message(app[LOG], seconds, member.user_id, *place, command)
    return {"message": orjson.Fragment(message.encode())}


async def delete(app: web.Application, member: Member, command: DeleteCommand) -> Fields:
    """Delete."""
    await delete_message(app[LOG], member.user_id, command.conversation, command.seq)
    return {}


async def react_or_not(app: web.Application, member: Member, command: ReactCommand) -> Fields:
    """Add or remove the reaction."""
    reaction = Reaction(command.conversation, command.seq, parse_emoji(command.emoji, custom=True), member.user_id)
    if command.remove:
        await unreact(app[LOG], reaction)
    else:
        await react(app[LOG], app[SETTINGS].reactions_per_message, reaction)
    return {}


async def read(app: web.Application, member: Member, command: ReadCommand) -> Fields:
    """Move the read mark."""
    await app[READ_MARKS].move(Mark(command.conversation, member.user_id, command.seq))
    return {}


# What each command does, and the handler whose limits and scope are its own.
WORKS: dict[type[Command], tuple[Callable[[web.Application, Member, Any], Awaitable[Fields]], Any]] = {
    PostCommand: (post, endpoints.post_message),
    AppendCommand: (append, endpoints.post_append),
    FinishCommand: (finish, endpoints.post_finish),
    EditCommand: (edit, endpoints.patch_message),
    DeleteCommand: (delete, endpoints.remove_message),
    ReactCommand: (react_or_not, endpoints.put_reaction),
    ReadCommand: (read, put_read_mark),
}
