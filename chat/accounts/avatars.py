"""Avatars: a small square made from the picture that a user sent. The picture itself is not kept."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import structlog

from chat.accounts.models import User, publish_profile
from chat.accounts.sessions import lock_user
from chat.files.images import Pictures
from chat.files.models import NoPicture
from chat.log.append import Change, Log
from chat.shared.bodies import UploadBody
from chat.shared.errors import ApiError, NotFound
from chat.shared.http_client import UNREACHABLE, fetch_public
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.sql import load

queries = load(__file__)
log = structlog.get_logger(__name__)
PICTURE_MOST = 5 * 1024 * 1024  # bytes of a picture at another server
FAILURES: tuple[type[Exception], ...] = (*UNREACHABLE, *UNAVAILABLE, ApiError)
WAITING_MOST = 1_000  # users whose pictures wait to be fetched


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


class RemotePictures:
    """Fetches the pictures of new users of other systems, one after the other. `run` is the background task.

    The URL comes from a token: only public addresses are asked, and what they answer is decoded in the sandbox.
    `allowed` and `tls`: addresses and certificates for tests.
    """

    def __init__(self, journal: Log, directory: str, pictures: Pictures) -> None:
        self._log, self._directory, self._pictures = journal, directory, pictures
        self._waiting: asyncio.Queue[tuple[int, str]] = asyncio.Queue(WAITING_MOST)
        self.allowed: frozenset[str] = frozenset()
        self.tls: ssl.SSLContext | None = None
        self.fetched = self.failed = 0

    def want(self, user_id: int, url: str) -> None:
        """Fetch the user's picture soon; never if too many wait already."""
        if url and not self._waiting.full():
            self._waiting.put_nowait((user_id, url))

    async def run(self) -> None:
        """Fetch what is wanted, forever."""
        while True:
            user_id, url = await self._waiting.get()
            try:
                await self._fetch(user_id, url)
                self.fetched += 1
            except FAILURES as error:
                self.failed += 1
                log.info("picture of a new user not fetched", user=user_id, error=repr(error))

    async def _fetch(self, user_id: int, url: str) -> None:
        """Store the picture, unless the user has one by now. Raise what cannot be fetched or shown."""
        picture = await fetch_public(url, PICTURE_MOST, self.allowed, self.tls)
        image = await self._pictures.process("avatar", in_one_piece(picture), user_id)
        if image is None:
            raise NoPicture
        async with self._log.change() as change:
            if (await lock_user(change, user_id)).user.avatar_id is None:
                await store_avatar(change, self._directory, user_id, image.webps[0])


async def in_one_piece(body: bytes) -> AsyncIterator[bytes]:
    """Yield the bytes at once."""
    yield body
