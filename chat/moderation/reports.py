"""Reports: messages that users report to the owners and admins of the conversation and the admins of the server."""

from typing import Any

import orjson

from chat.conversations.memberships import audit
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.messages.history import read_message
from chat.model.errors import Conflict
from chat.model.types import BODY_MOST, LARGEST_ID, format_time
from chat.shared.errors import NotFound
from chat.shared.identity import Member
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
PAGE = 50
OUTCOME = "outcome", "note", "resolved_by", "resolved_at"
FIELDS = "id", "conversation", "seq", "author", "body", "reporter", "reason", "at", *OUTCOME


class Resolved(Conflict):
    """This report has been resolved already."""

    code = "resolved"


async def file_report(
    pool: Pool, log: Log, reporter_id: int, conversation_id: int, seq: int, reason: str
) -> tuple[int, bool]:
    """Store a report and return its id, and whether it is new: a user reports a message once. Raise `NotFound`."""
    message = await read_message(pool, reporter_id, conversation_id, seq)
    if message.deleted:
        raise NotFound
    fields = {
        "conversation": conversation_id,
        "seq": seq,
        "author": message.author,
        "body": message.body[:BODY_MOST],
        "reporter": reporter_id,
        "reason": reason,
    }
    async with log.change() as change:
        run = change.connection.execute
        row = await (await run(queries.insert_report, fields)).fetchone()
        if row is None:
            row = await (await run(queries.find_report, [conversation_id, seq, reporter_id])).fetchone()
            assert row is not None
            return row[0], False
        await publish_report(change, row[0], conversation_id, seq, "open")
    return row[0], True


async def publish_report(change: Change, report_id: int, conversation_id: int, seq: int, state: str) -> None:
    """Record an entry `{id, conversation, seq, state}` for each user who may resolve the report."""
    rows = await (await change.connection.execute(queries.list_reviewers, {"conversation": conversation_id})).fetchall()
    data = orjson.dumps({"id": report_id, "conversation": conversation_id, "seq": seq, "state": state})
    for (user_id,) in rows:
        await change.record(Unplaced("report", conversation_id, user_id, data=data))


async def list_reports(pool: Pool, member: Member, state: str, before: int) -> dict[str, object]:
    """Return `{reports:[…], next?}`, the latest first, that the user may resolve; `state`: open, resolved or all."""
    wanted = {"open": True, "resolved": False}.get(state)
    reports = await read_reports(pool, member, open=wanted, before=before)
    return {"reports": reports[:PAGE]} | ({"next": reports[PAGE - 1]["id"]} if len(reports) > PAGE else {})


async def read_reports(
    pool: Pool, member: Member, *, open: bool | None = None, before: int = LARGEST_ID, only: int | None = None
) -> list[dict[str, object]]:
    """Return a page of reports, and one more if there are more; or the one with the id `only`."""
    asked = {"user": member.user_id, "admin": member.role == "admin", "open": open, "before": before, "only": only}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_reports, asked | {"most": PAGE + 1})).fetchall()
    return [describe_report(row) for row in rows]


def describe_report(row: tuple[Any, ...]) -> dict[str, object]:
    """Return the report's fields, those of its outcome once it has one."""
    fields = dict(zip(FIELDS, row, strict=True))
    fields |= {name: format_time(fields[name]) for name in ("at", "resolved_at") if fields[name]}
    return {name: value for name, value in fields.items() if name not in OUTCOME or value not in (None, "")}


async def resolve_report(
    pool: Pool, log: Log, member: Member, report_id: int, outcome: str, remark: str
) -> dict[str, object]:
    """Resolve a report and return it. Raise `NotFound`, `Resolved`."""
    if not await read_reports(pool, member, only=report_id):
        raise NotFound
    async with log.change() as change:
        resolved = [outcome, remark, member.user_id, report_id]
        row = await (await change.connection.execute(queries.resolve_report, resolved)).fetchone()
        if row is None:
            raise Resolved
        await audit(change, member.user_id, "report.resolve", row[0], report=report_id, outcome=outcome)
        await publish_report(change, report_id, row[0], row[1], outcome)
    (report,) = await read_reports(pool, member, only=report_id)
    return report
