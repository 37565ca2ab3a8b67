"""Handlers of bans, invite links, reports and the activity log of a conversation."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, Field

from chat.conversations.views import read_view
from chat.log.append import LOG
from chat.model.types import RequestModel, check_words
from chat.moderation.moderation import (
    ban,
    create_link,
    file_report,
    join_by_link,
    list_activity,
    list_bans,
    list_links,
    list_reports,
    resolve_report,
    revoke_link,
    unban,
)
from chat.shared.errors import Invalid
from chat.shared.web import (
    EVENTS,
    LARGEST_ID,
    POOL,
    SETTINGS,
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

STATES = ("open", "resolved", "all")


async def get_bans(request: web.Request) -> web.Response:
    """List the users who are banned from a conversation. Owners and admins only."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    return answer_json(await list_bans(request.app[POOL], member.user_id, conversation_id, after))


async def put_ban(request: web.Request) -> web.Response:
    """Ban a user from a conversation. The body, with a reason, is optional."""
    member = await require_identity(request)
    body = await read_body(request)
    form = parse_model(body, BanForm) if body else BanForm()
    conversation_id, user_id = path_id(request, "conversation"), path_id(request, "user")
    await ban(request.app[LOG], member.user_id, conversation_id, user_id, form.reason)
    return web.Response(status=204)


async def delete_ban(request: web.Request) -> web.Response:
    """Lift a user's ban."""
    member = await require_identity(request)
    await unban(request.app[LOG], member.user_id, path_id(request, "conversation"), path_id(request, "user"))
    return web.Response(status=204)


async def get_links(request: web.Request) -> web.Response:
    """List the active invite links of a conversation. Owners and admins only."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    return answer_json(await list_links(request.app[POOL], member.user_id, conversation_id))


async def post_link(request: web.Request) -> web.Response:
    """Create an invite link. Its code is shown only once."""
    member = await require_identity(request)
    form = await read_model(request, LinkForm)
    log, settings = request.app[LOG], request.app[SETTINGS]
    conversation_id = path_id(request, "conversation")
    return answer_json(await create_link(log, settings, member.user_id, conversation_id, form.uses, form.days), 201)


async def delete_link(request: web.Request) -> web.Response:
    """Revoke an invite link."""
    member = await require_identity(request)
    await revoke_link(request.app[LOG], member.user_id, path_id(request, "conversation"), path_id(request, "link"))
    return web.Response(status=204)


async def post_join(request: web.Request) -> web.Response:
    """Join a conversation by an invite link: 201 for a new member."""
    member = await require_identity(request)
    form = await read_model(request, JoinForm)
    id_, joined = await join_by_link(request.app[LOG], request.app[SETTINGS], member.user_id, form.code)
    view = await read_view(request.app[POOL], member, id_)
    return answer_json(view.to_json(), 201 if joined else 200)


async def post_report(request: web.Request) -> web.Response:
    """Report a message to the owners and admins of the conversation and of the server."""
    member = await require_identity(request)
    form = await read_model(request, ReportForm)
    conversation_id, seq = path_message(request)
    pool, log = request.app[POOL], request.app[LOG]
    id_, is_new = await file_report(pool, log, member.user_id, conversation_id, seq, form.reason)
    return answer_json({"id": id_}, 201 if is_new else 200)


async def get_reports(request: web.Request) -> web.Response:
    """List the reports that the caller may resolve: `state` is `open`, `resolved` or `all`."""
    member = await require_identity(request)
    if (state := request.query.get("state", "open")) not in STATES:
        raise Invalid(errors=[{"field": "state", "detail": "one of " + ", ".join(STATES)}])
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    found = await list_reports(request.app[POOL], member, state, before)
    if found["reports"]:  # the app of every user asks whether there are any
        request.app[EVENTS].note(actor_of(request, member), "report.read")
    return answer_json(found)


async def patch_report(request: web.Request) -> web.Response:
    """Resolve a report."""
    member = await require_identity(request)
    form = await read_model(request, Resolution)
    pool, log, report_id = request.app[POOL], request.app[LOG], path_id(request, "report")
    return answer_json(await resolve_report(pool, log, member, report_id, form.outcome, form.note))


async def get_notes(request: web.Request) -> web.Response:
    """List what owners and admins have done in a conversation."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    after = parse_count(request, "after", default=LARGEST_ID, most=LARGEST_ID)
    return answer_json(await list_activity(request.app[POOL], member.user_id, conversation_id, after))


# Request bodies.

REASON_MOST = 500


def check_note(text: str) -> str:
    """Check the text like a message's, but allow an empty one."""
    return check_words(text) if text else ""


Note = Annotated[str, Field(max_length=REASON_MOST), AfterValidator(check_note)]
Reason = Annotated[str, Field(min_length=1, max_length=REASON_MOST), AfterValidator(check_words)]
Outcome = Literal["dismissed", "acted"]


class BanForm(RequestModel):
    """The reason of a ban, for owners and admins."""

    reason: Note = ""


class LinkForm(RequestModel):
    """The number of users who can join by a link, and the days until it expires."""

    uses: Annotated[int, Field(ge=1, le=10_000)] = 100
    days: Annotated[int, Field(ge=1, le=365)] = 7


class JoinForm(RequestModel):
    """The code of an invite link."""

    code: Annotated[str, Field(min_length=1, max_length=100)]


class ReportForm(RequestModel):
    """The reason for reporting a message."""

    reason: Reason


class Resolution(RequestModel):
    """The outcome of a report."""

    outcome: Outcome
    note: Note = ""
