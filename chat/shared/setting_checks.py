"""Checks of settings: rates, addresses of servers, origins and claims.

Each returns the value, or raises `ValueError` with what is expected.
"""

import re
from ipaddress import IPv6Address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from limits import parse_many

from chat.shared.bus import BadBrokerUrl, check_broker_url, kind_of, split_queue
from chat.shared.redis import BadRedisUrl, connect_redis


def split_list(value: object) -> object:
    """Split `"a, b"` into `["a", "b"]`."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def check_rates(text: str) -> str:
    """Return rates such as `5/minute;20/hour`; raise `ValueError` if they cannot be parsed."""
    try:
        fine = all(item.amount > 0 for item in parse_many(text))
    except ValueError:
        fine = False
    if not fine:
        raise ValueError("must be like 5/minute or 5/minute;20/hour;60/day")
    return text


HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


def check_hosts(items: list[str]) -> list[str]:
    """Return host names in lower case, addresses, and networks; raise `ValueError` for anything else."""
    checked = []
    for item in items:
        try:
            network = ip_network(item)
            checked.append(str(network if "/" in item else network.network_address))
        except ValueError:
            if not HOST.fullmatch(item.lower()) or item.replace(".", "").isdigit():
                raise ValueError(f"{item} is no host, address or network, such as ci.internal or 10.1.0.0/16") from None
            checked.append(item.lower())
    return checked


def check_files_url(text: str) -> str:
    """Return `file:///srv/files`, `file:files` or `s3://bucket/prefix`; raise `ValueError` for other URLs."""
    parts = urlsplit(text)
    folder = parts.scheme == "file" and not parts.netloc and parts.path
    if not folder and not (parts.scheme == "s3" and parts.netloc):
        raise ValueError("must be like file:///srv/files or s3://bucket/prefix?endpoint=https://s3.example")
    return text


DEFAULT_PORTS = {"http": 80, "https": 443}


QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


class Origin(NamedTuple):
    """An origin as in RFC 6454. As text it has no default port, as browsers write it."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def parse_origin(text: str) -> Origin | None:
    """Return scheme, host and port; None for anything else.

    The default port may be written or not (RFC 6454). The dot at the end of a full domain name may be missing too,
    because nginx removes it from the Host header. An IPv6 address has several spellings.

    >>> str(parse_origin("https://chat.example.:443"))
    'https://chat.example'
    """
    try:
        parts = urlsplit(text)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        host = (parts.hostname or "").removesuffix(".")
        host = str(IPv6Address(host)) if ":" in host else host
    except ValueError:
        return None
    if not (host and port) or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        return None
    return Origin(parts.scheme, host, port)


def check_public_url(text: str) -> str:
    """Return the URL without a trailing slash; raise `ValueError` unless it is scheme and host alone."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query):
        raise ValueError("must be like https://chat.example.com")
    return text.rstrip("/")


def check_origins(texts: list[str]) -> list[str]:
    """Return the origins; raise `ValueError` for a text that no browser sends as one."""
    if wrong := [text for text in texts if parse_origin(text) is None]:
        raise ValueError(f"{wrong[0]} is not an origin such as https://app.example.com")
    return texts


ANCESTOR = re.compile(r"(?ai)self|https?://(\*\.)?[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:\d{1,5})?")


def check_ancestors(texts: list[str]) -> list[str]:
    """Return the sources of `frame-ancestors`; raise `ValueError` for a text that is none."""
    if wrong := [text for text in texts if not ANCESTOR.fullmatch(text)]:
        raise ValueError(f"{wrong[0]} is not self, or like https://shop.example.com or https://*.example.com")
    return texts


def check_redis_url(text: str) -> str:
    """Return a URL of Redis, or an empty text; raise `ValueError` if no client can be made of it."""
    try:
        if text:
            connect_redis(text)
    except BadRedisUrl as error:
        raise ValueError(str(error).removeprefix("REDIS_URL ")) from None
    return text


def check_bus_url(text: str) -> str:
    """Return a URL of Redis, RabbitMQ or NATS, or an empty text; raise `ValueError` if it cannot be used."""
    try:
        if text and kind_of(text) != "redis":
            check_broker_url(text)
            return text
    except BadBrokerUrl as error:
        raise ValueError(str(error)) from None
    return check_redis_url(text)


def check_queue_url(text: str) -> str:
    """Return the URL of a queue or an exchange, which its path ends in, or an empty text; raise `ValueError`."""
    server, name = split_queue(text)
    if text and not QUEUE.fullmatch(name):
        raise ValueError("must end in the name of a queue or exchange: letters, digits, and the characters . _ -")
    check_bus_url(server)
    return text


def check_smtp_url(text: str) -> str:
    """Return the URL of a mail server, or an empty text; raise `ValueError` for others."""
    parts = urlsplit(text)
    try:
        fine = parts.scheme in ("smtp", "smtps") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if text and not (fine and not parts.path.strip("/") and not parts.query):
        raise ValueError("must be like smtp://user:password@mail.example.com:587 or smtps://mail.example.com")
    return text


def check_http_url(text: str) -> str:
    """Return the URL; raise `ValueError` unless it is one of HTTP, or empty."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("must be like https://login.example.com/keys.json")
    return text


CLAIMS = ("id", "name", "display_name", "picture", "groups")  # what claims of a token can tell about a user


def check_claims(texts: list[str]) -> list[str]:
    """Return pairs such as `name=nickname`; raise `ValueError` for others."""
    if wrong := [text for text in texts if text.partition("=")[0] not in CLAIMS or not text.partition("=")[2]]:
        raise ValueError(f"{wrong[0]} is not like name=nickname. The left side is one of {', '.join(CLAIMS)}")
    return texts


def check_oidc_claims(texts: list[str]) -> list[str]:
    """Return the same pairs, without `id`: a user of a provider is known by `sub` alone. Raise `ValueError`."""
    if any(text.startswith("id=") for text in texts):
        raise ValueError("id cannot be changed: users of a provider are known by `sub`, which never changes")
    return check_claims(texts)


def check_issuer(text: str) -> str:
    """Return the URL of a provider; raise `ValueError` unless it has TLS or is on this machine."""
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if text and not ((parts.scheme == "https" and parts.hostname) or local):
        raise ValueError("must be like https://login.example.com/realms/main, exactly as the provider writes it")
    if parts.query or parts.fragment:
        raise ValueError("must have no query and no fragment")
    return text
