"""Deleting an account. `begin_erasure` takes it away at once; `chat.erasure.steps` removes the rest.

In one transaction the name becomes "Deleted user", the profile and all sessions end, conversations get another owner,
and the log tells every node. Messages stay, or are emptied like deleted ones; they are never given to someone else.
"""

from typing import Literal, NamedTuple

from chat.accounts.admin import LastAdmin, lock_standing
from chat.accounts.models import User
from chat.accounts.second_factors import remove_all
from chat.accounts.sessions import end_all
from chat.conversations.noting import note
from chat.conversations.seating import reseat
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.shared.audit import Actor, record
from chat.shared.problems import NotFound, Refusal
from chat.shared.queries import load

queries = load(__file__)

Messages = Literal["keep", "erase"]

NAMED_MOST = 10


class OnlyOwner(Refusal):
    """You are the only owner of conversations with other members. Make someone else an owner or admin there first."""

    status, code = 409, "only_owner"


class Owned(NamedTuple):
    """A conversation with no other owner. `admin`, `member`: who has been there longest, as such and as anything."""

    id: int
    kind: str
    name: str
    others: int
    admin: int | None
    member: int | None


async def begin_erasure(log: Log, actor: Actor, user_id: int, messages: Messages, *, force: bool = False) -> list[int]:
    """Delete the account and return the sessions that ended; the steps that remain are stored.

    Raise `NotFound`; `LastAdmin`; `OnlyOwner`, which names the conversations. `force` deletes the last admin too, and
    hands conversations without an admin to the member who has been there longest.
    """
    async with log.change() as change:
        standing = await lock_standing(change, user_id)
        if standing.last_admin and not force:
            raise LastAdmin
        rows = await (await change.connection.execute(queries.find_owned, {"user": user_id})).fetchall()
        owned = [Owned(*row) for row in rows]
        check_heirs(owned, force=force)
        user = await forget_user(change, user_id)
        await hand_over(change, actor, owned)
        ended = await end_all(change, actor, user_id, "deleted")
        await record(change.connection, actor, "account.delete", user_id, messages=messages)
        entry = await change.record(Unplaced("user", subject=user_id, data=user.encode()))
        await change.connection.execute(queries.insert_erasure, [user_id, messages, entry.position])
        return ended


def check_heirs(owned: list[Owned], *, force: bool) -> None:
    """Raise `OnlyOwner` where nobody is there to become the owner."""
    stuck = [one for one in owned if one.others and one.admin is None and not force]
    if stuck:
        named = ", ".join(f"{one.name or one.kind} ({one.id})" for one in stuck[:NAMED_MOST])
        more = f" and {len(stuck) - NAMED_MOST} more" if len(stuck) > NAMED_MOST else ""
        raise OnlyOwner(errors=[{"field": "conversations", "detail": named + more}])


async def forget_user(change: Change, user_id: int) -> User:
    """Remove what tells who the user was; return the user as they are shown from now on. Raise `NotFound`."""
    run = change.connection.execute
    row = await (await run(queries.forget_user, [user_id])).fetchone()
    if row is None:
        raise NotFound
    await run(queries.drop_avatars, [user_id])
    await run(queries.drop_resets, [user_id])
    await run(queries.drop_factors, {"user": user_id})
    await remove_all(change.connection, user_id)
    return User(*row)


async def hand_over(change: Change, actor: Actor, owned: list[Owned]) -> None:
    """Give each conversation to its longest-standing admin or member; archive those without other members."""
    await change.connection.execute(queries.archive, [[one.id for one in owned if not one.others]])
    for one in owned:
        if heir := one.admin or one.member:
            await note(change, actor.user_id, "member.role", one.id, heir, role="owner")
            await reseat(change, one.id, heir, "owner")
