"""Taking a seat: memberships and their entries, whose positions say from when to when a person is addressed."""

from collections.abc import Collection, Mapping

from chat.conversations.conversation import Conversation
from chat.conversations.entries import changed_role, joined, left
from chat.conversations.refusals import LooksTaken, TooManyConversations
from chat.log.append import Change
from chat.shared.problems import Invalid
from chat.shared.queries import load

queries = load(__file__)


async def check_people(
    change: Change, user_ids: list[int], conversations_most: int, *, chosen: Collection[int] = ()
) -> None:
    """Raise `Invalid` naming who does not exist, or `TooManyConversations`.

    `chosen`: who comes in by their own choice. The others' own choices are not limited by what is done to them here.
    """
    rows = await (await change.connection.execute(queries.find_people, [user_ids])).fetchall()
    found: dict[int, tuple[int, int]] = {user_id: (own, given) for user_id, own, given in rows}
    if missing := [user_id for user_id in user_ids if user_id not in found]:
        raise Invalid(errors=[{"field": "members", "detail": f"no user has the id {id_}"} for id_ in missing])
    if any(counts[user_id not in chosen] >= conversations_most for user_id, counts in found.items()):
        raise TooManyConversations


async def require_own_look(change: Change, conversation: Conversation) -> None:
    """Raise `LooksTaken` if a public channel would have a name that looks like another one's.

    Call this before the first entry is recorded, as it takes a lock.
    """
    if not conversation.public or conversation.archived:
        return
    run = change.connection.execute
    await run(queries.lock_look, [conversation.name])
    asked = {"name": conversation.name, "id": conversation.id}
    if await (await run(queries.find_lookalike, asked)).fetchone():
        raise LooksTaken


async def seat(
    change: Change, conversation: Conversation, roles: Mapping[int, str], *, chosen: Collection[int] = ()
) -> None:
    """Add them, in this order; what was said before counts as read. The conversation's row must be locked.

    `chosen`: who comes in by their own choice.
    """
    await change.connection.execute(queries.close_invitations, [conversation.id, list(roles)])
    entries = [await change.record(joined(conversation.id, user_id, role)) for user_id, role in roles.items()]
    fields = {
        "conversation": conversation.id,
        "seq": conversation.last_seq,
        "people": list(roles),
        "roles": list(roles.values()),
        "since": [entry.position for entry in entries],
        "chosen": list(chosen),
    }
    await change.connection.execute(queries.insert_memberships, fields)


async def unseat(change: Change, conversation_id: int, user_id: int) -> None:
    """The person leaves, and follows none of its threads any more."""
    entry = await change.record(left(conversation_id, user_id))
    await change.connection.execute(queries.end_membership, [entry.position, conversation_id, user_id])
    await change.connection.execute(queries.end_follows, [conversation_id, user_id])


async def reseat(change: Change, conversation_id: int, user_id: int, role: str) -> None:
    """The person gets another role."""
    await change.record(changed_role(conversation_id, user_id, role))
    await change.connection.execute(queries.change_role, [role, conversation_id, user_id])
