"""Servers of other systems: one of key sets, and an OpenID Connect provider. Both change, fail and lie when told to."""

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from aiohttp import BasicAuth, web
from joserfc import jwt
from joserfc.jwk import RSAKey
from yarl import URL

from tests.accounts.visitor import Visitor

CLIENT, CLIENT_SECRET = "tandem", "a secret: of the client/with + signs"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
Claims = dict[str, Any]


@cache
def make_first_key() -> RSAKey:
    """Return the first key of every server: to make one takes up to a second of the processor's time."""
    return RSAKey.generate_key(2048, {"kid": "one"})


class KeyServer:
    """A server of a JSON Web Key Set, which can change its keys, fail, and lie. `reads`: how often it was asked."""

    def __init__(self) -> None:
        self.keys = [make_first_key()]
        self.broken: str | None = None
        self.reads = 0

    async def answer(self, _: web.Request) -> web.Response:
        """Answer with the public keys, or with whatever `broken` says."""
        self.reads += 1
        if self.broken is not None:
            return web.Response(text=self.broken, status=500 if self.broken == "" else 200)
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})


class Provider(KeyServer):
    """An OpenID Connect provider where `user` is logged in. It insists on PKCE and on the client's secret.

    `description`, `lies` and `fails` replace what it says of itself, claims of ID tokens (None leaves one out), and
    whole answers by their path. `codes` holds the requests of codes that were not used yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self.issuer = ""
        self.user: Claims = {"sub": "u-1", "preferred_username": "ana", "name": "Ana Ito"}
        self.sid = "session-1"
        self.description: Claims = {}
        self.lies: Claims = {}
        self.fails: dict[str, web.Response] = {}
        self.header: Claims = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.before_tokens: Any = None

    async def describe(self, _: web.Request) -> web.Response:
        """Return the description."""
        own = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys.json",
            "end_session_endpoint": f"{self.issuer}/logout?there=1",
            "authorization_response_iss_parameter_supported": True,
        }
        kept = {name: value for name, value in (own | self.description).items() if value is not None}
        return self._fail("describe") or web.json_response(kept)

    async def authorize(self, request: web.Request) -> web.Response:
        """Send the browser back with a code."""
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        query = {"code": code, "state": asked["state"], "iss": self.issuer}
        raise web.HTTPFound(URL(asked["redirect_uri"]).with_query(query))

    async def exchange(self, request: web.Request) -> web.Response:
        """Return tokens for a code, once, to the client that asked for it."""
        if failing := self._fail("token"):
            return failing
        if self.before_tokens:
            await self.before_tokens()
        form = dict(await request.post())
        given = request.headers.get("Authorization")
        name, secret = (form.get("client_id"), form.get("client_secret")) if given is None else decode_basic(given)
        if (name, secret) != (CLIENT, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self.codes.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not asked or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        own: Claims = {"nonce": asked["nonce"], "sid": self.sid, **self.user}
        if "max_age" in asked:
            own["auth_time"] = int(time.time())
        return web.json_response(
            {"id_token": self.sign(own | self.lies), "access_token": "access", "token_type": "Bearer"}
        )

    async def tell_user(self, request: web.Request) -> web.Response:
        """Return the user's claims."""
        assert request.headers["Authorization"] == "Bearer access"
        return self._fail("userinfo") or web.json_response(self.user | {"nickname": "annie"})

    def _fail(self, path: str) -> web.Response | None:
        """Return the answer that replaces a right one, in a new object: aiohttp sends none a second time."""
        given = self.fails.get(path)
        return given and web.Response(status=given.status, headers=given.headers, body=given.body)

    def sign(self, claims: Claims, key: Any = None, algorithm: str = "RS256") -> str:
        """Return a token with the usual claims and these; None leaves one out."""
        now = int(time.time())
        fields = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300} | claims
        kept = {name: value for name, value in fields.items() if value is not None}
        used = key or self.keys[-1]
        return jwt.encode({"alg": algorithm, "kid": used.kid} | self.header, kept, used, algorithms=[algorithm])

    def sign_logout(self, **claims: Any) -> str:
        """Return a logout token for `sid` or `sub`."""
        fields = {"events": {LOGOUT_EVENT: {}}, "jti": secrets.token_urlsafe(8), "sid": self.sid}
        return self.sign(fields | claims)


def decode_basic(header: str) -> tuple[str, str]:
    """Return the name and the secret of a client, which are form-encoded first (RFC 6749, 2.3.1)."""
    pair = BasicAuth.decode(header)
    return unquote_plus(pair.login), unquote_plus(pair.password)


@asynccontextmanager
async def serving(made: KeyServer, *routes: web.RouteDef) -> AsyncIterator[str]:
    """Run a server on loopback; yield its origin."""
    app = web.Application()
    app.add_routes([web.get("/keys.json", made.answer), *routes])
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_keys() -> AsyncIterator[tuple[KeyServer, str]]:
    """Run a key server; yield it and its URL."""
    keys = KeyServer()
    async with serving(keys) as origin:
        yield keys, f"{origin}/keys.json"


@asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    """Run a provider."""
    made = Provider()
    routes = [
        web.get("/.well-known/openid-configuration", made.describe),
        web.get("/authorize", made.authorize),
        web.post("/token", made.exchange),
        web.get("/userinfo", made.tell_user),
    ]
    async with serving(made, *routes) as made.issuer:
        yield made


def settings_of(provider: Provider, **more: object) -> dict[str, object]:
    """Return the settings of a node whose users log in at this provider."""
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": CLIENT_SECRET}
    return given | {"oidc_name": "Keystone"} | more


async def goes(browser: Visitor, url: str) -> str:
    """Open a URL as a browser does, and return where the server sends it."""
    async with browser.http.get(url, headers=browser.headers, allow_redirects=False) as answer:
        browser.headers_heard = answer.headers
        assert answer.status in (302, 303), await answer.text()
        return answer.headers["Location"]


async def reaches_callback(browser: Visitor, next_path: str = "/") -> str:
    """Begin a log-in and confirm it at the provider; return the callback's URL with the code."""
    return await goes(browser, await goes(browser, f"{browser.at}/api/oidc/login?next={next_path}"))


async def signs_on(browser: Visitor, next_path: str = "/") -> str:
    """Log in at the provider; return where the browser comes out."""
    return await goes(browser, await reaches_callback(browser, next_path))


async def confirms(browser: Visitor, purpose: str, next_path: str = "/confirmed") -> str:
    """Prove the identity, or link the account, at the provider; return where the browser comes out."""
    status, step = await browser.call("POST", "/api/oidc/login", {"purpose": purpose, "next": next_path})
    assert status == 200, step
    assert urlsplit(step["url"]).path == "/authorize"
    return await goes(browser, await goes(browser, step["url"]))
