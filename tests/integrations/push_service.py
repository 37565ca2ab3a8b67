"""A push service of the tests, and devices that decrypt what it received (RFC 8188, 8291, 8292) on their own."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.cast import Person
from tests.integrations.receivers import send_megabytes

CURVE = ec.SECP256R1()


def encode(data: bytes) -> str:
    """Return base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of base64url text."""
    return base64.urlsafe_b64decode(text + "==")


def decrypt(body: bytes, private: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """Return the text of a pushed body of one record."""
    salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
    sender, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size
    public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    key = HKDF(hashes.SHA256(), 32, secret, b"WebPush: info\0" + public + sender).derive(shared)
    content = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(key)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(key)
    padded = AESGCM(content).decrypt(nonce, record, None).rstrip(b"\0")
    assert padded.endswith(b"\x02"), "the last record"
    return padded[:-1]


@dataclass
class Device:
    """A browser or phone. `received`: what was pushed to it, decrypted; `headers`: with which."""

    url: str
    name: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    secret: bytes = b"sixteen letters!"
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def subscription(self, **changes: Any) -> dict[str, Any]:
        """Return what a browser calls `PushSubscription`, as JSON."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": encode(point), "auth": encode(self.secret)}
        return {"endpoint": f"{self.url}/push/{self.name}", "expirationTime": None, "keys": keys} | changes

    @property
    def seen(self) -> list[str]:
        """Return the texts of the notifications."""
        return [one.get("body", "") for one in self.received]


class PushService:
    """A push service. `answers`: the statuses of the next requests to a device, then 201.

    `misdeeds`: devices for which it hangs (slow), redirects (redirect), or answers with 10 MB (huge), of which `sent`
    bytes were taken.
    """

    def __init__(self) -> None:
        self.url = ""
        self.devices: dict[str, Device] = {}
        self.answers: dict[str, list[int]] = {}
        self.asked: list[str] = []
        self.misdeeds: dict[str, str] = {}
        self.sent, self.stopped = 0, asyncio.Event()

    def makes(self, name: str) -> Device:
        """Make a device."""
        device = self.devices[name] = Device(self.url, name)
        return device

    async def subscribes(self, person: Person, name: str = "", **changes: Any) -> Device:
        """Subscribe a device of this user's session."""
        device = self.makes(name or person.name)
        status, answer = await person.call("POST", "/api/push/subscriptions", device.subscription(**changes))
        assert status == 204, answer
        return device

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Receive a notification, as RFC 8030 says, or badly."""
        name, body = request.match_info["device"], await request.read()
        self.asked.append(name)
        if waiting := self.answers.get(name):
            return web.Response(status=waiting.pop(0))
        misdeed = self.misdeeds.get(name)
        if misdeed == "slow":
            await self.stopped.wait()
        if misdeed == "redirect":
            return web.Response(status=307, headers={"Location": f"{self.url}/push/inside"})
        device = self.devices[name]
        device.headers.append(dict(request.headers))
        device.sizes.append(len(body))
        device.received.append(json.loads(decrypt(body, device.private, device.secret)))
        return await send_megabytes(self, request, 201) if misdeed == "huge" else web.Response(status=201)


def check_token(header: str, key: str, origin: str) -> dict[str, Any]:
    """Check the signature of a VAPID header; return the claims."""
    fields = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
    assert fields["k"] == key
    point = decode(key)
    public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])})
    claims = jwt.decode(fields["t"], public, algorithms=["ES256"]).claims
    assert claims["aud"] == origin
    return claims


@asynccontextmanager
async def serving_push() -> AsyncIterator[PushService]:
    """Yield a push service on loopback."""
    service, app = PushService(), web.Application()
    app.router.add_post("/push/{device}", service.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()
