"""`/api/chat/conversations` and `/api/chat/channels`."""

from aiohttp import web

from chat.conversations.change import change_conversation
from chat.conversations.create import create_conversation
from chat.conversations.directory import list_archived, list_channels
from chat.conversations.draft import NAME_MOST, ConversationDraft, ConversationPatch, ReadMark
from chat.conversations.invitations import meets_stranger
from chat.conversations.read_marks import Mark, ReadMarks
from chat.conversations.views import read_view, read_views
from chat.log.endpoints import LOG
from chat.shared.endpoints import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    answer_json,
    parse_count,
    path_id,
    read_model,
    require_identity,
)
from chat.shared.identity import Member
from chat.shared.one_line import is_printable
from chat.shared.problems import Invalid

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
    """Count everyone who is added, or a direct conversation with a stranger; raise `TooFast`."""
    rates, pair = request.app[RATES], draft.pair(user_id)
    if pair is None:
        rates.add.spend(user_id, len(draft.people(user_id)) - 1)
    elif await meets_stranger(request.app[POOL], user_id, pair, draft.members[0]):
        await rates.direct.spend(str(user_id))


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
