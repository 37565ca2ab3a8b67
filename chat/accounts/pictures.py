"""Avatars and custom emoji: small pictures made from those that users sent, which are not kept themselves.

Messages and reactions show a custom emoji for `:name:`. The log tells every client which there are.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import structlog
from aiohttp import web

from chat.accounts.joining import read_team
from chat.accounts.models import User, publish_profile
from chat.accounts.sessions import lock_user
from chat.accounts.validation import check_emoji_name
from chat.files.endpoints import HEADERS, UPLOADS
from chat.files.images import ImageInfo, Pictures
from chat.files.models import NoPicture
from chat.log.append import LOG, Change, Log
from chat.log.entry import Unplaced
from chat.model.types import format_time
from chat.shared.audit import Actor, record
from chat.shared.bodies import UploadBody, receive
from chat.shared.errors import ApiError, Invalid, NotFound, TooLarge
from chat.shared.http_client import UNREACHABLE, fetch_public
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load
from chat.shared.web import POOL, SETTINGS, actor_of, answer_json, check_admin, path_id, require_identity

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


# Custom emoji.

EMOJI_UPLOAD_MOST = 5 * 1024 * 1024  # bytes
# A new picture has a new address.
IMMUTABLE = "private, max-age=31536000, immutable"


class EmojiNameTaken(ApiError):
    """A custom emoji has this name. Choose another name, or remove that emoji first."""

    status, code = 409, "emoji_name_taken"


class TooManyEmoji(ApiError):
    """There are too many custom emoji. Remove one first."""

    status, code = 409, "too_many_emoji"


class EmojiByAdmins(ApiError):
    """On this server only admins add custom emoji. Ask an admin."""

    status, code = 403, "emoji_by_admins"


class NotYourEmoji(ApiError):
    """Only the user who added this emoji, or an admin, can remove it."""

    status, code = 403, "not_your_emoji"


class CustomEmoji(NamedTuple):
    """A custom emoji without its picture. `by`: the user who added it; None after their account was deleted."""

    id: int
    name: str
    by: int | None
    created_at: datetime
    animated: bool

    def to_json(self) -> dict[str, Any]:
        """Return the public fields. `still` is the picture without movement."""
        picture = f"/api/emoji/{self.id}"
        still = f"{picture}?still=1" if self.animated else picture
        return self._asdict() | {"created_at": format_time(self.created_at), "picture": picture, "still": still}


async def may_add_emoji(connection: Connection, member: Member) -> bool:
    """Return whether the member can add custom emoji, as the team's admins have set it."""
    return (member.role == "admin" and not member.withheld) or (await read_team(connection)).emoji != "admins"


async def require_new_emoji(connection: Connection, member: Member, name: str, most: int) -> None:
    """Raise `EmojiByAdmins`, `TooManyEmoji` or `EmojiNameTaken` if the member cannot add an emoji of this name now."""
    if not await may_add_emoji(connection, member):
        raise EmojiByAdmins
    row = await (await connection.execute(queries.count_emoji, {"name": name})).fetchone()
    assert row is not None
    if row[1]:
        raise EmojiNameTaken
    if row[0] >= most:
        raise TooManyEmoji


async def add_emoji(log: Log, actor: Actor, member: Member, most: int, name: str, image: ImageInfo) -> CustomEmoji:
    """Store a custom emoji and tell every client. Raise what `require_new_emoji` raises."""
    async with log.change() as change:
        await change.connection.execute(queries.lock_emoji)
        await require_new_emoji(change.connection, member, name, most)
        still = image.webps[1] if len(image.webps) > 1 else None
        emoji = await insert_emoji(change, NewEmoji(name, member.user_id, image.webps[0], still))
        await record(change.connection, actor, "emoji.add", emoji=emoji.id, name=name)
        return emoji


class NewEmoji(NamedTuple):
    """A custom emoji to be stored. `still`: the picture without movement, of one that moves."""

    name: str
    user_id: int | None
    picture: bytes
    still: bytes | None
    created_at: datetime | None = None


async def insert_emoji(change: Change, new: NewEmoji) -> CustomEmoji:
    """Store a custom emoji and tell every client."""
    row = await (await change.connection.execute(queries.insert_emoji, new._asdict())).fetchone()
    assert row is not None
    emoji = CustomEmoji(*row)
    await change.record(changed_emoji(emoji.id, emoji))
    return emoji


async def import_emoji(change: Change, most: int, new: NewEmoji) -> CustomEmoji | None:
    """Store a custom emoji of an import, as `insert_emoji` does; return None if it is here with the same picture.

    Raise `EmojiNameTaken` or `TooManyEmoji`.
    """
    await change.connection.execute(queries.lock_emoji)
    row = await (await change.connection.execute(queries.compare_emoji, new._asdict())).fetchone()
    assert row is not None
    count, same = row
    if same is None and count < most:
        return await insert_emoji(change, new)
    if same:
        return None
    raise TooManyEmoji if same is None else EmojiNameTaken


async def remove_emoji(log: Log, actor: Actor, member: Member, emoji_id: int) -> None:
    """Remove a custom emoji; what was written with it stays. Raise `NotFound` or `NotYourEmoji`."""
    async with log.change() as change:
        row = await (await change.connection.execute(queries.lock_one_emoji, [emoji_id])).fetchone()
        if row is None:
            raise NotFound
        name, owner_id = row
        if owner_id != member.user_id:
            if member.role != "admin":
                raise NotYourEmoji
            check_admin(member)
        await change.connection.execute(queries.delete_emoji, [emoji_id])
        await record(change.connection, actor, "emoji.remove", emoji=emoji_id, name=name)
        await change.record(changed_emoji(emoji_id, None))


def changed_emoji(emoji_id: int, emoji: CustomEmoji | None) -> Unplaced:
    """Build the entry that tells every client a custom emoji, or that it was removed."""
    shown = emoji.to_json() if emoji else None
    return Unplaced("emoji", data=orjson.dumps({"id": emoji_id, "emoji": shown}))


async def get_emoji(request: web.Request) -> web.Response:
    """List the custom emoji by name, and whether the caller can add one."""
    member = await require_identity(request)
    async with request.app[POOL].connection() as connection:
        rows = await connection.execute(queries.list_emoji, [request.app[SETTINGS].custom_emoji_most])
        found = [CustomEmoji(*row).to_json() for row in await rows.fetchall()]
        may_add = await may_add_emoji(connection, member)
    return answer_json({"emoji": found, "may_add": may_add, "most": request.app[SETTINGS].custom_emoji_most})


async def post_emoji(request: web.Request) -> web.Response:
    """Add a custom emoji. The body is the image, a PNG, GIF, WebP or JPEG; `name` is its name without colons.

    It is made to fit into 128 × 128 pixels. An animation has at most 100 frames.
    """
    member, settings = await require_identity(request), request.app[SETTINGS]
    try:
        name = check_emoji_name(request.query.get("name", ""))
    except ValueError as error:
        raise Invalid(errors=[{"field": "name", "detail": str(error)}]) from None
    if (request.content_length or 0) > EMOJI_UPLOAD_MOST:
        raise TooLarge(f"The picture of an emoji can have at most {EMOJI_UPLOAD_MOST // 2**20} MiB.")
    async with request.app[POOL].connection() as connection:
        await require_new_emoji(connection, member, name, settings.custom_emoji_most)
    body = receive(request, EMOJI_UPLOAD_MOST, settings.body_seconds)
    image = await request.app[UPLOADS].pictures.process("emoji", body, member.payer)
    if body.cut:
        raise body.cut
    if image is None:
        raise NoPicture
    actor, most = actor_of(request, member), settings.custom_emoji_most
    emoji = await add_emoji(request.app[LOG], actor, member, most, name, image)
    return answer_json({"emoji": emoji.to_json()}, 201)


async def get_emoji_picture(request: web.Request) -> web.Response:
    """Return the picture of a custom emoji, a WebP image. With `still=1`, it does not move."""
    await require_identity(request)
    query = queries.read_still if request.query.get("still") else queries.read_emoji
    async with request.app[POOL].connection() as connection:
        rows = await connection.execute(query, [path_id(request, "custom_emoji")], binary=True)
        row = await rows.fetchone()
    if row is None:
        raise NotFound
    headers = HEADERS | {"Content-Type": "image/webp", "Content-Disposition": "inline", "Cache-Control": IMMUTABLE}
    return web.Response(body=bytes(row[0]), headers=headers)


async def delete_emoji(request: web.Request) -> web.Response:
    """Remove a custom emoji, as the user who added it or as an admin. Messages keep its name as text."""
    member = await require_identity(request)
    emoji_id = path_id(request, "custom_emoji")
    await remove_emoji(request.app[LOG], actor_of(request, member), member, emoji_id)
    return web.Response(status=204)
