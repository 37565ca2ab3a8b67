"""Setting the scene: what a change is judged by, locked until it has committed."""

from chat.conversations.conversation import Conversation
from chat.conversations.refusals import Banned, LastOwner, TooManyMembers
from chat.conversations.rights import Scene
from chat.log.append import Change
from chat.shared.problems import NotFound
from chat.shared.queries import load

queries = load(__file__)


async def set_scene(
    change: Change, conversation_id: int, actor_id: int, subject_id: int | None = None, *, admitted: bool = False
) -> Scene:
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
    scene = Scene(Conversation(*row), roles.get(actor_id), roles.get(people[1]), people[0] == people[1])
    if not admitted:
        scene.require_visible()
    if people[1] not in roles:
        raise NotFound("There is nobody with this id.")
    return scene


async def require_successor(change: Change, scene: Scene) -> None:
    """Raises `LastOwner` when the subject is the last owner of a conversation that still lives."""
    if scene.subject_role == "owner" and not scene.conversation.archived:
        _, owners = await count_members(change, scene.conversation.id)
        if owners == 1:
            raise LastOwner


async def require_welcome(change: Change, conversation_id: int, user_id: int) -> None:
    """Raises `Banned`."""
    banned = await change.connection.execute(queries.is_banned, [conversation_id, user_id])
    if await banned.fetchone() is not None:
        raise Banned


async def require_room(change: Change, scene: Scene, most: int, coming: int = 1) -> None:
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
