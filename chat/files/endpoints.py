"""`/api/files`: send one at once, or in pieces that outlive a cut (the core of tus 1.0, its creation and its
termination)."""

from base64 import b64decode
from collections.abc import AsyncIterator
from urllib.parse import quote

from aiohttp import web

from chat.files.models import (
    UNKNOWN,
    EmptyFile,
    File,
    LengthRequired,
    NoFileSent,
    Span,
    Unsatisfiable,
    parse_range,
    preview_key,
)
from chat.files.uploads import PREVIEWS, Uploads
from chat.shared.bodies import FormBody, UploadBody, receive
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.multipart import OVERHEAD_MOST
from chat.shared.web import RATES, SETTINGS, answer_json, path_id, require_identity

UPLOADS = web.AppKey("uploads", Uploads)
TUS = {"Tus-Resumable": "1.0.0"}
SHORT_COST = 10  # pieces of the usual size; the bytes before a short one may be copied again

# Opened by itself it is a page of its own, which can do nothing.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
}


async def post_file(request: web.Request) -> web.Response:
    """All at once, raw or as a form; or, with Upload-Length, only its beginning: the pieces follow."""
    member = await require_identity(request)
    if "Upload-Length" in request.headers:
        return await begin_upload(request, member.user_id)
    if request.content_length is None:
        raise LengthRequired
    if request.content_type.startswith("multipart/"):
        file = await take_form(request, member.user_id, request.content_length)
    else:
        file = await take_raw(request, member.user_id, request.content_length)
    return answer_file(file, 201)


async def begin_upload(request: web.Request, owner_id: int) -> web.Response:
    """Room for it, and where the pieces go."""
    length = request.headers["Upload-Length"]
    if not (length.isascii() and length.isdigit() and len(length) < 17):
        raise Invalid(errors=[{"field": "Upload-Length", "detail": "a number of bytes"}])
    name = parse_metadata(request.headers.get("Upload-Metadata", "")).get("filename", "")
    file = await request.app[UPLOADS].begin(owner_id, name, int(length))
    return answer_file(file, 201, TUS | {"Upload-Offset": "0", "Location": f"/api/files/{file.id}"})


def parse_metadata(text: str) -> dict[str, str]:
    """`filename d29ybGQ=,other` → what each stands for, out of base64; raises `Invalid`."""
    pairs = [pair.strip().partition(" ") for pair in text.split(",") if pair.strip()]
    try:
        return {key: b64decode(value, validate=True).decode() for key, _, value in pairs}
    except ValueError:
        raise Invalid(errors=[{"field": "Upload-Metadata", "detail": "pairs of a key and a base64 value"}]) from None


async def take_raw(request: web.Request, owner_id: int, length: int) -> File:
    """The body is the file, `?name=` its name."""
    file = await request.app[UPLOADS].begin(owner_id, request.query.get("name", ""), length)
    return await take_at_once(request, file, receive(request, length, request.app[SETTINGS].body_seconds))


async def take_form(request: web.Request, owner_id: int, length: int) -> File:
    """Store the first file in the form; its size is known at its end."""
    settings = request.app[SETTINGS]
    most = min(length, settings.max_file_bytes) if length <= settings.max_file_bytes + OVERHEAD_MOST else length
    form = FormBody(request, length, settings.body_seconds)
    name = await form.find_file()
    if name is None:
        raise NoFileSent
    file = await request.app[UPLOADS].begin(owner_id, name, most)
    return await take_at_once(request, file, UploadBody(form.content(), most, settings.body_seconds), settle=True)


async def take_at_once(request: web.Request, file: File, body: UploadBody, settle: bool = False) -> File:
    """Store all of the file or nothing: an upload that fails, however it fails, gives its quota back at once."""
    uploads, stored = request.app[UPLOADS], None
    try:
        await uploads.receive(file, 0, body)
        if body.cut:
            raise body.cut
        if not body.size:
            raise EmptyFile
        if settle:
            await uploads.settle(file)
        stored = await uploads.finish(file.owner_id, file.id)
        return stored
    finally:
        if stored is None:
            await forget(uploads, file)


async def forget(uploads: Uploads, file: File) -> None:
    """What was refused takes no room."""
    try:
        await uploads.cancel(file.owner_id, file.id)
    except NotFound:
        return


async def head_upload(request: web.Request) -> web.Response:
    """Where the upload stands."""
    member = await require_identity(request)
    file = await request.app[UPLOADS].find(member.user_id, path_id(request, "file"))
    return web.Response(headers=TUS | stand_of(file))


def stand_of(file: File) -> dict[str, str]:
    """How much is there, of how much."""
    return {"Upload-Offset": str(file.received), "Upload-Length": str(file.size), "Cache-Control": "no-store"}


async def patch_upload(request: web.Request) -> web.Response:
    """One more piece, at the offset where the upload stands; after the last one it is looked at."""
    member = await require_identity(request)
    uploads = request.app[UPLOADS]
    file = await uploads.find(member.user_id, path_id(request, "file"))
    body = receive(request, file.size - file.received, request.app[SETTINGS].body_seconds)
    offset = await uploads.receive(file, parse_offset(request), body)
    if body.cut:
        raise body.cut
    if uploads.is_short(file, body):
        request.app[RATES].piece.charge(member.user_id, SHORT_COST - 1)
    if offset == file.size:
        await uploads.finish(member.user_id, file.id)
    return web.Response(status=204, headers=TUS | {"Upload-Offset": str(offset)})


def parse_offset(request: web.Request) -> int:
    """Where the piece begins; raises `Invalid`."""
    text = request.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise Invalid(errors=[{"field": "Upload-Offset", "detail": "a number of bytes"}])
    return int(text)


async def get_upload(request: web.Request) -> web.Response:
    """What is known of it: `type`, `width` and so on when it is whole; for those who may read it."""
    member = await require_identity(request)
    return answer_file(await request.app[UPLOADS].find_readable(member.user_id, path_id(request, "file")))


async def delete_upload(request: web.Request) -> web.Response:
    """Give it up, before it is in a message."""
    member = await require_identity(request)
    await request.app[UPLOADS].cancel(member.user_id, path_id(request, "file"))
    return web.Response(status=204, headers=TUS)


def answer_file(file: File, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """`ready`: it can be posted."""
    return answer_json({"file": file.to_json(), "ready": file.ready}, status, headers)


# `GET` and `HEAD /api/files/{id}/{name}`: its bytes, a range of them, or a small picture of it.

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
    except (ApiError, ConnectionError):
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
