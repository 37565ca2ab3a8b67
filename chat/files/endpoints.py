"""Handlers of `/api/files`: upload a file at once or in resumable pieces (tus 1.0: core, creation, termination).

The choices that the standard leaves are in deploy/decisions/0086-tus.md.
"""

from base64 import b64decode
from collections.abc import AsyncIterator
from urllib.parse import quote

from aiohttp import web

from chat.files.models import (
    TUS_VERSION,
    UNKNOWN,
    EmptyFile,
    File,
    LengthRequired,
    NoFileSent,
    NotPiece,
    OtherTusVersion,
    Span,
    Unsatisfiable,
    parse_range,
    preview_key,
)
from chat.files.uploads import PREVIEWS, Uploads
from chat.shared.bodies import FormBody, UploadBody, receive
from chat.shared.errors import ApiError, Invalid, NotAllowed, NotFound
from chat.shared.identity import Member
from chat.shared.multipart import OVERHEAD_MOST
from chat.shared.web import RATES, SETTINGS, answer_json, check_admin, path_id, require_identity, scheme_of

UPLOADS = web.AppKey("uploads", Uploads)
PREFIX = "/api/files"
TUS_EXTENSIONS = "creation,termination"
FOR_IMPORT = b"import"  # the metadata `purpose` of a file for `POST /api/imports`
PIECE_TYPE = "application/offset+octet-stream"
METADATA_MOST = 4096  # characters of Upload-Metadata, which HEAD returns as it was sent
SHORT_COST = 10  # pieces of the usual size, because the bytes before a short piece may be copied again

# A file that is opened directly is a page with no rights.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
}


async def identify(request: web.Request) -> Member:
    """Return the caller; raise `OtherTusVersion` if they speak another version of tus."""
    if request.headers.get("Tus-Resumable", TUS_VERSION) != TUS_VERSION:
        raise OtherTusVersion
    return await require_identity(request)


async def add_tus_version(request: web.Request, response: web.StreamResponse) -> None:
    """Add Tus-Resumable to the answers to uploads, errors included."""
    if request.path.startswith(PREFIX) and request.method != "GET":
        response.headers["Tus-Resumable"] = TUS_VERSION


async def options_files(request: web.Request) -> web.Response:
    """Return the versions and extensions of tus, and the largest size of a file, as headers."""
    await require_identity(request)
    most = str(request.app[SETTINGS].max_file_bytes)
    headers = {"Tus-Version": TUS_VERSION, "Tus-Extension": TUS_EXTENSIONS, "Tus-Max-Size": most}
    return web.Response(status=204, headers=headers)


async def post_file(request: web.Request) -> web.Response:
    """Upload a file, raw or as a form. With Upload-Length, start an upload whose pieces follow by PATCH.

    The value `import` of `purpose` in Upload-Metadata marks a file that an admin imports. It has a limit of its own,
    and is removed a day after its last use.
    """
    member = await identify(request)
    if "Upload-Length" in request.headers:
        return await start_upload(request, member)
    if request.content_length is None:
        raise LengthRequired
    if request.content_type.startswith("multipart/"):
        file = await receive_form(request, member.user_id, request.content_length)
    else:
        file = await receive_raw(request, member.user_id, request.content_length)
    return file_response(file, 201)


async def start_upload(request: web.Request, member: Member) -> web.Response:
    """Create the upload and return the address for its pieces. An upload for an import needs an admin."""
    length = request.headers["Upload-Length"]
    if not (length.isascii() and length.isdigit() and len(length) < 17):
        raise Invalid(errors=[{"field": "Upload-Length", "detail": "a number of bytes"}])
    metadata = request.headers.get("Upload-Metadata", "")
    for_import = parse_metadata(metadata).get("purpose") == FOR_IMPORT
    if for_import:
        check_admin(member)
    name = find_name(metadata)
    file = await request.app[UPLOADS].begin(member.user_id, name, int(length), metadata, for_import=for_import)
    # Some tus clients resolve no relative address; all others keep what they had.
    site = f"{scheme_of(request)}://{request.host}" if "Tus-Resumable" in request.headers else ""
    return file_response(file, 201, {"Upload-Offset": "0", "Location": f"{site}{PREFIX}/{file.id}"})


def find_name(metadata: str) -> str:
    """Return the file's name in the metadata, "" if it has none; raise `Invalid` if it is not UTF-8."""
    try:
        return parse_metadata(metadata).get("filename", b"").decode()
    except UnicodeDecodeError:
        raise Invalid(errors=[{"field": "Upload-Metadata", "detail": "the file's name in UTF-8"}]) from None


def parse_metadata(text: str) -> dict[str, bytes]:
    """Return the values of `filename d29ybGQ=,other`, decoded from base64; raise `Invalid`."""
    pairs = [pair.strip().partition(" ") for pair in text.split(",") if pair.strip()]
    try:
        if not (text.isascii() and text.isprintable() and len(text) <= METADATA_MOST):
            raise ValueError
        return {key: b64decode(value.strip(), validate=True) for key, _, value in pairs}
    except ValueError:
        detail = f"pairs of a key and a base64 value, {METADATA_MOST} characters in all"
        raise Invalid(errors=[{"field": "Upload-Metadata", "detail": detail}]) from None


async def receive_raw(request: web.Request, owner_id: int, length: int) -> File:
    """Store the body as a file with the name in `?name=`."""
    file = await request.app[UPLOADS].begin(owner_id, request.query.get("name", ""), length)
    return await receive_complete(request, file, receive(request, length, request.app[SETTINGS].body_seconds))


async def receive_form(request: web.Request, owner_id: int, length: int) -> File:
    """Store the first file in the form; its size is known at its end."""
    settings = request.app[SETTINGS]
    most = min(length, settings.max_file_bytes) if length <= settings.max_file_bytes + OVERHEAD_MOST else length
    form = FormBody(request, length, settings.body_seconds)
    name = await form.find_file()
    if name is None:
        raise NoFileSent
    file = await request.app[UPLOADS].begin(owner_id, name, most)
    return await receive_complete(request, file, UploadBody(form.content(), most, settings.body_seconds), fix_size=True)


async def receive_complete(request: web.Request, file: File, body: UploadBody, fix_size: bool = False) -> File:
    """Store the complete file or nothing. An upload that fails returns its quota at once."""
    uploads, stored = request.app[UPLOADS], None
    try:
        await uploads.receive(file, 0, body)
        if body.cut:
            raise body.cut
        if not body.size:
            raise EmptyFile
        if fix_size:
            await uploads.fix_size(file)
        stored = await uploads.finish(file.owner_id, file.id)
        return stored
    finally:
        if stored is None:
            await cancel_upload(uploads, file)


async def cancel_upload(uploads: Uploads, file: File) -> None:
    """Cancel the upload, if it still exists, so that it uses no quota."""
    try:
        await uploads.cancel(file.owner_id, file.id)
    except NotFound:
        return


async def head_upload(request: web.Request) -> web.Response:
    """Return the offset at which an upload continues, its size, and its metadata."""
    member = await identify(request)
    state = await request.app[UPLOADS].find_state(member.user_id, path_id(request, "file"))
    headers = {"Upload-Offset": str(state.received), "Upload-Length": str(state.size), "Cache-Control": "no-store"}
    return web.Response(headers=headers | ({"Upload-Metadata": state.metadata} if state.metadata else {}))


async def post_upload(request: web.Request) -> web.Response:
    """Do what X-HTTP-Method-Override says, for clients that cannot send PATCH, DELETE or HEAD."""
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    if method == "PATCH":
        return await patch_upload(request)
    if method == "DELETE":
        return await delete_upload(request)
    if method == "HEAD":
        return await head_upload(request)
    await identify(request)
    raise NotAllowed


async def patch_upload(request: web.Request) -> web.Response:
    """Append a piece at the upload's offset. After the last piece the file is processed."""
    member = await identify(request)
    uploads = request.app[UPLOADS]
    file = await uploads.find(member.user_id, path_id(request, "file"))
    if request.content_type != PIECE_TYPE:
        raise NotPiece
    body = receive(request, file.size - file.received, request.app[SETTINGS].body_seconds)
    offset = await uploads.receive(file, parse_offset(request), body)
    if body.cut:
        raise body.cut
    if uploads.is_short(file, body):
        request.app[RATES].piece.charge(member.user_id, SHORT_COST - 1)
    if offset == file.size:
        await uploads.finish(member.user_id, file.id)
    return web.Response(status=204, headers={"Upload-Offset": str(offset)})


def parse_offset(request: web.Request) -> int:
    """Return the piece's offset; raise `Invalid`."""
    text = request.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise Invalid(errors=[{"field": "Upload-Offset", "detail": "a number of bytes"}])
    return int(text)


async def get_upload(request: web.Request) -> web.Response:
    """Return a file's fields. Its owner sees it before it is posted, then the readers of the message.

    `type`, `width` and so on are there once the file is complete.
    """
    member = await require_identity(request)
    return file_response(await request.app[UPLOADS].find_readable(member, path_id(request, "file")))


async def delete_upload(request: web.Request) -> web.Response:
    """Cancel an upload that is not in a message yet."""
    member = await identify(request)
    await request.app[UPLOADS].cancel(member.user_id, path_id(request, "file"))
    return web.Response(status=204)


def file_response(file: File, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return the answer with the file; `ready` means that it can be posted."""
    return answer_json({"file": file.to_json(), "ready": file.ready}, status, headers)


# Downloads: `GET` and `HEAD /api/files/{id}/{name}`.

PREVIEW_HEADERS = {
    "Content-Type": "image/webp",
    "Content-Disposition": "inline",
    "Cache-Control": "private, max-age=3600",
}
PREVIEW_MOST = Span(0, 8 * 1024 * 1024)


async def get_file(request: web.Request) -> web.StreamResponse:
    """Download a file, or a range of it. `?preview=small|large` returns a preview of an image."""
    member = await require_identity(request)
    file = await request.app[UPLOADS].find_readable(member, path_id(request, "file"))
    if not file.ready or file.name != request.match_info["name"]:
        raise NotFound
    if (preview := request.query.get("preview")) is not None:
        return await send_preview(request, file, preview)
    headers = HEADERS | {"ETag": f'"{file.id}"', "Content-Disposition": disposition(file)}
    if f'"{file.id}"' in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return await send_span(request, file, headers)


async def send_span(request: web.Request, file: File, headers: dict[str, str]) -> web.StreamResponse:
    """Send the file: 206 for a range, 416 for a range beyond the end."""
    try:
        span = find_span(request, file)
    except Unsatisfiable:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{file.size}"})
    complete = Span(0, file.size)
    if span:
        headers |= {"Content-Range": f"bytes {span.start}-{span.end - 1}/{file.size}"}
    media_type = file.type if file.shown else UNKNOWN
    response = web.StreamResponse(status=206 if span else 200, headers=headers | {"Content-Type": media_type})
    body = request.app[UPLOADS].read(file, span or complete)
    return await send(request, response, body, (span or complete).end - (span or complete).start)


def find_span(request: web.Request, file: File) -> Span | None:
    """Return the requested range, unless If-Range names another file."""
    if request.headers.get("If-Range", f'"{file.id}"') != f'"{file.id}"':
        return None
    return parse_range(request.headers.get("Range", ""), file.size)


async def send(
    request: web.Request, response: web.StreamResponse, body: AsyncIterator[bytes], size: int
) -> web.StreamResponse:
    """Send the body. The first block is read before the answer starts, so that a storage failure is an error."""
    response.content_length = size
    block = b"" if request.method == "HEAD" else await anext(body)
    await response.prepare(request)
    try:
        while block:
            await response.write(block)
            request.app[UPLOADS].sent += len(block)
            block = await anext(body, b"")
    except (ApiError, ConnectionError):
        # No error can follow the bytes that have been sent.
        if request.transport is not None:
            request.transport.abort()
    return response


async def send_preview(request: web.Request, file: File, size: str) -> web.StreamResponse:
    """Send a preview, a WebP image that never changes and is requested often."""
    if not file.previewed or size not in PREVIEWS:
        raise NotFound
    blocks = request.app[UPLOADS].storage.read(preview_key(file.id, size), PREVIEW_MOST)
    return web.Response(body=b"".join([block async for block in blocks]), headers=HEADERS | PREVIEW_HEADERS)


def disposition(file: File) -> str:
    """Return a Content-Disposition with the file's name (RFC 6266), from which no header can be injected."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in file.name)
    kind = "inline" if file.shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
