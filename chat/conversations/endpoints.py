"""Handlers of `/api/chat/conversations`, `/api/chat/channels` and `/api/chat/invitations`."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from chat.accounts.admin_endpoints import path_external
from chat.conversations.conversations import Created, change_conversation, create_conversation, find_external
from chat.conversations.drafts import (
    ConversationDraft,
    ConversationPatch,
    ExternalDraft,
    MembersForm,
    ReadMarksForm,
    ReadRequest,
    RoleChange,
)
from chat.conversations.members import (
    PAGE,
    accept_invitation,
    change_notifications,
    decline_invitation,
    is_first_contact,
    list_invitations,
    list_members,
    put_member,
    remove_member,
    resolve_users,
    set_members,
)
from chat.conversations.read_marks import Mark, ReadMarks, list_receipts, mark_unread
from chat.conversations.views import (
    SidebarDraft,
    change_sidebar,
    list_archived,
    list_channels,
    read_sidebar,
    read_view,
    read_views,
)
from chat.log.append import LOG
from chat.model.conversation import NoticePatch
from chat.model.errors import ExternalKind, NotMember
from chat.model.types import NAME_MOST, format_time
from chat.shared.appearance import is_printable
from chat.shared.errors import Invalid, NotFound
from chat.shared.identity import Member
from chat.shared.web import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    answer_json,
    check_admin,
    name_errors,
    parse_count,
    parse_model,
    path_id,
    read_body,
    read_model,
    require_identity,
)

MEMBERS_BYTES = 256 * 1024  # 500 external ids
KEY_MOST = 20 * NAME_MOST  # characters of a look key: one of a name becomes 18 at most
MARKS_AT_ONCE = 10  # marks of one request that cost as much as one: they share a transaction
READ_MARKS = web.AppKey("read_marks", ReadMarks)


async def get_conversations(request: web.Request) -> web.Response:
    """List the caller's conversations, with the cursor to open a stream from."""
    member = await require_identity(request)
    snapshot = await read_views(request.app[POOL], member.user_id)
    answer = {
        "conversations": [view.to_json() for view in snapshot.views],
        "blocked": snapshot.blocked,
        "invitations": snapshot.invitations,
        "sidebar": snapshot.sidebar,
        "saved": snapshot.saved,
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
    await charge_added_users(request, member, draft)
    created = await create_conversation(request.app[LOG], request.app[SETTINGS], member.user_id, draft)
    view = await read_view(request.app[POOL], member, created.id)
    more = {"invited": created.invited} if created.invited else {}
    return answer_json(view.to_json() | more, 201 if created.is_new else 200)


async def charge_added_users(request: web.Request, member: Member, draft: ConversationDraft) -> None:
    """Count each added user, or a direct conversation with a stranger, against the rate limits; raise `RateLimited`."""
    rates, user_id, pair = request.app[RATES], member.user_id, draft.pair(member.user_id)
    if pair is None:
        rates.add.acquire(member.payer, len(draft.roles(user_id)) - 1)
    elif await is_first_contact(request.app[POOL], user_id, pair, draft.members[0]):
        await rates.direct.acquire(str(member.payer))


async def get_conversation(request: web.Request) -> web.Response:
    """Return one of the caller's conversations, or a public channel."""
    member = await require_identity(request)
    view = await read_view(request.app[POOL], member, path_id(request, "conversation"))
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
    await change_conversation(log, settings, member.user_id, await path_conversation(request, member), patch)


# Conversations of another system, by the ids that they have there.


async def path_conversation(request: web.Request, member: Member) -> int:
    """Return the id of the conversation that the path names, by its id or its external id; raise `NotFound`."""
    if "external_id" not in request.match_info:
        return path_id(request, "conversation")
    async with request.app[POOL].connection() as connection:
        found = await find_external(connection, path_external(request))
    if found is None or (member.key and member.key.conversations is not None and found not in member.key.conversations):
        raise NotFound
    return found


async def put_external(request: web.Request) -> web.Response:
    """Create or change the conversation that has this id in another system: 201 for a new one, 200 otherwise.

    For API keys and admins, who become its owner. Fields that are missing stay as they are.
    """
    member, external_id = await require_identity(request), path_external(request)
    if member.key is None:
        check_admin(member)
    form = await read_model(request, ExternalDraft)
    log, settings, pool = request.app[LOG], request.app[SETTINGS], request.app[POOL]
    async with pool.connection() as connection:
        known = await find_external(connection, external_id)
    if known is None:
        created = await create_conversation(log, settings, member.user_id, parse_draft(form), external_id)
    else:
        created = Created(known, False, [])
    view = await read_view(pool, member, created.id)
    if form.kind not in (None, view.conversation.kind):
        raise ExternalKind
    if (patch := form.to_patch()).changes():
        await change_conversation(log, settings, member.user_id, created.id, patch)
        view = await read_view(pool, member, created.id)
    return answer_json(view.to_json() | {"external_id": external_id}, 201 if created.is_new else 200)


def parse_draft(form: ExternalDraft) -> ConversationDraft:
    """Return the new conversation; raise `Invalid` for a channel without a name."""
    try:
        return form.to_draft()
    except ValidationError as wrong:
        raise Invalid(errors=name_errors(wrong)) from None


async def get_external(request: web.Request) -> web.Response:
    """Return the conversation that has this id in another system, if the caller can see it."""
    member = await require_identity(request)
    view = await read_view(request.app[POOL], member, await path_conversation(request, member))
    return answer_json(view.to_json() | {"external_id": path_external(request)})


async def put_read_mark(request: web.Request) -> web.Response:
    """Move the caller's read mark forward to a message, or back to it on the user's request."""
    member = await require_identity(request)
    read = await read_model(request, ReadRequest)
    mark = Mark(path_id(request, "conversation"), member.user_id, read.seq)
    if read.unread:
        await mark_unread(request.app[LOG], mark)
    elif read.unread is None:
        await request.app[READ_MARKS].move(mark)
    else:
        await request.app[READ_MARKS].end_unread(mark)
    return web.Response(status=204)


async def put_read_marks(request: web.Request) -> web.Response:
    """Move the caller's read marks in several conversations forward.

    Marks in conversations that the caller has left are skipped.
    """
    member = await require_identity(request)
    form = await read_model(request, ReadMarksForm)
    request.app[RATES].read.acquire(member.payer, len(form.marks) // MARKS_AT_ONCE)
    marks = [Mark(one.conversation, member.user_id, one.seq) for one in form.marks]
    for error in await gather(*map(request.app[READ_MARKS].move, marks), return_exceptions=True):
        if error is not None and not isinstance(error, NotFound | NotMember):
            raise error
    return web.Response(status=204)


async def get_sidebar(request: web.Request) -> web.Response:
    """Return how the caller has arranged the list of conversations."""
    member = await require_identity(request)
    return answer_json(await read_sidebar(request.app[POOL], member.user_id))


async def put_sidebar(request: web.Request) -> web.Response:
    """Replace how the caller has arranged the list of conversations. The caller's other devices receive it.

    Answers 409 `sidebar_changed` if `version` is not the stored one. Load the sidebar then, and repeat the change.
    """
    member = await require_identity(request)
    draft = await read_model(request, SidebarDraft)
    return answer_json(await change_sidebar(request.app[LOG], member.user_id, draft))


async def get_channels(request: web.Request) -> web.Response:
    """List the public channels, whether or not the caller is a member."""
    member = await require_identity(request)
    q, after = parse_line(request, "q"), parse_line(request, "after", KEY_MOST)
    return answer_json(await list_channels(request.app[POOL], member, q, after))


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

    With `?presence=1`, each member whose presence the caller may see has it as `presence`. API keys need the scope
    `presence:read` for it.
    """
    member = await require_identity(request)
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    presence = bool(parse_count(request, "presence", default=0, most=1))
    return answer_json(await page_members(request.app, member, path_id(request, "conversation"), after, presence))


async def page_members(
    app: web.Application, member: Member, conversation_id: int, after: int, presence: bool
) -> dict[str, Any]:
    """Return `{members:[{user, role, joined_at, presence?}], next?}`; raise `NotFound`."""
    view = await read_view(app[POOL], member, conversation_id)
    rows = await list_members(app[POOL], view.conversation.id, after)
    members: list[dict[str, Any]] = [
        {"user": user, "role": role, "joined_at": format_time(at)} for user, role, at in rows[:PAGE]
    ]
    if presence:
        if member.key is not None:
            member.key.check("presence:read", conversation_id)
        presences = await app[READ_PRESENCES](member.user_id, [one["user"] for one in members])
        members = [one | ({"presence": presences[one["user"]]} if one["user"] in presences else {}) for one in members]
    more = {"next": members[-1]["user"]} if len(rows) > PAGE else {}
    return {"members": members} | more


async def put_membership(request: web.Request) -> web.Response:
    """Join, add a user, or change a role: 201 for a new member, 202 for an invited user, who must accept first."""
    member = await require_identity(request)
    body = await read_body(request)
    asked = parse_model(body, RoleChange).role if body else None
    user_id, conversation_id = path_user(request, member.user_id), path_id(request, "conversation")
    if user_id != member.user_id:
        request.app[RATES].add.acquire(member.payer)
    log, settings = request.app[LOG], request.app[SETTINGS]
    role, is_new = await put_member(log, settings, member.user_id, conversation_id, user_id, asked)
    answer = {"conversation": conversation_id, "user": user_id, "role": role}
    if role is None:
        return answer_json(answer, 202)
    return answer_json(answer, 201 if is_new else 200)


async def put_members(request: web.Request) -> web.Response:
    """Set all members of a conversation: add those who are missing, and remove all others but the caller.

    Members keep their roles; new ones become `member`. At most 500 users (MAX_MEMBERS_ADDED) are named, and as many
    removed. `invited` lists users who must accept first.
    """
    member = await require_identity(request)
    settings, rates = request.app[SETTINGS], request.app[RATES]
    form = await read_model(request, MembersForm, MEMBERS_BYTES)
    if len(form.users) > settings.max_members_added:
        raise Invalid(errors=[{"field": "users", "detail": f"at most {settings.max_members_added} users at once"}])
    conversation_id = await path_conversation(request, member)
    user_ids = await resolve_users(request.app[POOL], form.users)
    done = await set_members(
        request.app[LOG], settings, member.user_id, conversation_id, user_ids, partial(rates.add.acquire, member.payer)
    )
    return answer_json({"conversation": conversation_id} | done._asdict())


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
    view = await read_view(request.app[POOL], member, conversation_id)
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
