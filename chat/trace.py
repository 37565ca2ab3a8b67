"""Tracing a request: its id stands in the answer and in every log line that it leads to, beside the frame it wrote.

The `X-Request-ID` of a trusted proxy is taken over, so that its log and ours name a request alike; a stranger's is not.
`wrote` is the frame's `id:`.
"""

import itertools
import re
import secrets
import time
from collections import Counter
from functools import partial

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from chat.shared.audit import CALLER
from chat.shared.endpoints import MEMBER, SETTINGS, WROTE, caller_of, client_address, is_from_proxy

NAME = web.RequestKey("name", str)
ANSWERS = web.AppKey("answers", Counter[int])
FORM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
START, NUMBERS = secrets.token_hex(4), itertools.count(1)
SLOW_SECONDS = 1.0
PATIENT = "/api/chat/stream"  # whose requests last by nature
log = structlog.get_logger(__name__)


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name it, answer it, and log it as LOG_REQUESTS asks."""
    given = request.headers.get("X-Request-ID", "")
    believed = FORM.fullmatch(given) and is_from_proxy(request)
    name = request[NAME] = given if believed else f"{START}-{next(NUMBERS):x}"
    structlog.contextvars.bind_contextvars(request=name)
    CALLER.set(partial(caller_of, request))
    began = time.monotonic()
    response = await handler(request)
    request.app[ANSWERS][response.status] += 1
    wanted, took = request.app[SETTINGS].log_requests, time.monotonic() - began
    if wanted == "all" or (wanted == "slow" and took > SLOW_SECONDS and request.path != PATIENT):
        wrote = {"wrote": request[WROTE]} if WROTE in request else {}
        user = {"user": request[MEMBER].user_id} if MEMBER in request else {}
        asked_by = {"address": client_address(request)} | user
        line = {"method": request.method, "path": request.path, "status": response.status, "seconds": round(took, 4)}
        log.info("request", **line, **asked_by, **wrote)
    return response


async def add_name(request: web.Request, response: web.StreamResponse) -> None:
    """The id, in the answer."""
    response.headers["X-Request-ID"] = request.get(NAME, "")
