"""What people do about attention, a verb each."""

from tests.cast import Person
from tests.verbs import CONVERSATIONS, Json, opens, tries


async def counts(person: Person, room: int) -> tuple[int, int]:
    """`(unread, mentions)` of the conversation, as the person sees it."""
    seen = await opens(person, room)
    return seen["unread"], seen["mentions"]


async def notices(person: Person, room: int, **patch: object) -> tuple[int, str]:
    """What the person wants to be told of."""
    return await tries(person, "PUT", f"{CONVERSATIONS}/{room}/notifications", patch)


async def blocks(person: Person, other: Person, on: bool = True) -> None:
    """The person blocks the other, or does no longer."""
    assert await tries(person, "PUT" if on else "DELETE", f"/api/users/{other.id}/block") == (204, "")


async def receipts_of(person: Person, room: int) -> dict[int, int]:
    """How far the others have read."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{room}/receipts")
    assert status == 200, said
    return {one["user"]: one["seq"] for one in said["receipts"]}


async def profiles(person: Person, **patch: object) -> Json:
    """The person changes what others see."""
    status, said = await person.call("PATCH", "/api/users/me", patch)
    assert status == 200, said
    return dict(said)
