"""`…/conversations/{c}/members`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from chat.conversations.draft import Seat
from chat.conversations.invitations import accept_invitation, decline_invitation, list_invitations
from chat.conversations.members import PAGE, list_members, put_member, remove_member
from chat.conversations.views import read_view
from chat.log.endpoints import LOG
from chat.messages.message import format_time
from chat.shared.endpoints import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    answer_json,
    parse_count,
    parse_model,
    path_id,
    read_body,
    require_identity,
)

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
    asked = parse_model(body, Seat).role if body else None
    user_id, conversation_id = path_person(request, member.user_id), path_id(request, "conversation")
    if user_id != member.user_id:
        request.app[RATES].add.spend(member.user_id)
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
