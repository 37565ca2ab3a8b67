"""Shared parts of all endpoints: the caller of a request and its price, parameters, bodies and JSON responses.

Admission refuses new connections while the node is busy; `require_identity` finds the caller and charges the request.
"""

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypeVar

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, IPvAnyNetwork, ValidationError

from chat.shared.audit import Actor, SecurityEvents
from chat.shared.bodies import read_whole
from chat.shared.errors import (
    AdminsOnly,
    ApiError,
    Invalid,
    NotFound,
    ReauthenticationRequired,
    SecondFactorMissing,
    Unauthenticated,
)
from chat.shared.identity import Identities, KeyLimits, Member, Scope
from chat.shared.postgres import Pool
from chat.shared.rate_limits import Limit, Rates, home_of
from chat.shared.registry.registry import Registry
from chat.shared.setting_checks import Origin, parse_origin
from chat.shared.settings import Settings

# Admission: a busy node refuses new connections before it is overloaded. Another node may accept them, or this one a
# moment later. Ten thousand clients that reconnect at once are served best one after the other: each connection that is
# accepted while the event loop is late delays all others, until health checks fail and the next node gets them all.

AGAIN_SECONDS = (1, 5)  # spread, so that refused clients do not return together


class Crowded(ApiError):
    """This node is busy accepting connections. Try again; another node may answer."""

    status, code = 503, "crowded"


class Admission:
    """Refuses connections when `lag()` or `opening()` reaches its setting; `refused` counts them.

    `lag()`: seconds that the event loop is late; `opening()`: streams and sockets that are being opened.
    """

    def __init__(
        self, most_lag: float, most_opening: int, lag: Callable[[], float], opening: Callable[[], int]
    ) -> None:
        self._most_lag, self._most_opening = most_lag, most_opening
        self._lag, self._opening = lag, opening
        self.refused = 0

    def check(self) -> None:
        """Raise `Crowded` if the node is busy."""
        if self._opening() >= self._most_opening or self._lag() >= self._most_lag:
            self.refused += 1
            raise Crowded(retry_after=random.uniform(*AGAIN_SECONDS))


SETTINGS = web.AppKey("settings", Settings)
WROTE = web.RequestKey("wrote", str)  # the id of the frame that a request has written, for the access log
MEMBER = web.RequestKey("member", Member)  # the caller of the request
TYPED_NAME = web.RequestKey("typed_name", str)  # the name typed at a log-in; never stored in plain text
POOL = web.AppKey("pool", Pool)
EVENTS = web.AppKey("events", SecurityEvents)
IDENTITIES = web.AppKey("identities", Identities)
SCOPES: web.AppKey[Mapping[Handler, Scope]] = web.AppKey("scopes")  # what an API key needs, by handler
REGISTRY = web.AppKey("registry", Registry)
RATES = web.AppKey("rates", Rates)
ADMISSION = web.AppKey("admission", Admission)

# Over TLS the first, which no other host of the domain can set; without TLS the second.
HOST_COOKIE, COOKIE = "__Host-tandem", "tandem"
ACT_AS = "Tandem-User"  # the user whom an API key acts for
JSON = "application/json"
DEVICE_MOST = 100
LARGEST_ID = 2**53 - 1
NAMED_MOST = 50  # errors of a body that are named one by one
Body = TypeVar("Body", bound=BaseModel)


def find_token(request: web.Request) -> str | None:
    """Return the bearer token, else the cookie's."""
    token = find_bearer(request)
    return find_cookie(request) if token is None else token


def find_cookie(request: web.Request) -> str | None:
    """Return the token of the session cookie. A cookie set by another host does not override this host's."""
    return read_cookie(request, HOST_COOKIE) or read_cookie(request, COOKIE)


def read_cookie(request: web.Request, name: str) -> str | None:
    """Return the value of the first cookie with exactly this name.

    Split at semicolons alone, as browsers join them. aiohttp's own parser also splits at spaces and strips Unicode
    white space, so that a cookie of another name could smuggle in one of ours.
    """
    for header in request.headers.getall("Cookie", []):
        for pair in header.split(";"):
            key, _, value = pair.strip(" \t").partition("=")
            if key == name:
                return value
    return None


def find_bearer(request: web.Request) -> str | None:
    """Return the token in the Authorization header, which no page of another site can make a browser send."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def require_identity(request: web.Request, *, remember: bool = True) -> Member:
    """Return the caller, charged for the route; raise `Unauthenticated`, `RateLimited`.

    `remember`: cache the session, because the caller will soon send another request.
    """
    if not (token := find_token(request)):
        raise Unauthenticated
    # The database is not queried for an address that keeps sending invalid tokens.
    identities, check = request.app[IDENTITIES], lambda: check_address(request)
    member = request[MEMBER] = await identities.of_token(token, check, remember=remember)
    if member.host_cookie and find_bearer(request) is None and not read_cookie(request, HOST_COOKIE):
        del request[MEMBER]
        raise Unauthenticated  # another host of the domain may have set this cookie
    if acted := request.headers.getall(ACT_AS, ()):
        member = request[MEMBER] = await identities.act_as(member, acted, remember=remember)
    if member.key is not None:
        check_key(request, member.key)
    charge_caller(request, member.payer)
    return member


def check_key(request: web.Request, key: KeyLimits) -> None:
    """Raise `MissingScope`, `NotForKeys`, `LimitedKey` or `NotFound` if the key may not send this request."""
    named = request.match_info.get("conversation")
    scope = request.app[SCOPES].get(request.match_info.handler)
    key.check(scope, None if named is None else path_id(request, "conversation"))


def check_stranger(request: web.Request) -> bool:
    """Return False if the route is free; raise `RateLimited` for one more request without a token than allowed."""
    if find_charge(request) is FREE:
        return False
    if not find_token(request):
        check_address(request)
    return True


def check_address(request: web.Request) -> None:
    """Raise `RateLimited` when the address has sent too many requests without a session."""
    request.app[RATES].stranger.check(home_of(client_address(request)))


async def require_recent_proof(request: web.Request) -> Member:
    """Return the caller of a sensitive change, as `require_identity` does.

    Raise `ReauthenticationRequired` unless they logged in or proved their identity in the last 10 minutes. An API key
    with the scope for it is proof enough.
    """
    member = await require_identity(request)
    if member.key is None and not await request.app[IDENTITIES].proof_left(member.session_id):
        raise ReauthenticationRequired
    return member


async def require_admin(request: web.Request) -> Member:
    """Return the caller if they are an admin; raise `Unauthenticated` or `AdminsOnly`."""
    return check_admin(await require_identity(request))


def check_admin(member: Member) -> Member:
    """Return the member. Raise `AdminsOnly`, or `SecondFactorMissing` for an admin who needs one first."""
    if member.withheld:
        raise SecondFactorMissing
    if member.role != "admin":
        raise AdminsOnly
    return member


def actor_of(request: web.Request, member: Member) -> Actor:
    """Return the member with the address and session of this request, for the audit."""
    return Actor(member.user_id, client_address(request), member.session_id)


def caller_of(request: web.Request) -> Actor:
    """Return the caller of this request, as far as known yet."""
    if (member := request.get(MEMBER)) is not None:
        return actor_of(request, member)
    agent = "".join(letter for letter in request.headers.get("User-Agent", "") if letter.isprintable())
    return Actor(None, client_address(request), None, agent[:DEVICE_MOST])


def is_from_proxy(request: web.Request) -> bool:
    """Return whether the peer is one of TRUSTED_PROXIES."""
    peer = parse_address(request.remote or "127.0.0.1")
    return any(peer in network for network in request.app[SETTINGS].trusted_proxies)


def scheme_of(request: web.Request) -> str:
    """Return `https` or `http`, as the browser sees this server.

    A trusted proxy sends it in X-Forwarded-Proto; of several that add a value each, the one that the client reached
    knows. Without one, COOKIE_SECURE means that all browsers use https.
    """
    schemes = ",".join(request.headers.getall("X-Forwarded-Proto", [])).split(",")
    _, proxies = walk_proxies(request, request.app[SETTINGS].trusted_proxies)
    forwarded = schemes[-min(max(proxies, 1), len(schemes))].strip().lower()
    if forwarded in ("http", "https") and is_from_proxy(request):
        return forwarded
    return "https" if request.app[SETTINGS].cookie_secure or request.secure else "http"


def public_origin(request: web.Request) -> Origin | None:
    """Return this server as the caller's browser sees it: PUBLIC_URL, else the address of the request."""
    return parse_origin(request.app[SETTINGS].public_url or f"{scheme_of(request)}://{request.host}")


def is_secure(request: web.Request) -> bool:
    """Return whether cookies are for TLS only: COOKIE_SECURE if set, else whether the client uses https."""
    given = request.app[SETTINGS].cookie_secure
    return scheme_of(request) == "https" if given is None else given


def client_address(request: web.Request) -> str:
    """Return the client's address: the peer, or behind trusted proxies the last other one in X-Forwarded-For."""
    return find_address(request, request.app[SETTINGS].trusted_proxies)


def find_address(request: web.BaseRequest, networks: Sequence[IPvAnyNetwork]) -> str:
    """Return the client's address; `networks` are those of trusted proxies."""
    return walk_proxies(request, networks)[0]


def walk_proxies(request: web.BaseRequest, networks: Sequence[IPvAnyNetwork]) -> tuple[str, int]:
    """Return the client's address, and how many trusted proxies have told of it."""
    address, proxies = parse_address(request.remote or "127.0.0.1"), 0
    # A proxy may add a header line below one that the client sent; all lines form one list.
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while hops and any(address in network for network in networks):
        try:
            address = parse_address(hops.pop().strip())
        except ValueError:
            break
        proxies += 1
    return str(address), proxies


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """Parse an address, and convert IPv4-mapped IPv6 (from a dual-stack socket) to IPv4; raise `ValueError`."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


async def read_body(request: web.Request, most: int | None = None) -> bytes:
    """Return the whole body; raise `TooLarge` over `most` bytes, `TooSlow` or `Unfinished` if it does not arrive."""
    settings = request.app[SETTINGS]
    return await read_whole(request, most or settings.max_body_bytes, settings.body_seconds)


async def read_model(request: web.Request, model: type[Body], most: int | None = None) -> Body:
    """Return the body as `model`; raise `Invalid`, which names each wrong field."""
    return parse_model(await read_body(request, most), model)


def parse_model(body: bytes, model: type[Body]) -> Body:
    """Parse bytes as `model`; raise `Invalid`."""
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        raise Invalid(errors=name_errors(wrong)) from None


def name_errors(wrong: ValidationError) -> list[dict[str, str]]:
    """Return `[{field, detail}]`, without what the caller sent, which may be a password.

    Of more than 50 errors only the number is returned: naming thousands takes pydantic longer than finding them.
    """
    count = wrong.error_count()
    if count > NAMED_MOST:
        return [{"field": "body", "detail": f"{count} values are missing, unknown or wrong"}]
    return [
        {"field": ".".join(map(str, error["loc"])) or "body", "detail": error["msg"].removeprefix("Value error, ")}
        for error in wrong.errors(include_url=False, include_input=False)
    ]


def path_id(request: web.Request, name: str) -> int:
    """Return an id in the path; raise `NotFound` if it is not one."""
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) < 17 and 1 <= int(text) <= LARGEST_ID):
        raise NotFound
    return int(text)


def path_message(request: web.Request) -> tuple[int, int]:
    """Return the conversation and the seq in the path."""
    return path_id(request, "conversation"), path_id(request, "seq")


def parse_count(request: web.Request, name: str, *, default: int, most: int, least: int = 0) -> int:
    """Return a whole number in the query from `least` to `most`; raise `Invalid`."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        raise Invalid(errors=[{"field": name, "detail": f"a whole number from {least} to {most}"}])
    return int(text)


def parse_ids(text: str, name: str, most: int) -> list[int]:
    """Parse `"1,2"` as `[1, 2]`; raise `Invalid` for other text, or more than `most` ids."""
    parts = [part for part in text.split(",") if part]
    if len(parts) > most or not all(part.isascii() and part.isdigit() and len(part) < 17 for part in parts):
        raise Invalid(errors=[{"field": name, "detail": f"up to {most} ids, separated by commas"}])
    return [int(part) for part in parts]


def answer_json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a response with `data` as JSON; bytes are already encoded."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    return web.Response(body=body, status=status, content_type=JSON, headers=headers)


async def send_lines(request: web.Request, name: str, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    """Stream lines of JSON as a file called `name`."""
    attachment = f'attachment; filename="{name}"'
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Content-Disposition": attachment})
    await answer.prepare(request)
    try:
        async for lines in pieces:
            await answer.write(lines)
        await answer.write_eof()
    except ConnectionError:
        pass  # the client has disconnected, or was too slow for ANSWER_SECONDS
    return answer


def answer_problem(error: ApiError) -> web.Response:
    """Return a response with the error as a problem document."""
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return web.Response(
        body=orjson.dumps(error.to_problem()),
        status=error.status,
        content_type="application/problem+json",
        headers=headers,
    )


# Charging: every request counts against one limit, of its caller or of the address it comes from.
# `chat/route_limits.py` names the limit of each route. `require_identity` charges the caller as soon as they are
# known: a request that fails afterwards (403, 404, 422) costs as much as one that succeeds. The middleware charges
# requests without a session to the address.


@dataclass(frozen=True, slots=True)
class Charge:
    """The price of a request: `cost` of the limit with this name in `Rates`."""

    limit: str
    cost: int = 1


FREE = Charge("")  # answered from memory, or limited by the handler itself
CHARGES: web.AppKey[Mapping[Handler, Charge]] = web.AppKey("charges")
CHARGED = web.RequestKey("charged", bool)


def charge_caller(request: web.Request, user_id: int) -> None:
    """Count the request against its route's limit, once; raise `RateLimited`."""
    if CHARGED in request:
        return
    request[CHARGED] = True
    charge_route(request.app, request.match_info.handler, user_id)


def charge_route(app: web.Application, handler: Handler, user_id: int) -> None:
    """Count a request, or a command that does the same, against the limit of the route with this handler.

    Raise `RateLimited`.
    """
    charge = app[CHARGES].get(handler)
    if charge is not None and charge is not FREE:
        limit: Limit = getattr(app[RATES], charge.limit)
        limit.acquire(user_id, charge.cost)


def find_charge(request: web.Request) -> Charge | None:
    """Return the charge of the route; None for a URL without a route."""
    return request.app[CHARGES].get(request.match_info.handler)
