"""The endpoints of messages: post, read, edit, delete; threads, reactions and pins."""

import asyncio
import re
from typing import TypeVar

import orjson
from aiohttp import web

from chat.conversations.drafts import ReadMark
from chat.log.append import LOG
from chat.messages.drafts import MESSAGE_BYTES, Append, Correction, Draft, DraftBatch, Finish, Post
from chat.messages.edits import EDITS_PAGE, delete_message, edit_message, list_edits
from chat.messages.finishing import ask_to_stop, finish_message
from chat.messages.history import CARDS_MOST, DIRECTIONS, Place, Window, newest, read_cards, read_message, read_page
from chat.messages.mentions import HereResolver
from chat.messages.posting import Posted, PostWriter, post_batch
from chat.messages.previews import remove_preview
from chat.messages.reactions import Reaction, list_pins, parse_emoji, pin_message, react, unpin_message, unreact
from chat.messages.reminders import (
    ReminderChange,
    ReminderDelivery,
    ReminderForm,
    change_reminder,
    create_reminder,
    list_reminders,
    remove_reminder,
)
from chat.messages.streaming import AppendRequest, AppendWriter
from chat.messages.threads import (
    check_forward,
    follow_thread,
    list_threads,
    mark_thread,
    read_replies,
    unfollow_thread,
)
from chat.model.message import Message
from chat.model.types import TYPE_FORM, check_exact
from chat.shared.errors import Invalid
from chat.shared.identity import Member
from chat.shared.web import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    WROTE,
    actor_of,
    answer_json,
    parse_count,
    parse_model,
    path_id,
    path_message,
    read_body,
    read_model,
    require_identity,
)

POSTS = web.AppKey("posts", PostWriter)
HERE = web.AppKey("here", HereResolver)
APPENDS = web.AppKey("appends", AppendWriter)
REMINDERS = web.AppKey("reminders", ReminderDelivery)
PAGE, PAGE_MOST = 50, 200
PLACE_FORM = re.compile(r"([1-9]\d{0,15})\.([1-9]\d{0,15})", re.ASCII)
WithData = TypeVar("WithData", bound=Draft | Correction | Finish)


async def post_message(request: web.Request) -> web.Response:
    """Post a message. It is durable when the response arrives. Retry with the same `client_id`.

    With `streaming`, append its text afterwards, and finish it.
    """
    member = await require_identity(request)
    draft = await read_draft(request, Draft)
    posted = await submit_post(request.app, member, path_id(request, "conversation"), draft)
    request[WROTE] = posted.frame
    return answer_posted(posted)


async def read_draft(request: web.Request, model: type[WithData]) -> WithData:
    """Return the body as this model; raise `Invalid`, also for data that would not be kept as it is."""
    body = await read_body(request, max(MESSAGE_BYTES, request.app[SETTINGS].max_body_bytes))
    draft = parse_model(body, model)
    if draft.data is not None:
        require_exact(body)
    return draft


def require_exact(body: bytes) -> None:
    """Raise `Invalid` if this valid JSON has a key twice, or a number that 64 bits cannot hold. Parsers drop these."""
    try:
        check_exact(body)
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "data", "detail": str(wrong)}]) from None


async def submit_post(app: web.Application, member: Member, conversation_id: int, draft: Draft) -> Posted:
    """Store a message. Raise the errors of `PostWriter.submit`."""
    if draft.forward:
        check_forward(member, draft.forward)
    here = await app[HERE].find(conversation_id, member.user_id, draft.body)
    return await app[POSTS].submit(
        Post(conversation_id, member.user_id, draft, here=here, session_id=member.session_id)
    )


def answer_posted(posted: Posted) -> web.Response:
    """Return 201 for a new message, 200 for one that an earlier attempt stored."""
    return answer_json(b'{"message":%b}' % posted.message, 201 if posted.fresh else 200)


async def post_messages(request: web.Request) -> web.Response:
    """Post many messages. Each is stored or rejected on its own."""
    member = await require_identity(request)
    settings = request.app[SETTINGS]
    body = await read_body(request, settings.max_batch_bytes)
    batch = parse_model(body, DraftBatch)
    if len(batch.messages) > settings.max_batch_messages:
        raise Invalid(errors=[{"field": "messages", "detail": f"at most {settings.max_batch_messages} at once"}])
    request.app[RATES].batch.acquire(member.payer, len(batch.messages) - 1)
    if any(isinstance(item, dict) and item.get("data") is not None for item in batch.messages):
        await asyncio.to_thread(require_exact, body)  # up to 0.6 s for 4 MB, with calls of Python for each object
    parts = request.app[POOL], request.app[POSTS], request.app[HERE]
    return answer_json(await post_batch(*parts, member, actor_of(request, member), batch.messages))


# Streamed messages: `…/messages/{seq}/append`, `…/finish` and `…/stop`.


async def post_append(request: web.Request) -> web.Response:
    """Append text to a streamed message. It is durable when the response arrives. Send it again if none arrives.

    `at` is where the text begins: the length of the message in Unicode code points. Text that is stored already changes
    nothing.
    """
    member = await require_identity(request)
    append = await read_model(request, Append, max(MESSAGE_BYTES, request.app[SETTINGS].max_body_bytes))
    return answer_json({"length": await submit_append(request.app, member, *path_message(request), append)})


async def submit_append(app: web.Application, member: Member, conversation_id: int, seq: int, append: Append) -> int:
    """Store a piece of a message, and return the message's length. Raise the errors of `AppendWriter.submit`."""
    request = AppendRequest(conversation_id, seq, member.user_id, member.session_id, append.at, append.text)
    return await app[APPENDS].submit(request)


async def post_finish(request: web.Request) -> web.Response:
    """Finish a streamed message. Its mentions count from now on, and searches find it."""
    member = await require_identity(request)
    finish = await read_draft(request, Finish)
    message = await submit_finish(request.app, member, *path_message(request), finish)
    return answer_json(b'{"message":%b}' % message.encode())


async def submit_finish(
    app: web.Application, member: Member, conversation_id: int, seq: int, finish: Finish
) -> Message:
    """End the text of a message, and return it. Raise the errors of `finish_message`."""
    so_far = await read_message(app[POOL], member.user_id, conversation_id, seq)
    here = await app[HERE].find(conversation_id, member.user_id, so_far.body)
    return await finish_message(app[LOG], member.user_id, conversation_id, seq, finish, here)


async def post_stop(request: web.Request) -> web.Response:
    """Ask the author of a streamed message to stop. Their streams receive `stop`, once for each message."""
    member = await require_identity(request)
    await ask_to_stop(request.app[LOG], member.user_id, *path_message(request))
    return web.Response(status=202)


async def get_messages(request: web.Request) -> web.Response:
    """List messages: a page of the history, or the latest messages without a direction.

    `type`: only messages of this type.
    """
    member = await require_identity(request)
    window, conversation_id = parse_window(request), path_id(request, "conversation")
    page = await read_page(request.app[POOL], member.user_id, conversation_id, window, parse_type(request))
    return answer_json(page.encode())


def parse_window(request: web.Request) -> Window:
    """Parse `?before=|after=|around=` and `?limit=`; raise `Invalid` on more than one direction."""
    limit = parse_count(request, "limit", default=PAGE, least=1, most=PAGE_MOST)
    named = [name for name in DIRECTIONS if name in request.query]
    if len(named) > 1:
        raise Invalid(errors=[{"field": name, "detail": "one direction at a time"} for name in named])
    if not named:
        return newest(limit)
    seq = parse_count(request, named[0], default=0, most=LARGEST_ID)
    return DIRECTIONS[named[0]](seq, limit)


def parse_type(request: web.Request) -> str | None:
    """Return `?type=`, a type that messages can have; raise `Invalid`."""
    word = request.query.get("type")
    if word is not None and not TYPE_FORM.fullmatch(word):
        raise Invalid(errors=[{"field": "type", "detail": "must be a word that messages can have as their type"}])
    return word


async def get_message(request: web.Request) -> web.Response:
    """Get a message."""
    member = await require_identity(request)
    message = await read_message(request.app[POOL], member.user_id, *path_message(request))
    return answer_json(b'{"message":%b}' % message.encode())


async def get_cards(request: web.Request) -> web.Response:
    """Get excerpts of messages that others link to, or forward. What the caller may not read is left out.

    `messages`: places of messages, such as `12.340,12.341`. `forwards`: places of messages that forward others.
    """
    member = await require_identity(request)
    links, forwards = (parse_places(request, name) for name in ("messages", "forwards"))
    return answer_json(await read_cards(request.app[POOL], member.user_id, member.only, links, forwards))


def parse_places(request: web.Request, name: str) -> list[Place]:
    """Return the places in the query, at most `CARDS_MOST`; raise `Invalid`."""
    words = request.query.get(name, "").split(",", CARDS_MOST)
    found = [PLACE_FORM.fullmatch(word) for word in words if word]
    if len(words) > CARDS_MOST or not all(found):
        detail = f"must be at most {CARDS_MOST} places, such as 12.340,12.341"
        raise Invalid(errors=[{"field": name, "detail": detail}])
    return [(int(one[1]), int(one[2])) for one in found if one]


# Threads: `…/messages/{seq}/replies`, `…/messages/{seq}/follow` and `/api/chat/threads`.


async def get_replies(request: web.Request) -> web.Response:
    """List the replies in a thread: a page, or the latest replies without a direction."""
    member = await require_identity(request)
    window = parse_window(request)
    page = await read_replies(request.app[POOL], member.user_id, *path_message(request), window)
    return answer_json(page.encode())


async def put_follow(request: web.Request) -> web.Response:
    """Follow a thread."""
    member = await require_identity(request)
    await follow_thread(request.app[LOG], member.user_id, *path_message(request))
    return web.Response(status=204)


async def delete_follow(request: web.Request) -> web.Response:
    """Unfollow a thread."""
    member = await require_identity(request)
    await unfollow_thread(request.app[LOG], member.user_id, *path_message(request))
    return web.Response(status=204)


async def put_thread_mark(request: web.Request) -> web.Response:
    """Mark a thread as read up to a message."""
    member = await require_identity(request)
    read = await read_model(request, ReadMark)
    await mark_thread(request.app[LOG], member.user_id, *path_message(request), read.seq)
    return web.Response(status=204)


async def get_threads(request: web.Request) -> web.Response:
    """List the threads that the caller follows, with the cursor to open a stream from."""
    member = await require_identity(request)
    threads, cursor = await list_threads(request.app[POOL], member.user_id)
    return answer_json({"threads": [thread.to_json() for thread in threads], "cursor": str(cursor)})


# Edits: `PATCH` and `DELETE …/messages/{seq}`, and `…/messages/{seq}/edits`.


async def patch_message(request: web.Request) -> web.Response:
    """Edit the text of a message, choose which of its files to keep, and replace its data.

    An edit mentions no one anew. Users whom the new text no longer names are no longer mentioned.
    """
    member = await require_identity(request)
    correction = await read_draft(request, Correction)
    place, seconds = path_message(request), request.app[SETTINGS].edit_seconds
    message = await edit_message(request.app[LOG], seconds, member.user_id, *place, correction)
    return answer_json(b'{"message":%b}' % message.encode())


async def remove_message(request: web.Request) -> web.Response:
    """Delete a message. A tombstone stays in its place.

    With `?undo=1`, its author takes it back: if that is within a minute and no one else has read it, apps show no trace
    of it, and its files can be posted again.
    """
    member = await require_identity(request)
    undo = bool(parse_count(request, "undo", default=0, most=1))
    await delete_message(request.app[LOG], member.user_id, *path_message(request), undo=undo)
    return web.Response(status=204)


async def delete_preview(request: web.Request) -> web.Response:
    """Remove the preview of a link from a message for good, as its author or as an owner or admin. `url`: the link."""
    member = await require_identity(request)
    url = request.query.get("url", "")
    await remove_preview(request.app[LOG], member.user_id, *path_message(request), url)
    return web.Response(status=204)


async def get_edits(request: web.Request) -> web.Response:
    """List the earlier texts of a message, the latest first. `next` is present if there are more."""
    member = await require_identity(request)
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    edits = await list_edits(request.app[POOL], member, *path_message(request), before)
    more = {"next": edits[EDITS_PAGE - 1].number} if len(edits) > EDITS_PAGE else {}
    return answer_json({"edits": [edit.to_json() for edit in edits[:EDITS_PAGE]]} | more)


# Pins: `…/conversations/{c}/pins`.


async def get_pins(request: web.Request) -> web.Response:
    """List the pinned messages, the latest first."""
    member = await require_identity(request)
    pins = await list_pins(request.app[POOL], member.user_id, path_id(request, "conversation"))
    shown = [{"user": user, "message": orjson.Fragment(message.encode())} for user, message in pins]
    return answer_json({"pins": shown})


async def put_pin(request: web.Request) -> web.Response:
    """Pin a message."""
    member = await require_identity(request)
    most = request.app[SETTINGS].pins_per_conversation
    await pin_message(request.app[LOG], most, member.user_id, *path_message(request))
    return web.Response(status=204)


async def delete_pin(request: web.Request) -> web.Response:
    """Unpin a message."""
    member = await require_identity(request)
    await unpin_message(request.app[LOG], member.user_id, *path_message(request))
    return web.Response(status=204)


# Reactions: `…/messages/{seq}/reactions/{emoji}`.


async def put_reaction(request: web.Request) -> web.Response:
    """Add the caller's reaction to a message."""
    member = await require_identity(request)
    most = request.app[SETTINGS].reactions_per_message
    await react(request.app[LOG], most, path_reaction(request, member.user_id))
    return web.Response(status=204)


async def delete_reaction(request: web.Request) -> web.Response:
    """Remove the caller's reaction from a message."""
    member = await require_identity(request)
    await unreact(request.app[LOG], path_reaction(request, member.user_id))
    return web.Response(status=204)


def path_reaction(request: web.Request, user_id: int) -> Reaction:
    """Return the reaction in the path, with the emoji in its standard spelling; raise `NotFound` or `Invalid`."""
    return Reaction(*path_message(request), parse_emoji(request.match_info["emoji"], custom=True), user_id)


# Reminders: `/api/reminders`.


async def post_reminder(request: web.Request) -> web.Response:
    """Set a reminder. It arrives as a message of a bot in a direct conversation. Retry with the same `client_id`."""
    member = await require_identity(request)
    form, app = await read_model(request, ReminderForm), request.app
    reminder, is_new = await create_reminder(app[LOG], app[POOL], app[SETTINGS], member.user_id, form)
    app[REMINDERS].wake()
    return answer_json({"reminder": reminder}, 201 if is_new else 200)


async def get_reminders(request: web.Request) -> web.Response:
    """List the caller's reminders that have not arrived yet, the next one first."""
    member = await require_identity(request)
    return answer_json({"reminders": await list_reminders(request.app[POOL], member.user_id)})


async def patch_reminder(request: web.Request) -> web.Response:
    """Change the text or the time of a reminder that has not arrived yet."""
    member, reminder_id = await require_identity(request), path_id(request, "reminder")
    wanted, app = await read_model(request, ReminderChange), request.app
    reminder = await change_reminder(app[POOL], member.user_id, reminder_id, wanted)
    app[REMINDERS].wake()
    return answer_json({"reminder": reminder})


async def delete_reminder(request: web.Request) -> web.Response:
    """Remove a reminder that has not arrived yet."""
    member = await require_identity(request)
    await remove_reminder(request.app[POOL], member.user_id, path_id(request, "reminder"))
    return web.Response(status=204)
