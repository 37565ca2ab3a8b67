"""Around every endpoint: refusals become problem documents, foreign pages are kept out, headers are strict."""

from contextlib import suppress

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from chat.origin import check_origin
from chat.shared.charging import CHARGED, FREE, find_charge
from chat.shared.endpoints import (
    RATES,
    answer_problem,
    check_stranger,
    client_address,
    find_token,
)
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.problems import NotAllowed, NotFound, Refusal, TooFast, TooLarge, Unavailable
from chat.shared.rates import home_of

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
}
HTTP_REFUSALS: dict[int, type[Refusal]] = {404: NotFound, 405: NotAllowed, 413: TooLarge}
log = structlog.get_logger(__name__)


class Failed(Refusal):
    """Something went wrong on this server; it has been logged."""

    status, code = 500, "failed"


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal and every failure as `application/problem+json`, without internals."""
    try:
        check_origin(request)
        return await handler(request)
    except Refusal as refusal:
        return answer_problem(refusal)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = answer_problem(HTTP_REFUSALS.get(error.status, Refusal)())
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except POSTGRES_AWAY as error:
        log.warning("PostgreSQL is away", path=request.path, error=repr(error))
        return answer_problem(Unavailable(retry_after=1))
    except Exception:
        log.exception("a request failed", method=request.method, path=request.path)
        return answer_problem(Failed())


@web.middleware
async def charge_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count requests that no session vouches for against their address; raise `TooFast` for those beyond."""
    if find_charge(request) is FREE:
        return await handler(request)
    if not find_token(request):
        check_stranger(request)
    try:
        return await handler(request)
    finally:
        if CHARGED not in request:
            with suppress(TooFast):
                request.app[RATES].stranger.spend(home_of(client_address(request)))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The same strict headers on every answer; API answers are never stored by caches."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
