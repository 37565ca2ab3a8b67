"""Web Push: encrypted notifications for browsers and apps (RFC 8030, 8188, 8291), signed by this server (RFC 8292)."""

import base64
import hashlib
import os
import time
from collections import OrderedDict
from typing import Annotated, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from yarl import URL

from chat.accounts.models import Form

CURVE = ec.SECP256R1()
POINT, SECRET, SALT = 65, 16, 16  # bytes
DAY_MINUTES = 24 * 60
RECORD = 4096  # bytes of one record, which is the whole body: more is not accepted by all push services
TEXT_MOST = 3_840  # bytes of a notification
PADDED = 256  # bodies have a multiple of so many bytes, so that a push service learns little about the text
TTL_SECONDS = 24 * 3600  # for which a push service keeps a notification for a device that is away
TOKEN_SECONDS, TOKEN_RENEWED = 12 * 3600, 3600
ORIGINS_MOST = 1_000


def decode(text: str) -> bytes:
    """Return the bytes of base64url text, with or without padding. Raise `ValueError`."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def encode(data: bytes) -> str:
    """Return base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def check_point(text: str) -> str:
    """Return a public key of P-256. Raise `ValueError` for anything else."""
    if len(point := decode(text)) != POINT:
        raise ValueError("must be an uncompressed point of P-256")
    ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    return text


def check_secret(text: str) -> str:
    """Return a secret of 16 bytes. Raise `ValueError` for anything else."""
    if len(decode(text)) != SECRET:
        raise ValueError("must have 16 bytes")
    return text


class PushKeys(Form):
    """The keys of a browser or an app, as base64url."""

    p256dh: Annotated[str, Field(max_length=100), AfterValidator(check_point)]
    auth: Annotated[str, Field(max_length=30), AfterValidator(check_secret)]


class QuietHours(Form):
    """Hours of each day without notifications on this device: minutes since midnight in UTC. They may span midnight."""

    begins: Annotated[int, Field(ge=0, lt=DAY_MINUTES)]
    ends: Annotated[int, Field(ge=0, lt=DAY_MINUTES)]


class SubscriptionForm(BaseModel):
    """A browser's `PushSubscription` as JSON, or what an app has from UnifiedPush. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)

    endpoint: Annotated[str, Field(max_length=2048)]
    keys: PushKeys
    quiet: QuietHours | None = None


class PushRequest(NamedTuple):
    """A request to a push service."""

    url: str
    headers: dict[str, str]
    body: bytes


def derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes derived with HKDF and SHA-256."""
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key as an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(
    text: bytes,
    receiver: bytes,
    secret: bytes,
    *,
    salt: bytes | None = None,
    own: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return the body that only the owner of `receiver` and `secret` can read, by `aes128gcm` of RFC 8291.

    `text`: at most 3,840 bytes. `salt` and `own` are random; examples of the standard give them.
    """
    own, salt = own or ec.generate_private_key(CURVE), salt or os.urandom(SALT)
    public = point_of(own)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, receiver))
    key = derive(shared, secret, b"WebPush: info\0" + receiver + public, 32)
    content = derive(key, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derive(key, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD.to_bytes(4) + bytes([POINT]) + public
    return head + AESGCM(content).encrypt(nonce, text + b"\x02", None)


def pad(text: bytes) -> bytes:
    """Return JSON with spaces at its end, so that its length says little."""
    return text + b" " * (-len(text) % PADDED)


class Signer:
    """The identity of this server at push services: a key of P-256 (VAPID). `contact`: a URL, or empty."""

    def __init__(self, private: bytes, contact: str) -> None:
        self._key = ec.derive_private_key(int.from_bytes(private), CURVE)
        self._signing = ECKey.import_key(
            {"kty": "EC", "crv": "P-256", "d": encode(private), **self._coordinates(point_of(self._key))}
        )
        self._contact = contact
        self._tokens: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self.public = encode(point_of(self._key))

    @staticmethod
    def _coordinates(point: bytes) -> dict[str, str]:
        return {"x": encode(point[1:33]), "y": encode(point[33:])}

    def sign(self, url: str) -> str:
        """Return the Authorization header for a push service. Its token is used for an hour, and valid for twelve."""
        origin, now = str(URL(url).origin()), time.time()
        made, token = self._tokens.get(origin, (0.0, ""))
        if now - made > TOKEN_RENEWED:
            claims: dict[str, object] = {"aud": origin, "exp": int(now) + TOKEN_SECONDS}
            claims |= {"sub": self._contact} if self._contact else {}
            token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._signing)
            self._tokens[origin] = now, token
            if len(self._tokens) > ORIGINS_MOST:
                self._tokens.popitem(last=False)
        return f"vapid t={token}, k={self.public}"

    def make_request(self, url: str, receiver: bytes, secret: bytes, text: bytes, topic: str) -> PushRequest:
        """Return the request that delivers `text`. A later one with the same topic replaces it while it waits."""
        headers = {
            "Authorization": self.sign(url),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_SECONDS),
            "Topic": encode(hashlib.sha256(topic.encode()).digest()[:24]),
            "Urgency": "high",
        }
        return PushRequest(url, headers, encrypt(pad(text), receiver, secret))


def make_private_key() -> bytes:
    """Return the number of a new key of P-256."""
    return ec.generate_private_key(CURVE).private_numbers().private_value.to_bytes(32)
