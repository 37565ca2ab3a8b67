"""Bundled Valkey stops, loses its data, and starts under the same URL."""

from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.local.engine import ValkeyEngine

ONCE = Retry(NoBackoff(), 0)


def connected(valkey: ValkeyEngine) -> redis.Redis:
    """A client that tries once, for a short time."""
    return redis.Redis.from_url(valkey.url, socket_timeout=0.3, retry=ONCE, decode_responses=True)


def test_connections_need_the_password(folder: Path) -> None:
    """Connections without the password are refused, and the process list does not show it."""
    with ValkeyEngine(folder) as valkey:
        with redis.Redis(port=valkey.port, retry=ONCE) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert valkey.data_dir.secret() not in Path(f"/proc/{valkey.pid}/cmdline").read_text()


def test_starts_empty_under_the_same_url(folder: Path) -> None:
    """A killed server has lost its data; clients find the new one at the same address."""
    with ValkeyEngine(folder) as valkey, connected(valkey) as client:
        client.set("who", "ana")
        valkey.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        valkey.start()
        assert client.get("who") is None


def test_pause_keeps_the_data(folder: Path) -> None:
    """A paused server answers no one, and keeps its data."""
    with ValkeyEngine(folder) as valkey, connected(valkey) as client:
        client.set("who", "ana")
        valkey.pause()
        with pytest.raises(redis.TimeoutError):
            client.get("who")
        valkey.resume()
        assert client.get("who") == "ana"
