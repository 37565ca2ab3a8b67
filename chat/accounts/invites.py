"""Invites: where SIGNUP=invite, a code is what lets somebody in; it is shown once and stored hashed."""

import secrets
from dataclasses import dataclass

from chat.accounts.form import InviteForm
from chat.shared.audit import COMMAND_LINE, Actor, record
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.problems import Refusal
from chat.shared.queries import load

queries = load(__file__)


class BadInvite(Refusal):
    """This invitation is unknown, used up or expired; ask for another one."""

    status, code = 403, "bad_invite"


@dataclass(frozen=True, slots=True)
class Invite:
    """`code` is known only now."""

    code: str
    uses: int
    expires_at: str

    def to_json(self) -> dict[str, object]:
        """What the one who made it gets to see."""
        return {"invite": self.code, "uses": self.uses, "expires_at": self.expires_at}


async def make_invite(pool: Pool, form: InviteForm, actor: Actor = COMMAND_LINE) -> Invite:
    """A new invitation."""
    code = secrets.token_urlsafe(16)
    made = {"digest": hash_token(code), "uses": form.uses, "days": form.days, "user_id": actor.user_id}
    async with pool.connection() as connection, connection.transaction():
        row = await (await connection.execute(queries.insert_invite, made)).fetchone()
        await record(connection, actor, "invite.make", uses=form.uses, days=form.days)
    assert row is not None
    return Invite(code, form.uses, row[0])


async def use_invite(connection: Connection, code: str) -> None:
    """Use it once; raises `BadInvite`. It comes back when the transaction does not commit."""
    if not await (await connection.execute(queries.use_invite, [hash_token(code)])).fetchone():
        raise BadInvite
