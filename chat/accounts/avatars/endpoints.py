"""`/api/users/me/avatar` and `/api/avatars/{avatar}`."""

from aiohttp import web

from chat.accounts.avatars.avatar import read_avatar, remove_avatar, set_avatar
from chat.files.endpoints import HEADERS, UPLOADS
from chat.log.endpoints import LOG
from chat.shared.bodies import receive
from chat.shared.endpoints import POOL, SETTINGS, answer_json, path_id, require_changer, require_identity
from chat.shared.problems import TooLarge

AVATAR_MOST = 10 * 1024 * 1024
# Another picture has another address.
FOR_EVER = "private, max-age=31536000, immutable"


async def put_avatar(request: web.Request) -> web.Response:
    """The body is the picture."""
    member = await require_changer(request)
    if (request.content_length or 0) > AVATAR_MOST:
        raise TooLarge(f"A picture of oneself may have at most {AVATAR_MOST // 2**20} MiB.")
    settings, pictures = request.app[SETTINGS], request.app[UPLOADS].pictures
    body = receive(request, AVATAR_MOST, settings.body_seconds)
    user = await set_avatar(request.app[LOG], settings.directory, pictures, member.user_id, body)
    return answer_json(user.to_json())


async def delete_avatar(request: web.Request) -> web.Response:
    """Initials again."""
    member = await require_changer(request)
    user = await remove_avatar(request.app[LOG], request.app[SETTINGS].directory, member.user_id)
    return answer_json(user.to_json())


async def get_avatar(request: web.Request) -> web.Response:
    """A square WebP, for everybody who is logged in."""
    await require_identity(request)
    picture = await read_avatar(request.app[POOL], path_id(request, "avatar"))
    headers = HEADERS | {"Content-Type": "image/webp", "Content-Disposition": "inline", "Cache-Control": FOR_EVER}
    return web.Response(body=picture, headers=headers)
