"""Handlers of `/api/chat/conversations`, `/api/chat/channels` and `/api/chat/invitations`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from chat.conversations.conversations import change_conversation, create_conversation
from chat.conversations.drafts import ConversationDraft, ConversationPatch, ReadMark, RoleChange
from chat.conversations.invitations import accept_invitation, decline_invitation, is_first_contact, list_invitations
from chat.conversations.members import PAGE, change_notifications, list_members, put_member, remove_member
from chat.conversations.read_marks import Mark, ReadMarks, list_receipts
from chat.conversations.views import list_archived, list_channels, read_view, read_views
from chat.log.append import LOG
from chat.model.conversation import NoticePatch
from chat.model.types import NAME_MOST, format_time
from chat.shared.appearance import is_printable
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

KEY_MOST = 20 * NAME_MOST  # characters of a look key: one of a name becomes 18 at most
READ_MARKS = web.AppKey("read_marks", ReadMarks)


async def get_conversations(request: web.Request) -> web.Response:
    """List the caller's conversations, with the cursor to open a stream from."""
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
    """Create a conversation. Answers 201, or 200 with the direct conversation that this pair has already.

    `invited` lists the users who were asked to join instead of being added, because they share no conversation with
    you.
    """
    member = await require_identity(request)
    draft = await read_model(request, ConversationDraft)
    await charge_added_users(request, member.user_id, draft)
    created = await create_conversation(request.app[LOG], request.app[SETTINGS], member.user_id, draft)
    view = await read_view(request.app[POOL], member.user_id, created.id)
    more = {"invited": created.invited} if created.invited else {}
    return answer_json(view.to_json() | more, 201 if created.is_new else 200)


async def charge_added_users(request: web.Request, user_id: int, draft: ConversationDraft) -> None:
    """Count each added user, or a direct conversation with a stranger, against the rate limits; raise `RateLimited`."""
    rates, pair = request.app[RATES], draft.pair(user_id)
    if pair is None:
        rates.add.acquire(user_id, len(draft.roles(user_id)) - 1)
    elif await is_first_contact(request.app[POOL], user_id, pair, draft.members[0]):
        await rates.direct.acquire(str(user_id))


async def get_conversation(request: web.Request) -> web.Response:
    """Return one of the caller's conversations, or a public channel."""
    member = await require_identity(request)
    view = await read_view(request.app[POOL], member.user_id, path_id(request, "conversation"))
    return answer_json(view.to_json())


async def patch_conversation(request: web.Request) -> web.Response:
    """Change a conversation: its name, topic, privacy, slow mode, who can post, or whether it is archived."""
    member = await require_identity(request)
    patch = await read_model(request, ConversationPatch)
    await apply_patch(request, member, patch)
    return await get_conversation(request)


async def delete_conversation(request: web.Request) -> web.Response:
    """Archive a conversation."""
    member = await require_identity(request)
    await apply_patch(request, member, ConversationPatch(archived=True))
    return web.Response(status=204)


async def apply_patch(request: web.Request, member: Member, patch: ConversationPatch) -> None:
    """Change the conversation that the path names."""
    log, settings = request.app[LOG], request.app[SETTINGS]
    await change_conversation(log, settings, member.user_id, path_id(request, "conversation"), patch)


async def put_read_mark(request: web.Request) -> web.Response:
    """Move the caller's read mark forward to a message."""
    member = await require_identity(request)
    read = await read_model(request, ReadMark)
    await request.app[READ_MARKS].move(Mark(path_id(request, "conversation"), member.user_id, read.seq))
    return web.Response(status=204)


async def get_channels(request: web.Request) -> web.Response:
    """List the public channels, whether or not the caller is a member."""
    member = await require_identity(request)
    q, after = parse_line(request, "q"), parse_line(request, "after", KEY_MOST)
    return answer_json(await list_channels(request.app[POOL], member.user_id, q, after))


async def get_archived(request: web.Request) -> web.Response:
    """List the caller's archived conversations, which can still be read."""
    member = await require_identity(request)
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    return answer_json(await list_archived(request.app[POOL], member.user_id, before))


def parse_line(request: web.Request, name: str, most: int = NAME_MOST) -> str:
    """Return a line of text from the query, empty if it is missing; raise `Invalid`."""
    text = request.query.get(name, "")
    if len(text) <= most and is_printable(text):
        return text.strip()
    raise Invalid(errors=[{"field": name, "detail": f"one line of at most {most} characters"}])


# Members.

# `(viewer, users)` → the presence of each user that the viewer may see; empty while presence is unavailable.
ReadPresences = Callable[[int, Sequence[int]], Awaitable[dict[int, dict[str, object]]]]
READ_PRESENCES = web.AppKey[ReadPresences]("presences")


async def get_members(request: web.Request) -> web.Response:
    """List the members of a conversation, a page by user id; `next` is present if there are more.

    With `?presence=1`, each member whose presence the caller may see has it as `presence`.
    """
    member = await require_identity(request)
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    view = await read_view(request.app[POOL], member.user_id, path_id(request, "conversation"))
    rows = await list_members(request.app[POOL], view.conversation.id, after)
    members: list[dict[str, Any]] = [
        {"user": user, "role": role, "joined_at": format_time(at)} for user, role, at in rows[:PAGE]
    ]
    if parse_count(request, "presence", default=0, most=1):
        presences = await request.app[READ_PRESENCES](member.user_id, [one["user"] for one in members])
        members = [one | ({"presence": presences[one["user"]]} if one["user"] in presences else {}) for one in members]
    more = {"next": members[-1]["user"]} if len(rows) > PAGE else {}
    return answer_json({"members": members} | more)


async def put_membership(request: web.Request) -> web.Response:
    """Join, add a user, or change a role: 201 for a new member, 202 for an invited user, who must accept first."""
    member = await require_identity(request)
    body = await read_body(request)
    asked = parse_model(body, RoleChange).role if body else None
    user_id, conversation_id = path_user(request, member.user_id), path_id(request, "conversation")
    if user_id != member.user_id:
        request.app[RATES].add.acquire(member.user_id)
    log, settings = request.app[LOG], request.app[SETTINGS]
    role, is_new = await put_member(log, settings, member.user_id, conversation_id, user_id, asked)
    answer = {"conversation": conversation_id, "user": user_id, "role": role}
    if role is None:
        return answer_json(answer, 202)
    return answer_json(answer, 201 if is_new else 200)


async def delete_membership(request: web.Request) -> web.Response:
    """Leave the conversation, or remove a member."""
    member = await require_identity(request)
    user_id = path_user(request, member.user_id)
    await remove_member(request.app[LOG], member.user_id, path_id(request, "conversation"), user_id)
    return web.Response(status=204)


def path_user(request: web.Request, caller_id: int) -> int:
    """Return the user id in the path; `me` stands for the caller."""
    return caller_id if request.match_info["user"] == "me" else path_id(request, "user")


async def get_invitations(request: web.Request) -> web.Response:
    """List the caller's open invitations to conversations."""
    member = await require_identity(request)
    return answer_json({"invitations": await list_invitations(request.app[POOL], member.user_id)})


async def post_acceptance(request: web.Request) -> web.Response:
    """Accept an invitation. The answer is the conversation, whose history can be read from then on."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    await accept_invitation(request.app[LOG], request.app[SETTINGS], member.user_id, conversation_id)
    view = await read_view(request.app[POOL], member.user_id, conversation_id)
    return answer_json(view.to_json())


async def delete_invitation(request: web.Request) -> web.Response:
    """Decline an invitation. The inviter is not notified, and cannot invite you to this conversation again."""
    member = await require_identity(request)
    await decline_invitation(request.app[LOG], member.user_id, path_id(request, "conversation"))
    return web.Response(status=204)


async def put_notifications(request: web.Request) -> web.Response:
    """Change the caller's notification settings for a conversation."""
    member = await require_identity(request)
    patch = await read_model(request, NoticePatch)
    conversation_id = path_id(request, "conversation")
    settings = await change_notifications(request.app[LOG], member.user_id, conversation_id, patch)
    return answer_json({"conversation": conversation_id} | settings.to_json())


async def get_receipts(request: web.Request) -> web.Response:
    """List how far the other members have read, in a small conversation."""
    member = await require_identity(request)
    most, conversation_id = request.app[SETTINGS].receipts_most, path_id(request, "conversation")
    receipts = await list_receipts(request.app[POOL], member.user_id, conversation_id, most)
    return answer_json({"receipts": [{"user": user, "seq": seq} for user, seq in receipts]})
