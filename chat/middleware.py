"""Middlewares around every handler: problem documents, request ids, origin checks, security headers."""

import asyncio
import gzip
import itertools
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache, partial

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from chat.cross_origin import answer_preflight, check_origin, is_preflight, is_upgrade
from chat.log.entry import encode_notice
from chat.shared.audit import CALLER
from chat.shared.errors import (
    ApiError,
    Compressed,
    ExpectationFailed,
    Failed,
    NotAllowed,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
)
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.rate_limits import home_of
from chat.shared.route import check_parameters
from chat.shared.settings import Settings
from chat.shared.web import (
    CHARGED,
    EVENTS,
    JSON,
    MEMBER,
    POOL,
    RATES,
    SETTINGS,
    TYPED_NAME,
    WROTE,
    answer_problem,
    caller_of,
    check_stranger,
    client_address,
    is_from_proxy,
)

SERVER = "Tandem"
MCP_PATH, EVENT_STREAM = "/mcp", "text/event-stream"
STREAM_PATHS = ("/api/chat/stream", MCP_PATH)  # requests of these paths are long
UNSTORED = ("/api/", MCP_PATH)  # answers of these paths are never stored by caches
RETRIES_503 = "X-Retries-503"  # set by proxies that ask another node first, then answer an EventSource themselves
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'"
)
HTTP_ERRORS: dict[int, type[ApiError]] = {
    404: NotFound,
    405: NotAllowed,
    413: TooLarge,
    417: ExpectationFailed,
}
log = structlog.get_logger(__name__)

# The security event of an error's code.
SECURITY_EVENTS = {
    "bad_credentials": "login.failed",
    "wrong_password": "login.failed",
    "bad_code": "mfa.failed",
    "bad_passkey": "mfa.failed",
    "bad_recovery_code": "mfa.failed",
    "bad_reset": "reset.failed",
    "bad_invite": "invite.failed",
    "bad_setup": "setup.failed",
    "admins_only": "admin.refused",
    "foreign_origin": "origin.refused",
    "too_fast": "limit.hit",
}


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with `application/problem+json`, without internals."""
    try:
        if is_preflight(request):
            return answer_preflight(request)
        check_origin(request)
        check_encoding(request)
        check_socket(request)
        return await handler(request)
    except Exception as error:
        answer = answer_error(request, error)
        if request.writer.output_size > 0:  # a second response head would be sent inside the first response
            cut(request)
            raise ConnectionResetError("the response has started") from error
        return answer


def answer_error(request: web.Request, error: Exception) -> web.Response:
    """Return the problem document for an exception, and log what is not the client's fault.

    Raise the exception itself if it is a redirect, or if the client has disconnected.
    """
    if isinstance(error, ApiError):
        record_security_event(request, error)
        return answer_refusal(request, error)
    if isinstance(error, web.HTTPException):
        if error.status < 400:
            raise error
        return answer_http_error(error)
    if isinstance(error, ConnectionError) and is_gone(request):
        raise error
    if isinstance(error, POSTGRES_AWAY):
        log.warning("database unavailable", path=logged_path(request), error=repr(error))
        return answer_refusal(request, describe_outage(request))
    log.error("request failed", method=request.method, path=logged_path(request), exc_info=error)
    return answer_problem(Failed())


def describe_outage(request: web.Request) -> Unavailable:
    """Return the error for a database that cannot be used now; it says so if the database is read-only."""
    pool = request.app.get(POOL)
    detail = "The database is read-only right now. Try again after the seconds in Retry-After."
    return Unavailable(detail if pool and pool.refusal else None, retry_after=1)


def logged_path(request: web.Request) -> str:
    """Return the path for the log, without the secret of a hook."""
    secret = request.match_info.get("secret")
    return request.path.replace(secret, "…") if secret else request.path


# An EventSource gives up for good when it is answered by an error. What a retry would heal is therefore answered by an
# event stream that ends: the client connects again after `retry`.

HEALED_BY_RETRY = {429, 503}
REFUSED = web.RequestKey("refused", int)  # the status that a stream of this kind stands for


def answer_refusal(request: web.Request, error: ApiError) -> web.Response:
    """Return the problem document; for an EventSource that should retry, an event stream with it as `problem`."""
    if error.status not in HEALED_BY_RETRY or not asks_for_events(request):
        return answer_call_error(error) if request.path == MCP_PATH else answer_problem(error)
    if error.status == 503 and RETRIES_503 in request.headers:
        return answer_problem(error)
    request[REFUSED] = error.status
    wait = round(1000 * (max(1, error.retry_after or 1) + random.random()))
    body = b"retry: %d\n" % wait + encode_notice("problem", orjson.dumps(error.to_problem()))
    answer = web.Response(body=body, content_type=EVENT_STREAM)
    answer.force_close()  # so that the next request can reach another node
    return answer


def asks_for_events(request: web.Request) -> bool:
    """Return whether the client reads an event stream, as an EventSource does, which cannot read a status."""
    accepted = ",".join(request.headers.getall("Accept", ())).lower()
    return is_stream(request) and EVENT_STREAM in accepted and "poll" not in request.query


def is_stream(request: web.Request) -> bool:
    """Return whether a stream answers this request."""
    return request.method == "GET" and request.path in STREAM_PATHS


def is_long(request: web.Request, response: web.StreamResponse) -> bool:
    """Return whether this request takes long because its answer is a stream."""
    return is_stream(request) or response.content_type == EVENT_STREAM


def answer_call_error(error: ApiError) -> web.Response:
    """Return an error of JSON-RPC, whose text clients of MCP show; `data` is the problem document."""
    answer = answer_problem(error)
    fields = {"code": -32603 if error.status >= 500 else -32600, "message": str(error), "data": error.to_problem()}
    answer.body = orjson.dumps({"jsonrpc": "2.0", "id": None, "error": fields})
    answer.content_type = "application/json"
    return answer


def cut(request: web.Request) -> None:
    """Abort the connection, so that the client does not take half a response for a whole one."""
    if request.transport is not None:
        request.transport.abort()


def is_gone(request: web.Request) -> bool:
    """Return whether the client has closed the connection."""
    return request.transport is None or request.transport.is_closing()


def answer_http_error(error: web.HTTPException) -> web.Response:
    """Return the problem document for an error that aiohttp raised. Keep `Allow`, but not its text."""
    answer = answer_problem(HTTP_ERRORS.get(error.status, ApiError)())
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


class NoSocket(NotFound):
    """This URL has no WebSocket. Messages are at /api/chat/socket, presence is at /api/presence/socket."""

    code = "no_socket"


def check_socket(request: web.Request) -> None:
    """Raise `NoSocket` if a client opens a WebSocket at the URL of a page or a call, instead of answering with that."""
    if is_upgrade(request) and not request.path.endswith("/socket"):
        raise NoSocket


def check_encoding(request: web.Request) -> None:
    """Raise `Compressed` if the body is compressed. No client of Tandem compresses, and inflating costs CPU."""
    if any(encoding.lower() != "identity" for encoding in request.headers.getall("Content-Encoding", ())):
        raise Compressed


@web.middleware
async def charge_anonymous(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count requests without a valid session against their address; raise `RateLimited` above the limit.

    A request with an unknown query parameter is such a request: it costs as much, and reaches no handler.
    """
    stranger = check_stranger(request)
    try:
        if request.query_string:
            check_parameters(request)
        return await handler(request)
    finally:
        if stranger and CHARGED not in request:
            with suppress(RateLimited):
                request.app[RATES].stranger.acquire(home_of(client_address(request)))


def record_security_event(request: web.Request, error: ApiError) -> None:
    """Record an error that is a security event, on any route."""
    if action := SECURITY_EVENTS.get(error.code):
        resource = request.match_info.route.resource
        route = f"{request.method} {resource.canonical if resource else ''}"
        request.app[EVENTS].note(caller_of(request), action, typed=request.get(TYPED_NAME, ""), route=route)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set the security headers on every response; caches never store API responses."""
    set_headers(response.headers, request.app[SETTINGS], stored=not request.path.startswith(UNSTORED))


def set_headers(headers: MutableMapping[str, str], settings: Settings, *, stored: bool) -> None:
    """Add the security headers. `Server` names no software and no version."""
    for name, value in security_headers(tuple(settings.frame_ancestors)).items():
        headers.setdefault(name, value)
    headers["Server"] = SERVER
    if not stored:
        headers.setdefault("Cache-Control", "no-store")


@lru_cache(16)
def security_headers(ancestors: tuple[str, ...]) -> dict[str, str]:
    """Return the security headers of a server whose pages these sites may show in frames.

    `X-Frame-Options` cannot name sites, so it is sent only where none may.
    """
    sources = " ".join("'self'" if one.lower() == "self" else one for one in ancestors) or "'none'"
    deny = {} if ancestors else {"X-Frame-Options": "DENY"}
    return HEADERS | deny | {"Content-Security-Policy": f"{CONTENT_POLICY}; frame-ancestors {sources}"}


# Request ids: the id is in the response and in every log line of the request. The `X-Request-ID` of a trusted proxy is
# used, so that both logs have the same id; that of other clients is not. `wrote` is the `id:` of the frame that the
# request wrote.

REQUEST_ID = web.RequestKey("request_id", str)
ANSWERS = web.AppKey("answers", Counter[int])
FORM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
START, NUMBERS = secrets.token_hex(4), itertools.count(1)
SLOW_SECONDS = 1.0


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, answer it, and log it as LOG_REQUESTS says."""
    given = request.headers.get("X-Request-ID", "")
    trusted = FORM.fullmatch(given) and is_from_proxy(request)
    request_id = request[REQUEST_ID] = given if trusted else f"{START}-{next(NUMBERS):x}"
    structlog.contextvars.bind_contextvars(request=request_id)
    CALLER.set(partial(caller_of, request))
    began = time.monotonic()
    response = await compress(request, await handler(request))
    status = request.get(REFUSED, response.status)
    request.app[ANSWERS][status] += 1
    wanted, took = request.app[SETTINGS].log_requests, time.monotonic() - began
    if wanted == "all" or (wanted == "slow" and took > SLOW_SECONDS and not is_long(request, response)):
        wrote = {"wrote": request[WROTE]} if WROTE in request else {}
        user = {"user": request[MEMBER].user_id} if MEMBER in request else {}
        asked_by = {"address": client_address(request)} | user
        line = {"method": request.method, "path": logged_path(request), "status": status, "seconds": round(took, 4)}
        log.info("request", **line, **asked_by, **wrote)
    return response


# JSON is compressed for clients that accept it: 5 to 10 times smaller, for 5 ms of CPU a megabyte. Streams never are.
# Neither are requests that another site makes: the size of their answers would tell it something (BREACH).

COMPRESSED_LEAST = 1024  # bytes: smaller ones fit into one packet anyway
IN_THREAD_LEAST = 128 * 1024
FOREIGN = {"cross-site", "same-site"}


async def compress(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Return the response with a compressed body, if it is JSON that is read and the client accepts gzip."""
    if (
        request.method not in ("GET", "HEAD")
        or not isinstance(response, web.Response)
        or response.content_type != JSON
        or not isinstance(body := response.body, bytes)
        or len(body) < COMPRESSED_LEAST
    ):
        return response
    response.headers.add("Vary", "Accept-Encoding")
    if accepts_gzip(request) and request.headers.get("Sec-Fetch-Site", "").lower() not in FOREIGN:
        shrink = partial(gzip.compress, body, compresslevel=1, mtime=0)
        in_thread = len(body) >= IN_THREAD_LEAST
        response.body = await asyncio.get_running_loop().run_in_executor(None, shrink) if in_thread else shrink()
        response.headers["Content-Encoding"] = "gzip"
    return response


def accepts_gzip(request: web.Request) -> bool:
    """Return whether the client accepts gzip: it names the encoding, and not with the weight 0."""
    for part in ",".join(request.headers.getall("Accept-Encoding", ())).lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def add_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Add the request's id to the response."""
    response.headers["X-Request-ID"] = request.get(REQUEST_ID, "")
