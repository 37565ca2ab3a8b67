"""`GET` and `HEAD /api/files/{id}/{name}`: its bytes, a range of them, or a small picture of it."""

from collections.abc import AsyncIterator
from urllib.parse import quote

from aiohttp import web

from chat.files.endpoints import HEADERS, UPLOADS
from chat.files.file import File, preview_key
from chat.files.kind import UNKNOWN
from chat.files.span import Span, Unsatisfiable, parse_range
from chat.files.uploads import PREVIEWS
from chat.shared.endpoints import path_id, require_identity
from chat.shared.problems import NotFound, Refusal

PREVIEW_HEADERS = {
    "Content-Type": "image/webp",
    "Content-Disposition": "inline",
    "Cache-Control": "private, max-age=3600",
}
PREVIEW_MOST = Span(0, 8 * 1024 * 1024)


async def get_file(request: web.Request) -> web.StreamResponse:
    """Its bytes, all or a range; `?preview=small|large` for a picture's."""
    member = await require_identity(request)
    file = await request.app[UPLOADS].find_readable(member.user_id, path_id(request, "file"))
    if not file.ready or file.name != request.match_info["name"]:
        raise NotFound
    if (preview := request.query.get("preview")) is not None:
        return await send_preview(request, file, preview)
    headers = HEADERS | {"ETag": f'"{file.id}"', "Content-Disposition": disposition(file)}
    if f'"{file.id}"' in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return await send_span(request, file, headers)


async def send_span(request: web.Request, file: File, headers: dict[str, str]) -> web.StreamResponse:
    """206 for a range, 416 for one beyond the end."""
    try:
        span = find_span(request, file)
    except Unsatisfiable:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{file.size}"})
    all_of_it = Span(0, file.size)
    if span:
        headers |= {"Content-Range": f"bytes {span.start}-{span.end - 1}/{file.size}"}
    media_type = file.type if file.shown else UNKNOWN
    response = web.StreamResponse(status=206 if span else 200, headers=headers | {"Content-Type": media_type})
    body = request.app[UPLOADS].read(file, span or all_of_it)
    return await send(request, response, body, (span or all_of_it).end - (span or all_of_it).start)


def find_span(request: web.Request, file: File) -> Span | None:
    """The range that is asked for, unless it is one of another file's."""
    if request.headers.get("If-Range", f'"{file.id}"') != f'"{file.id}"':
        return None
    return parse_range(request.headers.get("Range", ""), file.size)


async def send(
    request: web.Request, response: web.StreamResponse, body: AsyncIterator[bytes], size: int
) -> web.StreamResponse:
    """The first block comes before anything is answered: a storage that is away is a refusal, not half a file."""
    response.content_length = size
    block = b"" if request.method == "HEAD" else await anext(body)
    await response.prepare(request)
    try:
        while block:
            await response.write(block)
            request.app[UPLOADS].sent += len(block)
            block = await anext(body, b"")
    except (Refusal, ConnectionError):
        # Nothing else may follow what has been sent, not even why.
        if request.transport is not None:
            request.transport.abort()
    return response


async def send_preview(request: web.Request, file: File, size: str) -> web.StreamResponse:
    """A WebP; it never changes, and is asked for often."""
    if not file.previewed or size not in PREVIEWS:
        raise NotFound
    blocks = request.app[UPLOADS].storage.read(preview_key(file.id, size), PREVIEW_MOST)
    return web.Response(body=b"".join([block async for block in blocks]), headers=HEADERS | PREVIEW_HEADERS)


def disposition(file: File) -> str:
    """Shown in place or saved, under its own name (RFC 6266): nothing in it can end the header."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in file.name)
    kind = "inline" if file.shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
