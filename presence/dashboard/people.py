"""The people who are here, by name, page by page: what others see of them, and on which nodes.

Few are read from what the nodes hold; of many a stretch of all names is looked through. Either way a page costs the
same however many people there are, and says where to go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chat.shared.postgres import Pool
from chat.shared.registry.reporting import Evidence, Overview
from chat.shared.sql import load
from presence.records import format_moment

queries = load(__file__)

FEW = 5_000

BATCH = 500

LOOKED_MOST = 10_000

Wanted = Literal["here", "online", "away", "dnd", "offline", "any"]


@dataclass(frozen=True, slots=True)
class Question:
    """`text`: in the name; `node`: somewhere on it, '' for wherever; `after`: from after this name; `most` of them."""

    text: str
    status: Wanted
    node: str
    after: str
    most: int

    def fits(self, status: str, nodes: Sequence[str]) -> bool:
        """Is somebody meant who is shown so, and is there?"""
        if self.node and self.node not in nodes:
            return False
        return self.status == "any" or (status != "offline" if self.status == "here" else status == self.status)


async def read_people(pool: Pool, overview: Overview, question: Question) -> dict[str, Any]:
    """`{people: […], next, looked}`; `next`: after which name to go on, null at the end; `looked`: through how many.

    Raises that Redis or PostgreSQL is away.
    """
    few = None if question.status in ("offline", "any") else await overview.held(question.node, FEW)
    found: list[dict[str, Any]] = []
    after, looked = question.after, 0
    while looked < LOOKED_MOST:
        rows = await read_names(pool, question, few, after)
        evidence = await overview.evidence([row[0] for row in rows])
        for row, known in zip(rows, evidence, strict=True):
            after, looked = row[1].lower(), looked + 1
            if question.fits(known.shown[1], places(known)):
                found.append(describe(row, known))
            if len(found) == question.most:
                return {"people": found, "next": after, "looked": looked}
        if len(rows) < BATCH:
            return {"people": found, "next": None, "looked": looked}
    return {"people": found, "next": after, "looked": looked}


async def read_names(pool: Pool, question: Question, ids: list[int] | None, after: str) -> list[Any]:
    """The next so many accounts."""
    asked = {"ids": ids, "like": like(question.text), "after": after, "most": BATCH}
    async with pool.connection() as connection:
        return await (await connection.execute(queries.find_people, asked)).fetchall()


def like(text: str) -> str:
    """A pattern that finds the text wherever it stands; nothing for no text."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return f"%{text.lower()}%" if text else ""


def places(known: Evidence) -> list[str]:
    """On which nodes he is; who looks offline to others is nowhere here either: his evidence tells, and is audited."""
    return [] if known.shown[1] == "offline" else sorted({device.node for device in known.devices})


def describe(row: Sequence[Any], known: Evidence) -> dict[str, Any]:
    """A line of the list."""
    user_id, name, display_name, role, disabled = row
    _, status, text, emoji, _, devices, last_active_at = known.shown
    return {
        "id": user_id,
        "name": name,
        "display_name": display_name,
        "role": role,
        "disabled": disabled,
        "status": status,
        "text": text,
        "emoji": emoji,
        "devices": devices,
        "nodes": places(known),
        "last_active_at": format_moment(last_active_at),
    }
