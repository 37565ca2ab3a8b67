"""Disabling: an account nobody can use, without a login left; what it said stays. Enabling takes that back."""

from typing import Annotated

from pydantic import Field

from chat.accounts.form import Form
from chat.accounts.sessions import end_all
from chat.accounts.user import queries
from chat.log.append import Log
from chat.shared.audit import Actor, record
from chat.shared.problems import Forbidden, NotFound


class NotYourself(Forbidden):
    """Nobody disables his own account: there might be no admin left to enable it."""

    code = "not_yourself"


class Disabling(Form):
    """What the account shall be."""

    disabled: Annotated[bool, Field(strict=True)]


async def set_disabled(log: Log, actor: Actor, user_id: int, disabled: bool) -> list[int]:
    """Disable an account and end its logins (which), or enable it. Raises `NotFound` or `NotYourself`.

    Saying it again changes nothing, and is not written down.
    """
    if user_id == actor.user_id:
        raise NotYourself
    async with log.change() as change:
        if not await (await change.connection.execute(queries.lock_user, [user_id])).fetchone():
            raise NotFound
        wanted = {"user_id": user_id, "disabled": disabled}
        changed = await (await change.connection.execute(queries.set_disabled, wanted)).fetchone()
        if changed:
            await record(change.connection, actor, "account.disable" if disabled else "account.enable", user_id)
        return await end_all(change, actor, user_id, "disabled") if disabled else []
