"""`…/conversations/{c}/bans`, `…/links` and `…/audit`; `…/messages/{seq}/reports`; `/api/chat/join`, `/reports`."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, Field

from chat.conversations.views import read_view
from chat.log.append import LOG
from chat.model.types import RequestModel, check_words
from chat.moderation.bans import ban, list_bans, list_notes, unban
from chat.moderation.invite_links import join_by_link, list_links, make_link, withdraw_link
from chat.moderation.reports import file_report, list_reports, resolve_report
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
    read_body,
    read_model,
    require_identity,
)

STATES = ("open", "resolved", "all")


async def get_bans(request: web.Request) -> web.Response:
    """Who is kept out."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    after = parse_count(request, "after", default=0, most=LARGEST_ID)
    return answer_json(await list_bans(request.app[POOL], member.user_id, conversation_id, after))


async def put_ban(request: web.Request) -> web.Response:
    """Send somebody away for good; the body, a reason, may be left out."""
    member = await require_identity(request)
    body = await read_body(request)
    form = parse_model(body, BanForm) if body else BanForm()
    place = path_id(request, "conversation"), path_id(request, "user")
    await ban(request.app[LOG], member.user_id, *place, form.reason)
    return web.Response(status=204)


async def delete_ban(request: web.Request) -> web.Response:
    """Let somebody come back."""
    member = await require_identity(request)
    await unban(request.app[LOG], member.user_id, path_id(request, "conversation"), path_id(request, "user"))
    return web.Response(status=204)


async def get_links(request: web.Request) -> web.Response:
    """The links that still let somebody in."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    return answer_json(await list_links(request.app[POOL], member.user_id, conversation_id))


async def post_link(request: web.Request) -> web.Response:
    """Make one; its code is told once."""
    member = await require_identity(request)
    form = await read_model(request, LinkForm)
    log, settings = request.app[LOG], request.app[SETTINGS]
    conversation_id = path_id(request, "conversation")
    return answer_json(await make_link(log, settings, member.user_id, conversation_id, form.uses, form.days), 201)


async def delete_link(request: web.Request) -> web.Response:
    """Withdraw one."""
    member = await require_identity(request)
    await withdraw_link(request.app[LOG], member.user_id, path_id(request, "conversation"), path_id(request, "link"))
    return web.Response(status=204)


async def post_join(request: web.Request) -> web.Response:
    """Come in by a link: 201 for a newcomer."""
    member = await require_identity(request)
    form = await read_model(request, JoinForm)
    id_, fresh = await join_by_link(request.app[LOG], request.app[SETTINGS], member.user_id, form.code)
    view = await read_view(request.app[POOL], member.user_id, id_)
    return answer_json(view.to_json(), 201 if fresh else 200)


async def post_report(request: web.Request) -> web.Response:
    """Something is wrong with this message."""
    member = await require_identity(request)
    form = await read_model(request, ReportForm)
    place = path_id(request, "conversation"), path_id(request, "seq")
    id_, fresh = await file_report(request.app[POOL], request.app[LOG], member.user_id, *place, form.reason)
    return answer_json({"id": id_}, 201 if fresh else 200)


async def get_reports(request: web.Request) -> web.Response:
    """What I may judge."""
    member = await require_identity(request)
    if (state := request.query.get("state", "open")) not in STATES:
        raise Invalid(errors=[{"field": "state", "detail": "one of " + ", ".join(STATES)}])
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    found = await list_reports(request.app[POOL], member, state, before)
    if found["reports"]:  # the app of every user asks whether there are any
        request.app[EVENTS].note(actor_of(request, member), "report.read")
    return answer_json(found)


async def patch_report(request: web.Request) -> web.Response:
    """What came of it."""
    member = await require_identity(request)
    form = await read_model(request, Resolution)
    pool, log, report_id = request.app[POOL], request.app[LOG], path_id(request, "report")
    return answer_json(await resolve_report(pool, log, member, report_id, form.outcome, form.note))


async def get_notes(request: web.Request) -> web.Response:
    """What those who run a conversation have done in it."""
    member, conversation_id = await require_identity(request), path_id(request, "conversation")
    after = parse_count(request, "after", default=LARGEST_ID, most=LARGEST_ID)
    return answer_json(await list_notes(request.app[POOL], member.user_id, conversation_id, after))


# What somebody asks of moderation, checked field by field. Pure.

REASON_MOST = 500


def check_note(text: str) -> str:
    """As a message's text, but it may be empty."""
    return check_words(text) if text else ""


Note = Annotated[str, Field(max_length=REASON_MOST), AfterValidator(check_note)]
Reason = Annotated[str, Field(min_length=1, max_length=REASON_MOST), AfterValidator(check_words)]
Outcome = Literal["dismissed", "acted"]


class BanForm(RequestModel):
    """Why, for those who run the conversation."""

    reason: Note = ""


class LinkForm(RequestModel):
    """How many it lets in, and for how long."""

    uses: Annotated[int, Field(ge=1, le=10_000)] = 100
    days: Annotated[int, Field(ge=1, le=365)] = 7


class JoinForm(RequestModel):
    """The code of a link."""

    code: Annotated[str, Field(min_length=1, max_length=100)]


class ReportForm(RequestModel):
    """What is wrong with a message."""

    reason: Reason


class Resolution(RequestModel):
    """What came of a report."""

    outcome: Outcome
    note: Note = ""
