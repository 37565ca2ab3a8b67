"""`/api/chat/conversations` and `/api/chat/channels`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from chat.conversations.conversations import change_conversation, create_conversation
from chat.conversations.drafts import ConversationDraft, ConversationPatch, ReadMark, RoleChange
from chat.conversations.invitations import accept_invitation, decline_invitation, list_invitations, meets_stranger
from chat.conversations.members import PAGE, list_members, put_member, remove_member
from chat.conversations.notification_settings import change_notice
from chat.conversations.read_marks import Mark, ReadMarks, list_receipts
from chat.conversations.views import list_archived, list_channels, read_view, read_views
from chat.log.append import LOG
from chat.model.conversation import NoticePatch
from chat.model.types import NAME_MOST, format_time, is_printable
from chat.shared.errors import Invalid
from chat.shared.identity import Member
from chat.shared.web import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    answer_json,
    parse_count,
    parse_model,
    path_id,
    read_body,
    read_model,
    require_identity,
)

READ_MARKS = web.AppKey("read_marks", ReadMarks)


async def get_conversations(request: web.Request) -> web.Response:
    """All of mine, and the cursor at which a stream continues them."""
    member = await require_identity(request)
    snapshot = await read_views(request.app[POOL], member.user_id)
    answer = {
        "conversations": [view.to_json() for view in snapshot.views],
        "blocked": snapshot.blocked,
        "invitations": snapshot.invitations,
        "cursor": str(snapshot.cursor),
    }
    return answer_json(answer)


async def post_conversation(request: web.Request) -> web.Response:
    """Create a conversation: 201, or 200 for the direct one that this pair has.

    `invited` lists who was not added but asked to join, because they share no conversation with you.
    """
    member = await require_identity(request)
    draft = await read_model(request, ConversationDraft)
    await charge_people(request, member.user_id, draft)
    created = await create_conversation(request.app[LOG], request.app[SETTINGS], member.user_id, draft)
    view = await read_view(request.app[POOL], member.user_id, created.id)
    more = {"invited": created.invited} if created.invited else {}
    return answer_json(view.to_json() | more, 201 if created.fresh else 200)


async def charge_people(request: web.Request, user_id: int, draft: ConversationDraft) -> None:
    """Count everyone who is added, or a direct conversation with a stranger; raise `RateLimited`."""
    rates, pair = request.app[RATES], draft.pair(user_id)
    if pair is None:
        rates.add.acquire(user_id, len(draft.people(user_id)) - 1)
    elif await meets_stranger(request.app[POOL], user_id, pair, draft.members[0]):
        await rates.direct.acquire(str(user_id))


async def get_conversation(request: web.Request) -> web.Response:
    """One of mine, or a public channel."""
    member = await require_identity(request)
    view = await read_view(request.app[POOL], member.user_id, path_id(request, "conversation"))
    return answer_json(view.to_json())


async def patch_conversation(request: web.Request) -> web.Response:
    """Another name, another topic, another pace; open or closed, archived or back."""
    member = await require_identity(request)
    patch = await read_model(request, ConversationPatch)
    await change_by(request, member, patch)
    return await get_conversation(request)


async def delete_conversation(request: web.Request) -> web.Response:
    """Archive it."""
    member = await require_identity(request)
    await change_by(request, member, ConversationPatch(archived=True))
    return web.Response(status=204)


async def change_by(request: web.Request, member: Member, patch: ConversationPatch) -> None:
    """Change the conversation that the path names."""
    log, settings = request.app[LOG], request.app[SETTINGS]
    await change_conversation(log, settings, member.user_id, path_id(request, "conversation"), patch)


async def put_read_mark(request: web.Request) -> web.Response:
    """I have read up to here."""
    member = await require_identity(request)
    read = await read_model(request, ReadMark)
    await request.app[READ_MARKS].move(Mark(path_id(request, "conversation"), member.user_id, read.seq))
    return web.Response(status=204)


async def get_channels(request: web.Request) -> web.Response:
    """Public channels, with or without me."""
    member = await require_identity(request)
    q, after = parse_line(request, "q"), parse_line(request, "after")
    return answer_json(await list_channels(request.app[POOL], member.user_id, q, after))


async def get_archived(request: web.Request) -> web.Response:
    """What I am in and nobody writes to any more; it is read as ever."""
    member = await require_identity(request)
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    return answer_json(await list_archived(request.app[POOL], member.user_id, before))


def parse_line(request: web.Request, name: str) -> str:
    """A line of text in the query, empty when it is not there; raises `Invalid`."""
    text = request.query.get(name, "")
    if len(text) <= NAME_MOST and is_printable(text):
        return text.strip()
    raise Invalid(errors=[{"field": name, "detail": f"one line of at most {NAME_MOST} characters"}])


# `…/conversations/{c}/members`.

# `faces(viewer, people)`: how those of them look whom the viewer may see; nothing where that cannot be known now.
Faces = Callable[[int, Sequence[int]], Awaitable[dict[int, dict[str, object]]]]
FACES = web.AppKey[Faces]("faces")


async def get_members(request: web.Request) -> web.Response:
    """A page by user id; `next` stands when there are more. `?presence=1`: with each whom I may see, his presence."""
    member = await require_identity(request)
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    view = await read_view(request.app[POOL], member.user_id, path_id(request, "conversation"))
    rows = await list_members(request.app[POOL], view.conversation.id, after)
    members: list[dict[str, Any]] = [
        {"user": user, "role": role, "joined_at": format_time(at)} for user, role, at in rows[:PAGE]
    ]
    if parse_count(request, "presence", default=0, most=1):
        faces = await request.app[FACES](member.user_id, [one["user"] for one in members])
        members = [one | ({"presence": faces[one["user"]]} if one["user"] in faces else {}) for one in members]
    more = {"next": members[-1]["user"]} if len(rows) > PAGE else {}
    return answer_json({"members": members} | more)


async def put_seat(request: web.Request) -> web.Response:
    """Join, add a user, or give a role: 201 for a new member, 202 for one who was invited and has to accept first."""
    member = await require_identity(request)
    body = await read_body(request)
    asked = parse_model(body, RoleChange).role if body else None
    user_id, conversation_id = path_person(request, member.user_id), path_id(request, "conversation")
    if user_id != member.user_id:
        request.app[RATES].add.acquire(member.user_id)
    log, settings = request.app[LOG], request.app[SETTINGS]
    role, fresh = await put_member(log, settings, member.user_id, conversation_id, user_id, asked)
    answer = {"conversation": conversation_id, "user": user_id, "role": role}
    if role is None:
        return answer_json(answer, 202)
    return answer_json(answer, 201 if fresh else 200)


async def delete_seat(request: web.Request) -> web.Response:
    """Go, or send somebody away."""
    member = await require_identity(request)
    user_id = path_person(request, member.user_id)
    await remove_member(request.app[LOG], member.user_id, path_id(request, "conversation"), user_id)
    return web.Response(status=204)


def path_person(request: web.Request, oneself: int) -> int:
    """An id, or `me`."""
    return oneself if request.match_info["user"] == "me" else path_id(request, "user")


async def get_invitations(request: web.Request) -> web.Response:
    """List the caller's open invitations to conversations."""
    member = await require_identity(request)
    return answer_json({"invitations": await list_invitations(request.app[POOL], member.user_id)})


async def post_acceptance(request: web.Request) -> web.Response:
    """Accept an invitation; the answer is the conversation, whose history can be read from now on."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    await accept_invitation(request.app[LOG], request.app[SETTINGS], member.user_id, conversation_id)
    view = await read_view(request.app[POOL], member.user_id, conversation_id)
    return answer_json(view.to_json())


async def delete_invitation(request: web.Request) -> web.Response:
    """Decline an invitation. The inviter is not told, and cannot invite you there again."""
    member = await require_identity(request)
    await decline_invitation(request.app[LOG], member.user_id, path_id(request, "conversation"))
    return web.Response(status=204)


async def put_notifications(request: web.Request) -> web.Response:
    """What I want to be told of in this conversation."""
    member = await require_identity(request)
    patch = await read_model(request, NoticePatch)
    conversation_id = path_id(request, "conversation")
    notice = await change_notice(request.app[LOG], member.user_id, conversation_id, patch)
    return answer_json({"conversation": conversation_id} | notice.to_json())


async def get_receipts(request: web.Request) -> web.Response:
    """How far the others have read."""
    member = await require_identity(request)
    most, conversation_id = request.app[SETTINGS].receipts_most, path_id(request, "conversation")
    receipts = await list_receipts(request.app[POOL], member.user_id, conversation_id, most)
    return answer_json({"receipts": [{"user": user, "seq": seq} for user, seq in receipts]})
