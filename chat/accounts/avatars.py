"""An avatar: a small square, made from the picture that somebody sent; the picture itself is not kept."""

from chat.accounts.models import Me, User, tell_change
from chat.accounts.sessions import queries as sessions_queries
from chat.files.images import Pictures
from chat.files.models import NoPicture
from chat.log.append import Change, Log
from chat.shared.bodies import UploadBody
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)


async def set_avatar(log: Log, directory: str, pictures: Pictures, user_id: int, body: UploadBody) -> User:
    """Show this picture from now on, everywhere; return the user as they are then. `directory` is the setting.

    Raises `NoPicture`, `TooManyPixels`, `TooLarge`, or why the body was cut.
    """
    look = await pictures.look("avatar", body, user_id)
    if body.cut:
        raise body.cut
    if look is None:
        raise NoPicture
    async with log.change() as change:
        return await show(change, directory, user_id, look.webps[0])


async def remove_avatar(log: Log, directory: str, user_id: int) -> User:
    """Show initials again; return the user as they are then."""
    async with log.change() as change:
        return await show(change, directory, user_id, None)


async def show(change: Change, directory: str, user_id: int, picture: bytes | None) -> User:
    """The one before goes; everybody hears of it, if anything changes."""
    run = change.connection.execute
    row = await (await run(sessions_queries.lock_user, [user_id])).fetchone()
    assert row is not None
    old = Me(User(*row[:-1]), row[-1]).user
    if picture is None and old.avatar_id is None:
        return old
    avatar_id = None
    if picture is not None:
        made = await (await run(queries.insert_avatar, [user_id, picture])).fetchone()
        assert made is not None
        avatar_id = made[0]
    await run(queries.set_avatar, [avatar_id, user_id])
    await run(queries.drop_others, [user_id, avatar_id])
    new = old.with_avatar(avatar_id)
    await tell_change(change, new, directory)
    return new


async def read_avatar(pool: Pool, avatar_id: int) -> bytes:
    """A WebP; raises `NotFound`, also for one that somebody had before."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_avatar, [avatar_id], binary=True)).fetchone()
    if row is None:
        raise NotFound
    return bytes(row[0])
