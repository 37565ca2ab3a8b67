"""The registry a command works on: the one REDIS_URL names, else the one that `tandem up` keeps in its folder."""

from pathlib import Path

from chat.engines.valkey import ValkeyEngine
from chat.up.trouble import NotRunning
from chat.up.urls import given_urls


def registry_at_hand(data: Path) -> str:
    """Its URL; raises `NotRunning` when nobody serves in the folder."""
    if given := given_urls().redis:
        return given
    engine = ValkeyEngine(data / "valkey")
    if not engine.adopt_port():
        raise NotRunning(data)
    return engine.url
