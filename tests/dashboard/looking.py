"""Requests of an admin, one verb each."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from tests.cast import Person
from tests.operations.answers import ANSWERS
from tests.waiting import eventually

Json = dict[str, Any]
FIGURES = ("people", "online", "away", "dnd", "streams", "sockets")


async def asks(admin: Person, path: str, **query: object) -> Json:
    """Make a request, whose answer matches its description."""
    status, answer = await admin.call("GET", f"/api/presence/{path}?{urlencode(query)}")
    assert status == 200, answer
    ANSWERS[f"get_{path.partition('/')[0]}"].model_validate(answer)
    return dict(answer)


async def counts(admin: Person, **wanted: int) -> None:
    """Wait until the figures are these, and all others are 0."""
    await tells(admin, **dict.fromkeys(FIGURES, 0) | wanted)


async def tells(admin: Person, **wanted: int) -> None:
    """Wait until these figures have these values."""

    async def seen() -> Json:
        answer = await asks(admin, "stats")
        return {name: answer[name] for name in wanted}

    async def exact() -> bool:
        return await seen() == wanted

    try:
        await eventually(exact)
    except AssertionError:
        assert await seen() == wanted


async def finds(admin: Person, **query: object) -> Sequence[str]:
    """Return the names of online users."""
    return [one["name"] for one in (await asks(admin, "people", **query))["people"]]


async def audited(admin: Person, query: str = "") -> list[tuple[str, int | None, Any]]:
    """Return `(action, subject, detail)`, the latest first."""
    status, page = await admin.call("GET", f"/api/audit?{query}")
    assert status == 200, page
    ANSWERS["get_audit"].model_validate(page)
    return [(row["action"], row["subject"], row["detail"]) for row in page["rows"]]
