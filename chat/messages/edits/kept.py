"""What stood in a message before: kept for those who run the conversation, so not at all where nobody does."""

from dataclasses import dataclass
from datetime import datetime

from chat.conversations.permissions import RANKS, Scene
from chat.log.append import Change
from chat.messages.message import format_time
from chat.shared.identity import Member
from chat.shared.membership import Membership, require_member
from chat.shared.postgres import Pool
from chat.shared.problems import Forbidden, NotFound
from chat.shared.queries import load

queries = load(__file__)

PAGE = 50


@dataclass(frozen=True, slots=True)
class Edit:
    """`body` stood there until `at`, when `user` replaced or deleted it; numbered from 1, the oldest."""

    number: int
    body: str
    user: int
    at: datetime

    def to_json(self) -> dict[str, object]:
        """For `orjson.dumps`."""
        return {"number": self.number, "body": self.body, "user": self.user, "at": format_time(self.at)}


async def keep_body(change: Change, scene: Scene, actor_id: int, seq: int) -> None:
    """Before it is replaced. A direct conversation has no admins: what its two people take back is gone."""
    if scene.conversation.kind != "direct":
        kept = [actor_id, await change.now(), scene.conversation.id, seq]
        await change.connection.execute(queries.keep_body, kept)


async def list_edits(pool: Pool, member: Member, conversation_id: int, seq: int, before: int) -> list[Edit]:
    """The latest below number `before` first: a page, and one more if there are more.

    Raises `NotFound` for everybody who is not in the conversation, `Forbidden` for members who do not run it.
    """
    judge_reading(member, await require_member(pool, member.user_id, conversation_id))
    async with pool.connection() as connection:
        there = await (await connection.execute(queries.has_message, [conversation_id, seq])).fetchone()
        rows = await connection.execute(queries.list_edits, [conversation_id, seq, before, PAGE + 1])
        if there is None:
            raise NotFound
        return [Edit(*row) for row in await rows.fetchall()]


def judge_reading(member: Member, seat: Membership) -> None:
    """Owners and admins of the conversation, and admins of the server who are in it."""
    if seat.kind == "direct" or (RANKS[seat.role] < RANKS["admin"] and member.role != "admin"):
        raise Forbidden("Only those who run this conversation may see what stood there before.")
