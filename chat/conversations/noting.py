"""Noting in the audit what those who run a conversation do, in the transaction that does it."""

from chat.log.append import Change
from chat.shared.audit import Actor, record


async def note(
    change: Change,
    actor_id: int | None,
    action: str,
    conversation_id: int,
    user_id: int | None = None,
    **detail: object,
) -> None:
    """`user_id` is to whom it was done; those who run the conversation find it by its id in the detail."""
    await record(change.connection, Actor(actor_id), action, user_id, conversation=conversation_id, **detail)
