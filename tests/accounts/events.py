"""Security events, as tests read them."""

from typing import Any

from tests.cast import Person
from tests.waiting import eventually

# Events of every log-in and of every reading of the audit log.
ROUTINE = {"login.ok", "login.failed", "account.create", "audit.read"}


async def events(admin: Person, query: str = "") -> list[dict[str, Any]]:
    """Return the rows of the audit log, the latest first."""
    status, page = await admin.call("GET", f"/api/audit?{query}")
    assert status == 200, page
    return list(page["rows"])


async def finds(admin: Person, action: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait until there are so many events of this kind; return them, the latest first."""

    async def found() -> list[dict[str, Any]] | None:
        rows = await events(admin, f"action={action}")
        return rows if len(rows) >= count else None

    rows = await eventually(found)
    assert rows is not None
    return rows
