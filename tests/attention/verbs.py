"""Actions of users on counts, settings, blocks and profiles, one verb each."""

from tests.cast import Person
from tests.verbs import CONVERSATIONS, Json, opens, tries


async def counts(person: Person, room: int) -> tuple[int, int]:
    """Return `(unread, mentions)` of the conversation, as the user sees it."""
    seen = await opens(person, room)
    return seen["unread"], seen["mentions"]


async def notices(person: Person, room: int, **patch: object) -> tuple[int, str]:
    """Change the user's notification settings."""
    return await tries(person, "PUT", f"{CONVERSATIONS}/{room}/notifications", patch)


async def blocks(person: Person, other: Person, on: bool = True) -> None:
    """Block the other user, or unblock."""
    assert await tries(person, "PUT" if on else "DELETE", f"/api/users/{other.id}/block") == (204, "")


async def receipts_of(person: Person, room: int) -> dict[int, int]:
    """Return how far the others have read."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{room}/receipts")
    assert status == 200, said
    return {one["user"]: one["seq"] for one in said["receipts"]}


async def profiles(person: Person, **patch: object) -> Json:
    """Change the user's profile."""
    status, said = await person.call("PATCH", "/api/users/me", patch)
    assert status == 200, said
    return dict(said)
