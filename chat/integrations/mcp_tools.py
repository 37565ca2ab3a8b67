"""The tools of `/mcp`, with which a language model reads and posts.

A tool does what a route does, with the same functions, limits and scopes, as commands over the message socket do.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chat.accounts.endpoints import get_users, list_by_ids
from chat.conversations.endpoints import get_conversations, get_members, page_members
from chat.conversations.views import read_views
from chat.messages import endpoints as messages
from chat.messages.history import DIRECTIONS, Page, newest, read_page
from chat.messages.socket_commands import AppendCommand, FinishCommand, PostCommand, carry_out, check_call
from chat.messages.threads import read_replies
from chat.model.types import ClientId, Id
from chat.search.search import PAGE_MOST as FOUND_MOST
from chat.search.search import SearchRequest, check_search, find, get_search, read_place, read_query
from chat.shared.errors import Forbidden, Invalid, Unavailable
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE
from chat.shared.web import POOL, SCOPES, name_errors

Json = dict[str, Any]


class Arguments(BaseModel):
    """The arguments of a tool. Models often send numbers as text, which is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Seq = Annotated[int, Field(ge=0, lt=2**53)]
ConversationId = Annotated[Id, Field(description="Id of the conversation.")]
Thread = Annotated[Id, Field(description="The seq of the message that the thread answers.")]
Attempt = Annotated[ClientId, Field(description="Your id for this message. Posting it again posts nothing new.")]
Markdown = Annotated[str, Field(description="The text, in Markdown.")]


class ListConversations(Arguments):
    """List your conversations, with the number of unread messages."""


class Read(Arguments):
    """Read messages of a conversation, or of one of its threads: the latest, or those around a seq."""

    conversation: ConversationId
    thread: Thread | None = None
    before: Annotated[Seq, Field(description="Only messages before this seq.")] | None = None
    after: Annotated[Seq, Field(description="Only messages after this seq, the oldest first.")] | None = None
    around: Annotated[Seq, Field(description="The messages on both sides of this seq.")] | None = None
    limit: Annotated[int, Field(ge=1, le=messages.PAGE_MOST)] = messages.PAGE

    @model_validator(mode="after")
    def check_direction(self) -> Self:
        """Raise `ValueError` for more than one direction."""
        if sum(seq is not None for seq in (self.before, self.after, self.around)) > 1:
            raise ValueError("use one of before, after and around")
        return self


class Search(Arguments):
    """Search messages, the newest first. The query takes "a phrase", from:name, in:channel, before:2026-01-31."""

    query: Annotated[str, Field(description="Words in any order, and filters.")]
    conversation: ConversationId | None = None
    limit: Annotated[int, Field(ge=1, le=FOUND_MOST)] = 20
    next: Annotated[str, Field(description="The next of the page before.")] | None = None


class PostMessage(Arguments):
    """Post a message in a conversation. All its members can read it."""

    conversation: ConversationId
    body: Markdown
    reply_to: Annotated[Id, Field(description="The seq of a message to quote.")] | None = None
    client_id: Attempt | None = None


class Reply(Arguments):
    """Reply in the thread of a message. The reply begins the thread if there is none."""

    conversation: ConversationId
    thread: Thread
    body: Markdown
    client_id: Attempt | None = None


class StreamReply(Arguments):
    """Write a message piece by piece; readers see it grow.

    The first call has no seq: it begins the message, in a thread if you name one. Each call returns seq and length:
    pass them to the next one as seq and at. The last call has end. A message without new text for a while ends as
    failed.
    """

    conversation: ConversationId
    text: Annotated[str, Field(description="The next piece of the text, in Markdown.")] = ""
    thread: Thread | None = None
    seq: Annotated[Id, Field(description="The seq of the message to continue.")] | None = None
    at: Annotated[int, Field(ge=0, lt=2**31, description="The length that the last call returned.")] | None = None
    end: Literal["complete", "cancelled", "failed"] | None = None
    client_id: Attempt | None = None

    @model_validator(mode="after")
    def check_place(self) -> Self:
        """Raise `ValueError` unless seq and at are both there, or neither."""
        if (self.seq is None) != (self.at is None):
            raise ValueError("pass seq and at together, as the last call returned them")
        return self


class WhoIsHere(Arguments):
    """List the members of a conversation and who of them is online."""

    conversation: ConversationId
    after: Annotated[Seq, Field(description="The next of the page before.")] = 0


# What the tools do. Each returns the JSON of its answer.


async def list_conversations(app: web.Application, member: Member, _: ListConversations) -> Json:
    """Return the conversations, shorter than the API does, and the users of those without a name."""
    check_call(app, member, get_conversations, None)
    snapshot = await read_views(app[POOL], member.user_id)
    names = ("id", "kind", "name", "topic", "role", "last_seq", "unread", "mentions", "members")
    views = [view.to_json() for view in snapshot.views]
    shown = [{name: view[name] for name in names if view.get(name) not in (None, "")} for view in views]
    users = {user for view in snapshot.views if not view.conversation.name for user in view.members or ()}
    return {"conversations": shown} | await name_users(app, member, users)


async def read(app: web.Application, member: Member, asked: Read) -> Json:
    """Return a page of messages, the oldest first."""
    given = {"before": asked.before, "after": asked.after, "around": asked.around}
    window = next(
        (DIRECTIONS[name](seq, asked.limit) for name, seq in given.items() if seq is not None),
        newest(asked.limit),
    )
    place = app[POOL], member.user_id, asked.conversation
    if asked.thread is None:
        check_call(app, member, messages.get_messages, asked.conversation)
        page = await read_page(*place, window)
    else:
        check_call(app, member, messages.get_replies, asked.conversation)
        page = await read_replies(*place, asked.thread, window)
    return encode_page(page) | await name_users(app, member, (message.author for message in page.messages))


def encode_page(page: Page) -> Json:
    """Return a page with the messages as the API returns them."""
    return {
        "messages": [orjson.Fragment(message.encode()) for message in page.messages],
        "has_before": page.has_before,
        "has_after": page.has_after,
    }


async def search(app: web.Application, member: Member, asked: Search) -> Json:
    """Return a page of results, with the matches highlighted."""
    check_call(app, member, get_search, asked.conversation)
    below = None if asked.next is None else read_place(asked.next)
    query = read_query(asked.query)
    wanted = check_search(SearchRequest(query, None, asked.conversation, below, asked.limit, only=member.only))
    found = await find(app[POOL], member.user_id, wanted)
    answer: Json = orjson.loads(await found.encode(query))
    return answer | await name_users(app, member, (message.author for message in found.messages))


async def post(app: web.Application, member: Member, asked: PostMessage | Reply) -> Json:
    """Post, and return the message."""
    more = {"thread": asked.thread} if isinstance(asked, Reply) else {"reply_to": asked.reply_to}
    return await carry_out(app, member, make_post(asked, asked.body, **more))


def make_post(asked: PostMessage | Reply | StreamReply, body: str, **more: object) -> PostCommand:
    """Return the command that posts this text."""
    place = {"type": "post", "conversation": asked.conversation}
    attempt = {"client_id": asked.client_id or secrets.token_hex(16)}
    return PostCommand.model_validate({**place, **attempt, "body": body, **more})


async def stream_reply(app: web.Application, member: Member, asked: StreamReply) -> Json:
    """Begin, continue or end a streamed message; return its seq and length."""
    seq, length = asked.seq or 0, asked.at or 0
    if asked.seq is None:
        begun = await carry_out(app, member, make_post(asked, asked.text, thread=asked.thread, streaming=True))
        message = orjson.loads(orjson.dumps(begun["message"]))
        seq, length = message["seq"], len(message["body"])
    elif asked.text or asked.end is None:
        piece = AppendCommand(type="append", conversation=asked.conversation, seq=seq, at=length, text=asked.text)
        length = (await carry_out(app, member, piece))["length"]
    if asked.end is not None:
        await carry_out(
            app, member, FinishCommand(type="finish", conversation=asked.conversation, seq=seq, state=asked.end)
        )
    return {"seq": seq, "length": length, "state": asked.end or "streaming"}


async def who_is_here(app: web.Application, member: Member, asked: WhoIsHere) -> Json:
    """Return a page of members with their presence."""
    check_call(app, member, get_members, asked.conversation)
    answer = await page_members(app, member, asked.conversation, asked.after, presence=True)
    return answer | await name_users(app, member, (one["user"] for one in answer["members"]))


async def name_users(app: web.Application, member: Member, ids: Iterable[int]) -> Json:
    """Return `{users:[{id, name, display_name}]}`, empty if the key may not read users."""
    wanted = sorted(set(ids))[:NAMES_MOST]
    try:
        check_call(app, member, get_users, None)
    except Forbidden:
        return {}
    users = await list_by_ids(app, member, wanted) if wanted else []
    return {"users": [{name: user.to_json()[name] for name in ("id", "name", "display_name")} for user in users]}


NAMES_MOST = 200
Work = Callable[[web.Application, Member, Any], Awaitable[Json]]


class Tool(NamedTuple):
    """A tool: what it does, and the handlers whose scopes it needs. `more`: a scope besides these."""

    arguments: type[Arguments]
    work: Work
    handler: Handler
    reads: bool
    more: Literal["presence:read"] | None = None

    def allowed(self, app: web.Application, member: Member) -> bool:
        """Return whether the key has the scopes."""
        return member.key is None or {app[SCOPES].get(self.handler), self.more} - {None} <= member.key.scopes


TOOLS = {
    "list_conversations": Tool(ListConversations, list_conversations, get_conversations, True),
    "read": Tool(Read, read, messages.get_messages, True),
    "search": Tool(Search, search, get_search, True),
    "post": Tool(PostMessage, post, messages.post_message, False),
    "reply": Tool(Reply, post, messages.post_message, False),
    "stream_reply": Tool(StreamReply, stream_reply, messages.post_message, False),
    "who_is_here": Tool(WhoIsHere, who_is_here, get_members, True, "presence:read"),
}


async def run_tool(app: web.Application, member: Member, tool: Tool, given: Mapping[str, object]) -> Json:
    """Return the answer of a tool; raise an `ApiError`."""
    try:
        return await tool.work(app, member, tool.arguments.model_validate(given))
    except ValidationError as wrong:
        raise Invalid(errors=name_errors(wrong)) from None
    except UNAVAILABLE:
        raise Unavailable(retry_after=1) from None
