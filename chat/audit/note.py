"""Noting what somebody did, in the transaction that does it: there is no deed without its note, and no note without."""

from typing import Any

import orjson

from chat.log.append import Change
from chat.shared.queries import load

queries = load(__file__)


async def note(
    change: Change, actor_id: int, action: str, conversation_id: int | None, user_id: int | None = None, **detail: Any
) -> None:
    """`action` is a word such as `ban`; `user_id` is to whom it was done; `detail` what it was in particular."""
    row = [actor_id, action, conversation_id, user_id, orjson.dumps(detail).decode()]
    await change.connection.execute(queries.insert_note, row)
