"""The other half of a passkey: a device that makes key pairs and signs challenges, as WebAuthn 3 describes it."""

import base64
import hashlib
import os
from typing import Any

import cbor2
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
Json = dict[str, Any]


def encode(data: bytes) -> str:
    """Encode base64url, as browsers write bytes in JSON."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """Stores one passkey. `origin`: the page that asks; `verified`: whether the user gives a PIN, a finger or a
    face."""

    def __init__(self, origin: str, verified: bool = True) -> None:
        self.origin, self.verified = origin, verified
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.count = 0

    def creates(self, options: Json) -> Json:
        """Return the answer to `navigator.credentials.create`."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(cose)
        data = self._data(options["rp"]["id"], ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": self._client(options, "create"), "attestationObject": encode(attestation)}
        return self._credential(response | {"transports": ["internal"]})

    def signs(self, options: Json) -> Json:
        """Return the answer to `navigator.credentials.get`."""
        self.count += 1
        client, data = self._client(options, "get"), self._data(options["rpId"])
        digest = hashlib.sha256(base64.urlsafe_b64decode(client + "==")).digest()
        signature = self.key.sign(data + digest, ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": client, "authenticatorData": encode(data), "signature": encode(signature)}
        return self._credential(response)

    def _client(self, options: Json, what: str) -> str:
        said = {"type": f"webauthn.{what}", "challenge": options["challenge"], "origin": self.origin}
        return encode(orjson.dumps(said))

    def _data(self, host: str, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _credential(self, response: Json) -> Json:
        return {"id": encode(self.id), "rawId": encode(self.id), "type": "public-key", "response": response}
