"""Avatars: a small square made from the picture that a user sent. The picture itself is not kept."""

from chat.accounts.models import User, publish_profile
from chat.accounts.sessions import lock_user
from chat.files.images import Pictures
from chat.files.models import NoPicture
from chat.log.append import Change, Log
from chat.shared.bodies import UploadBody
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)


async def set_avatar(log: Log, directory: str, pictures: Pictures, user_id: int, body: UploadBody) -> User:
    """Set the user's picture, and return the user with it. `directory` is the setting.

    Raise `NoPicture`, `TooManyPixels`, `TooLarge`, or the reason why the body was cut.
    """
    image = await pictures.process("avatar", body, user_id)
    if body.cut:
        raise body.cut
    if image is None:
        raise NoPicture
    async with log.change() as change:
        return await store_avatar(change, directory, user_id, image.webps[0])


async def remove_avatar(log: Log, directory: str, user_id: int) -> User:
    """Remove the user's picture, and return the user without it."""
    async with log.change() as change:
        return await store_avatar(change, directory, user_id, None)


async def store_avatar(change: Change, directory: str, user_id: int, picture: bytes | None) -> User:
    """Replace the picture and publish the profile, if anything changes."""
    run = change.connection.execute
    old = (await lock_user(change, user_id)).user
    if picture is None and old.avatar_id is None:
        return old
    avatar_id = None
    if picture is not None:
        made = await (await run(queries.insert_avatar, [user_id, picture])).fetchone()
        assert made is not None
        avatar_id = made[0]
    await run(queries.set_avatar, [avatar_id, user_id])
    await run(queries.delete_others, [user_id, avatar_id])
    new = old.with_avatar(avatar_id)
    await publish_profile(change, new, directory)
    return new


async def read_avatar(pool: Pool, avatar_id: int) -> bytes:
    """Return a WebP image; raise `NotFound`, also for a user's earlier picture."""
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.read_avatar, [avatar_id], binary=True)).fetchone()
    if row is None:
        raise NotFound
    return bytes(row[0])
