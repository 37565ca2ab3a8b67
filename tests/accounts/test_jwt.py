"""JSON Web Tokens: users of another application are users here, and no token gives more than its issuer said."""

import base64
import hmac
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from PIL import Image

from chat.accounts.oidc_endpoints import PICTURES
from chat.shared.settings import BadSettings, read_settings
from tests.accounts.provider import serving_keys
from tests.cast import Person
from tests.deploy.proxies import make_certificate, trust
from tests.nodes import Node, running_node
from tests.stream_client import StreamClient
from tests.waiting import eventually

SECRET = "a secret of another application, long enough"
ISSUER, AUDIENCE = "https://shop.example", "chat"
C = "/api/chat/conversations"


def token(key: Any = SECRET, algorithm: str = "HS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a signed token; a claim of None is left out."""
    fields = {"sub": "u-1", "name": "Ana Ito", "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600} | claims
    used = OctKey.import_key(key) if isinstance(key, str) else key
    kept = {name: value for name, value in fields.items() if value is not None}
    return jwt.encode({"alg": algorithm} | (header or {}), kept, used, algorithms=[algorithm])


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node that takes tokens of the shop."""
    given = {"jwt_secret": SECRET, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with running_node(database_url, redis_url, **given) as one:
        yield one


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def who(http: aiohttp.ClientSession, node: Node, text: str) -> Any:
    """Return the caller that the server sees for a token, or the status."""
    async with http.get(f"{node.url}/api/users/me", headers={"Authorization": f"Bearer {text}"}) as answer:
        return await answer.json() if answer.status == 200 else answer.status


async def test_a_user_of_another_application_is_created_at_first_sight(http: aiohttp.ClientSession, node: Node) -> None:
    """A later token of the same user means the same account, whatever its name says then."""
    first = await who(http, node, token())
    assert (first["name"], first["display_name"], first["role"]) == ("ana-ito", "Ana Ito", "member")
    again = await who(http, node, token(name="Ana Kato"))
    assert again["id"] == first["id"]
    other = await who(http, node, token(sub="u-2"))
    assert (other["name"], other["id"] != first["id"]) == ("ana-ito2", True)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": "a\0b"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "mail"},
        {"aud": None},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
    ],
)
async def test_wrong_claims_are_refused(http: aiohttp.ClientSession, node: Node, claims: dict[str, Any]) -> None:
    """Expired, too early, of another issuer or for another audience, or without a user."""
    assert await who(http, node, token(**claims)) == 401


async def test_the_token_does_not_choose_its_algorithm(http: aiohttp.ClientSession, node: Node) -> None:
    """Neither none, nor another one of the same key; and a changed signature is refused, like one of another key."""
    head, body, signature = token().split(".")
    none = "eyJhbGciOiJub25lIn0"
    longer = token(algorithm="HS512")
    other = token(key="another secret of some other application")
    changed = f"{head}.{body}.{signature[:-4]}AAAA"
    for text in (f"{none}.{body}.", f"{none}.{body}.{signature}", longer, other, changed, f"{head}.{body}", "a.b.c"):
        assert await who(http, node, text) == 401
    assert await who(http, node, "x" * 7000) == 401


async def test_a_token_that_expired_a_moment_ago_is_tolerated(http: aiohttp.ClientSession, node: Node) -> None:
    """Clocks may differ by a minute."""
    assert (await who(http, node, token(exp=int(time.time()) - 20)))["name"] == "ana-ito"
    assert await who(http, node, token(exp=int(time.time()) - 90)) == 401


async def test_a_token_lasts_no_longer_than_a_session(
    http: aiohttp.ClientSession, node: Node, database_url: str
) -> None:
    """Whatever its `exp` says."""
    assert (await who(http, node, token(exp=1e300)))["name"] == "ana-ito"
    with psycopg.connect(database_url) as database:
        row = database.execute("select expires_at < now() + interval '31 days' from sessions").fetchone()
    assert row == (True,)


async def test_a_stream_ends_when_its_token_expires(http: aiohttp.ClientSession, node: Node) -> None:
    """With `bye`, and the token opens no other."""
    text = token(exp=int(time.time()) + 3)
    headers = {"Authorization": f"Bearer {text}"}
    reader = StreamClient(http, f"{node.url}/api/chat/stream", headers)
    await eventually(lambda: reader.named("bye"))
    assert reader.named("bye")[0].json()["reason"] == "expired"
    assert await who(http, node, text) == 401


async def test_a_token_is_exchanged_for_a_cookie(http: aiohttp.ClientSession, node: Node) -> None:
    """For browsers; the session is an ordinary one. A wrong token is answered like a wrong password."""
    browser = {"Sec-Fetch-Site": "same-origin"}
    async with http.post(f"{node.url}/api/sessions", json={"jwt": token()}, headers=browser) as answer:
        assert answer.status == 201
        assert "token" not in await answer.json()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    async with http.get(f"{node.url}/api/users/me", headers={"Cookie": cookie}) as answer:
        assert (await answer.json())["name"] == "ana-ito"
    async with http.post(f"{node.url}/api/sessions", json={"jwt": token(sub=None)}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "bad_credentials")
    async with http.post(f"{node.url}/api/sessions", json={"name": "x"}) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, "password")


async def test_groups_of_a_token_make_admins(
    http: aiohttp.ClientSession, cast: Any, database_url: str, redis_url: str
) -> None:
    """With each new token; what a former admin had open ends."""
    await cast.enters("ada", role="admin")
    given = {"jwt_secret": SECRET, "jwt_claims": "groups=roles", "jwt_admin_groups": "ops"}
    async with running_node(database_url, redis_url, node="b2", **given) as node:
        first = token(roles=["staff", "ops"])
        assert (await who(http, node, first))["role"] == "admin"
        assert (await who(http, node, token(roles=["staff"])))["role"] == "member"
        assert await who(http, node, first) == 401
        assert (await who(http, node, token(roles={"ops": True})))["role"] == "member"


async def test_a_picture_is_fetched_once_from_public_addresses(
    http: aiohttp.ClientSession, node: Node, tmp_path: Path
) -> None:
    """Over HTTPS; of a new user; what is no picture, private or insecure is not shown, and delays nobody."""
    picture = BytesIO()
    Image.new("RGB", (40, 40), "teal").save(picture, "PNG")
    pages = {"/ana.png": picture.getvalue(), "/ben.txt": b"no picture", "/huge": b"x" * 6_000_000}
    pictures = node.app[PICTURES]
    async with serving_pages(pages, tmp_path) as origin:
        pictures.tls = trust(tmp_path)
        private = token(sub="u-0", picture=f"{origin}/ana.png")
        assert (await who(http, node, private))["avatar"] == ""
        await eventually(lambda: pictures.failed == 1)
        pictures.allowed = frozenset({"127.0.0.1", "::1"})
        ana = token(picture=f"{origin}/ana.png")
        assert (await who(http, node, ana))["avatar"] == ""
        await eventually(lambda: pictures.fetched == 1)
        assert (await who(http, node, ana))["avatar"].startswith("/api/avatars/")
        for number, url in enumerate(
            (f"{origin}/ben.txt", f"{origin}/huge", f"{origin}/none", "http://x.example/y", "?")
        ):
            assert (await who(http, node, token(sub=f"v-{number}", picture=url)))["avatar"] == ""
        await eventually(lambda: pictures.failed == 6)


@asynccontextmanager
async def serving_pages(pages: dict[str, bytes], folder: Path) -> AsyncIterator[str]:
    """Serve these bodies over TLS; yield the origin."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=pages[request.path]) if request.path in pages else web.Response(status=404)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(make_certificate(folder))
    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"https://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_disabling_the_user_ends_what_their_tokens_opened(
    http: aiohttp.ClientSession, node: Node, cast: Any, database_url: str, redis_url: str
) -> None:
    """On every node; neither the same token nor a new one works afterwards."""
    (ada,) = await cast.enters("ada", role="admin")
    given = {"jwt_secret": SECRET, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with running_node(database_url, redis_url, node="b2", **given) as second:
        text = token()
        headers = {"Authorization": f"Bearer {text}"}
        readers = [StreamClient(http, f"{one.url}/api/chat/stream", headers) for one in (node, second)]
        await eventually(lambda: all(reader.named("ready") for reader in readers))
        me = await who(http, second, text)
        assert (await ada.call("PUT", f"/api/users/{me['id']}/disabled", {"disabled": True}))[0] == 204
        await eventually(lambda: all(reader.closed for reader in readers))
        for one in (node, second):
            assert await who(http, one, text) == 401
            assert await who(http, one, token(jti="another")) == 401


async def test_an_ended_session_stays_ended(http: aiohttp.ClientSession, node: Node) -> None:
    """Logging out with a token makes that token useless, though it has not expired."""
    text = token()
    person = Person(http, node.url, "ana", (await who(http, node, text))["id"], text)
    assert (await person.call("DELETE", "/api/sessions/current"))[0] == 204
    assert await who(http, node, text) == 401
    assert (await who(http, node, token(jti="another")))["id"] == person.id


async def test_keys_are_read_from_their_server(
    http: aiohttp.ClientSession, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They rotate; a storm of unknown keys asks the server once a minute; and while it fails, the old keys count."""
    async with (
        serving_keys() as (keys, url),
        running_node(database_url, redis_url, jwt_jwks_url=url, jwt_issuer=ISSUER) as node,
    ):

        def signed(n: int, **claims: Any) -> str:
            return token(keys.keys[n], "RS256", {"kid": keys.keys[n].kid}, **claims)

        assert (await who(http, node, signed(0)))["name"] == "ana-ito"
        keys.keys.append(RSAKey.generate_key(2048, {"kid": "two"}))
        for n in range(20):
            assert await who(http, node, signed(1, jti=str(n))) == 401
        assert keys.reads == 1
        monkeypatch.setattr("chat.accounts.jwt.REFRESH_SECONDS", 0.0)
        assert (await who(http, node, signed(1)))["name"] == "ana-ito"
        for lie in ("", "no json", "[]", '{"keys": []}', '{"keys": 7}', "x" * 300_000):
            keys.broken = lie
            stranger = RSAKey.generate_key(2048, {"kid": "three"})
            assert await who(http, node, token(stranger, "RS256", {"kid": "three"})) == 401
            assert (await who(http, node, signed(0, jti=lie[:9])))["name"] == "ana-ito"


async def test_a_public_key_is_no_secret(http: aiohttp.ClientSession, database_url: str, redis_url: str) -> None:
    """The known attack: sign with HS256, with the text of the public key as the secret."""
    key = RSAKey.generate_key(2048)
    pem = key.as_pem(private=False).decode()
    async with running_node(database_url, redis_url, jwt_public_key=pem) as node:
        assert (await who(http, node, token(key, "RS256")))["name"] == "ana-ito"
        claims = token(key, "RS256").split(".")[1]
        head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
        seal = hmac.digest(pem.encode(), f"{head}.{claims}".encode(), "sha256")
        assert await who(http, node, f"{head}.{claims}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}") == 401


async def test_without_a_key_no_token_is_one(http: aiohttp.ClientSession, database_url: str, redis_url: str) -> None:
    """A server that is not configured for tokens admits none."""
    async with running_node(database_url, redis_url) as node:
        assert await who(http, node, token()) == 401
        async with http.post(f"{node.url}/api/sessions", json={"jwt": token()}) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"jwt_secret": "short"}, "32 bytes"),
        ({"jwt_secret": SECRET, "jwt_jwks_url": "https://x.example/k"}, "exclude each other"),
        ({"jwt_secret": SECRET, "jwt_algorithm": "RS256"}, "does not fit"),
        ({"jwt_jwks_url": "https://x.example/k", "jwt_algorithm": "HS256"}, "does not fit"),
        ({"jwt_jwks_url": "ftp://x.example/k"}, "must be like https"),
        ({"jwt_claims": "mail=email"}, "is not like"),
    ],
)
def test_wrong_settings_are_explained(given: dict[str, str], said: str) -> None:
    """At the start, before any token arrives."""
    with pytest.raises(BadSettings, match=said):
        read_settings(database_url="postgresql:///x", redis_url="", **given)
