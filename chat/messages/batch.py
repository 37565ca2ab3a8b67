"""The batch post, for integrations: each message is judged on its own, and all go into few commits."""

import asyncio
from collections.abc import Sequence

import orjson
from pydantic import ValidationError

from chat.messages.draft import AddressedDraft
from chat.messages.post import Post, Posted, Posts
from chat.shared.endpoints import name_errors
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.problems import Invalid, Refusal, Unavailable


async def post_batch(posts: Posts, author_id: int, items: Sequence[object]) -> bytes:
    """`{results:[{status, message | problem}]}`, in the order of the items."""
    tries = [submit(posts, author_id, item) for item in items]
    results = [encode_result(await settle(one)) for one in tries]
    return b'{"results":[%b]}' % b",".join(results)


def submit(posts: Posts, author_id: int, item: object) -> "asyncio.Future[Posted] | Refusal":
    """On its way, or refused at once."""
    try:
        draft = AddressedDraft.model_validate(item)
        return posts.submit(Post(draft.conversation, author_id, draft))
    except ValidationError as wrong:
        return Invalid(errors=name_errors(wrong))
    except Refusal as refusal:
        return refusal


async def settle(one: "asyncio.Future[Posted] | Refusal") -> Posted | Refusal:
    """What became of it; that PostgreSQL is away is a refusal too, for its neighbours may be stored."""
    if isinstance(one, Refusal):
        return one
    try:
        return await one
    except Refusal as refusal:
        return refusal
    except POSTGRES_AWAY:
        return Unavailable(retry_after=1)


def encode_result(result: Posted | Refusal) -> bytes:
    """201 for a new message, 200 for one that an earlier try has made, or the problem with its status."""
    if isinstance(result, Posted):
        return b'{"status":%d,"message":%b}' % (201 if result.fresh else 200, result.message)
    return orjson.dumps({"status": result.status, "problem": result.to_problem()})
