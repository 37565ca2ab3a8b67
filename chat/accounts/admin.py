"""Disabling: an account that nobody can log in to; its messages stay. Enabling reverses it."""

from typing import Annotated

from pydantic import Field

from chat.accounts.form import Form
from chat.accounts.oversight.standing import LastAdmin, lock_standing
from chat.accounts.sessions import end_all
from chat.log.append import Log
from chat.shared.audit import Actor, record
from chat.shared.problems import Forbidden
from chat.shared.queries import load

queries = load(__file__)


class NotYourself(Forbidden):
    """You cannot disable your own account. Ask another admin."""

    code = "not_yourself"


class Disabling(Form):
    """Whether the account is to be disabled."""

    disabled: Annotated[bool, Field(strict=True)]


async def set_disabled(log: Log, actor: Actor, user_id: int, disabled: bool, *, force: bool = False) -> list[int]:
    """Disable an account and end its sessions (return which), or enable it.

    Raise `NotFound`, `NotYourself`, or `LastAdmin` unless `force`. Repeating it changes nothing and is not recorded.
    """
    if user_id == actor.user_id:
        raise NotYourself
    async with log.change() as change:
        standing = await lock_standing(change, user_id)
        if disabled and standing.last_admin and not force:
            raise LastAdmin
        wanted = {"user_id": user_id, "disabled": disabled}
        changed = await (await change.connection.execute(queries.set_disabled, wanted)).fetchone()
        if changed:
            await record(change.connection, actor, "account.disable" if disabled else "account.enable", user_id)
        return await end_all(change, actor, user_id, "disabled") if disabled else []
