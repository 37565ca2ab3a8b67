"""Setting the scene: what a change is judged by, locked until it has committed."""

from collections.abc import Collection, Mapping

from chat.conversations.permissions import Access
from chat.log.append import Change
from chat.model.conversation import Conversation
from chat.model.errors import Banned, LastOwner, LooksTaken, TooManyConversations, TooManyMembers
from chat.model.events import changed_role, joined, left
from chat.shared.audit import Actor, record
from chat.shared.errors import Invalid, NotFound
from chat.shared.sql import load

queries = load(__file__)


async def lock_access(
    change: Change, conversation_id: int, actor_id: int, subject_id: int | None = None, *, admitted: bool = False
) -> Access:
    """Lock the conversation and see who has which role; raises `NotFound` where nothing is to be seen.

    `admitted`: the actor has been let in, though he may see nothing yet.
    """
    run = change.connection.execute
    people = [actor_id, actor_id if subject_id is None else subject_id]
    locked = await run(queries.lock_conversation, [conversation_id])
    seats = await run(queries.find_seats, [conversation_id, people])
    row = await locked.fetchone()
    roles: dict[int, str | None] = dict(await seats.fetchall())
    if row is None:
        raise NotFound
    scene = Access(Conversation(*row), roles.get(actor_id), roles.get(people[1]), people[0] == people[1])
    if not admitted:
        scene.require_visible()
    if people[1] not in roles:
        raise NotFound("There is nobody with this id.")
    return scene


async def require_other_owner(change: Change, scene: Access) -> None:
    """Raises `LastOwner` when the subject is the last owner of a conversation that still lives."""
    if scene.subject_role == "owner" and not scene.conversation.archived:
        _, owners = await count_members(change, scene.conversation.id)
        if owners == 1:
            raise LastOwner


async def require_not_banned(change: Change, conversation_id: int, user_id: int) -> None:
    """Raises `Banned`."""
    banned = await change.connection.execute(queries.is_banned, [conversation_id, user_id])
    if await banned.fetchone() is not None:
        raise Banned


async def require_capacity(change: Change, scene: Access, most: int, coming: int = 1) -> None:
    """Raises `TooManyMembers` when a group would be larger than `most`."""
    if scene.conversation.kind == "group":
        members, _ = await count_members(change, scene.conversation.id)
        if members + coming > most:
            raise TooManyMembers


async def count_members(change: Change, conversation_id: int) -> tuple[int, int]:
    """How many members there are, and how many of them are owners."""
    row = await (await change.connection.execute(queries.count_members, [conversation_id])).fetchone()
    assert row is not None
    return row[0], row[1]


# Taking a seat: memberships and their entries, whose positions say from when to when a person is addressed.


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


async def add_members(
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


async def end_membership(change: Change, conversation_id: int, user_id: int) -> None:
    """The person leaves, and follows none of its threads any more."""
    entry = await change.record(left(conversation_id, user_id))
    await change.connection.execute(queries.end_membership, [entry.position, conversation_id, user_id])
    await change.connection.execute(queries.end_follows, [conversation_id, user_id])


async def change_role(change: Change, conversation_id: int, user_id: int, role: str) -> None:
    """The person gets another role."""
    await change.record(changed_role(conversation_id, user_id, role))
    await change.connection.execute(queries.change_role, [role, conversation_id, user_id])


# Noting in the audit what those who run a conversation do, in the transaction that does it.


async def audit(
    change: Change,
    actor_id: int | None,
    action: str,
    conversation_id: int,
    user_id: int | None = None,
    **detail: object,
) -> None:
    """`user_id` is to whom it was done; those who run the conversation find it by its id in the detail."""
    await record(change.connection, Actor(actor_id), action, user_id, conversation=conversation_id, **detail)
