"""Post many messages at once, for integrations and imports. Each is validated alone; all share a few commits."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
from pydantic import ValidationError

from chat.messages.drafts import AddressedDraft, Post
from chat.messages.mentions import HereResolver
from chat.messages.posting import Posted, PostWriter
from chat.messages.threads import check_forward
from chat.shared.audit import Actor, record
from chat.shared.errors import ERRORS_MOST as PROBLEM_ERRORS_MOST
from chat.shared.errors import AdminsOnly, ApiError, Forbidden, Invalid, NotFound, Unavailable
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.shared.web import name_errors

queries = load(__file__)
FIELDS_MOST = 50  # of one item
ERRORS_MOST = 100  # wrong fields that a response names


async def post_batch(
    pool: Pool, posts: PostWriter, here: HereResolver, member: Member, actor: Actor, items: Sequence[object]
) -> bytes:
    """Return `{results:[{status, message | problem}]}`, in the order of the items."""
    drafts = [parse_item(item) for item in items]
    roles = await read_roles(pool, member, drafts)
    await record_imports(pool, actor, drafts, roles)
    online = [await find_here(here, member, draft) for draft in drafts]
    outcomes = [submit(posts, member, draft, roles, users) for draft, users in zip(drafts, online, strict=True)]
    results = [encode_result(result) for result in limit_errors([await settle(one) for one in outcomes])]
    return b'{"results":[%b]}' % b",".join(results)


def parse_item(item: object) -> AddressedDraft | ApiError:
    """Return the draft, or the error that it has."""
    if isinstance(item, dict) and len(item) > FIELDS_MOST:  # checking thousands of unknown fields takes long
        return Invalid(errors=[{"field": "body", "detail": f"at most {FIELDS_MOST} fields"}])
    try:
        return AddressedDraft.model_validate(item)
    except ValidationError as wrong:
        return Invalid(errors=name_errors(wrong))


async def read_roles(pool: Pool, member: Member, drafts: Iterable[AddressedDraft | ApiError]) -> dict[int, str]:
    """Return an admin's roles in the conversations that they import into."""
    imported = {draft.conversation for draft in drafts if isinstance(draft, AddressedDraft) and draft.is_import}
    if not imported or member.role != "admin":
        return {}
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.read_roles, [member.user_id, sorted(imported)])).fetchall()
    return {row[0]: row[1] for row in rows}


async def record_imports(
    pool: Pool, actor: Actor, drafts: Iterable[AddressedDraft | ApiError], roles: Mapping[int, str]
) -> None:
    """Record the imports in the audit log before they happen, once for each conversation."""
    counts = Counter(draft.conversation for draft in drafts if isinstance(draft, AddressedDraft) and draft.is_import)
    allowed = {id_: count for id_, count in counts.items() if roles.get(id_, "member") != "member"}
    if not allowed:
        return
    async with pool.connection() as connection:
        for id_, count in allowed.items():
            await record(connection, actor, "messages.import", conversation=id_, messages=count)


def check_import(member: Member, draft: AddressedDraft, roles: Mapping[int, str]) -> None:
    """Raise an `ApiError` unless the member is a server admin and an owner or admin of the conversation."""
    if member.role != "admin":
        raise AdminsOnly
    if draft.conversation not in roles:
        raise NotFound
    if roles[draft.conversation] == "member":
        raise Forbidden("Only an owner or an admin of this conversation may import into it.")


async def find_here(here: HereResolver, member: Member, draft: AddressedDraft | ApiError) -> frozenset[int] | None:
    """Return the members that `@here` reaches; none for imports, as it is unknown who was online then."""
    if isinstance(draft, ApiError):
        return None
    return frozenset() if draft.is_import else await here.find(draft.conversation, member.user_id, draft.body)


def submit(
    posts: PostWriter,
    member: Member,
    draft: AddressedDraft | ApiError,
    roles: Mapping[int, str],
    here: frozenset[int] | None,
) -> "asyncio.Future[Posted] | ApiError":
    """Submit the post; return its future outcome, or the error that rejects it at once."""
    if isinstance(draft, ApiError):
        return draft
    try:
        check_forward(member, draft)
        if draft.is_import:
            check_import(member, draft, roles)
        author_id = draft.author or member.user_id
        post = Post(draft.conversation, author_id, draft, draft.created_at, here, member.user_id, member.session_id)
        return posts.submit(post)
    except ApiError as error:
        return error


async def settle(one: "asyncio.Future[Posted] | ApiError") -> Posted | ApiError:
    """Return the outcome. If PostgreSQL is unavailable, return that as an error, because other posts may be stored."""
    if isinstance(one, ApiError):
        return one
    try:
        return await one
    except ApiError as error:
        return error
    except POSTGRES_AWAY:
        return Unavailable(retry_after=1)


def limit_errors(results: Sequence[Posted | ApiError]) -> Iterator[Posted | ApiError]:
    """Yield the results. Once `ERRORS_MOST` wrong fields are named, further errors are without theirs."""
    named = 0
    for result in results:
        if isinstance(result, ApiError) and result.errors:
            if named >= ERRORS_MOST:
                result.errors = None
            else:
                named += min(len(result.errors), PROBLEM_ERRORS_MOST)
        yield result


def encode_result(result: Posted | ApiError) -> bytes:
    """Return the result: status 201 for a new message, 200 for one of an earlier attempt, or the problem."""
    if isinstance(result, Posted):
        return b'{"status":%d,"message":%b}' % (201 if result.fresh else 200, result.message)
    return orjson.dumps({"status": result.status, "problem": result.to_problem()})
