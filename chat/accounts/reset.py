"""Giving somebody a new password from the command line: who forgot his, or came in with a chat from elsewhere."""

from collections.abc import Sequence

from chat.accounts.accounts import check_new
from chat.accounts.hasher import Hasher
from chat.accounts.sessions import end_all, lock_user
from chat.accounts.user import User, queries
from chat.log.append import Log
from chat.log.entry import Entry
from chat.shared.audit import COMMAND_LINE, record
from chat.shared.postgres import Pool
from chat.shared.problems import NotFound


async def reset_password(pool: Pool, name: str, password: str) -> None:
    """The old one, if any, is good for nothing any more, nor is any login. Raises `NotFound`, `Invalid`."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_credentials, [name])).fetchone()
    if row is None:
        raise NotFound(f"There is nobody called {name}, or the account is disabled.")
    user = User(*row[:-1])
    check_new(password, user)
    hasher = Hasher()
    stored = await hasher.hash(password)
    hasher.close()
    async with Log(pool, unannounced).change() as change:
        await lock_user(change, user.id)
        await change.connection.execute(queries.reset_password, [stored, user.id])
        await record(change.connection, COMMAND_LINE, "account.password", user.id)
        await end_all(change, COMMAND_LINE, user.id, "password")


def unannounced(epoch: str, entries: Sequence[Entry]) -> None:
    """Nodes find the logins' ends in the log within a second."""
