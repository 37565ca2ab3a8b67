"""Filling an empty database with the demo."""

from datetime import timedelta
from pathlib import Path

import aiohttp
import psycopg

from chat.local.demo import PASSWORD, SCRIPT, USERS, fill_empty, read_scenes
from chat.shared.settings import Settings, read_settings
from tests.cast import Person
from tests.nodes import running_node


def settings_of(database_url: str, redis_url: str, folder: Path) -> Settings:
    """Return the settings of a node."""
    return read_settings(database_url=database_url, redis_url=redis_url, files_url=folder.as_uri())


async def log_in(http: aiohttp.ClientSession, at: str, name: str) -> Person:
    """Log in with the password of the README."""
    async with http.post(f"{at}/api/sessions", json={"name": name, "password": PASSWORD}) as answer:
        assert answer.status == 201
        told = await answer.json()
        return Person(http, at, name, told["user"]["id"], told["token"])


async def test_ana_finds_everything(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Ana logs in, sees her conversations, and reads the messages in the order of the script."""
    filled = await fill_empty(settings_of(database_url, redis_url, tmp_path))
    assert filled is not None
    assert filled.users == len(USERS)
    async with running_node(database_url, redis_url) as node, aiohttp.ClientSession() as http:
        ana = await log_in(http, node.url, "ana")
        _, listed = await ana.call("GET", "/api/chat/conversations")
        ids = {one["name"]: one["id"] for one in listed["conversations"]}
        for scene in read_scenes(SCRIPT.read_text()):
            if scene.kind == "channel" and "ana" in scene.members:
                _, page = await ana.call("GET", f"/api/chat/conversations/{ids[scene.name]}/messages?limit=200")
                assert [message["body"] for message in page["messages"]] == [line.text for line in scene.lines]
                carried = [tuple(file["name"] for file in one.get("files", ())) for one in page["messages"]]
                assert carried == [line.files for line in scene.lines]


async def test_yesterday_is_read_and_today_is_unread(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Messages lie in the past days, in the order of their times; unread ones are unread for all but their authors."""
    await fill_empty(settings_of(database_url, redis_url, tmp_path))
    async with running_node(database_url, redis_url) as node, aiohttp.ClientSession() as http:
        ben = await log_in(http, node.url, "ben")
        _, listed = await ben.call("GET", "/api/chat/conversations")
        unread = {one["name"]: one["unread"] for one in listed["conversations"] if one["kind"] == "channel"}
        last = [one["last_message"]["created_at"] for one in listed["conversations"]]
    assert last == sorted(last, reverse=True)
    assert sum(unread.values()) > 5
    scenes = {scene.name: scene for scene in read_scenes(SCRIPT.read_text("utf-8"))}
    for name, number in unread.items():
        spoken = [place for place, line in enumerate(scenes[name].lines, 1) if line.author == "ben"]
        assert number == len(scenes[name].lines) - max(scenes[name].count_read(), *spoken)
    with psycopg.connect(database_url) as database:
        spread = database.execute("select now() - min(created_at), max(created_at) < now() from messages").fetchone()
        places = database.execute("select count(*), max(position), (select position from log_head) from log").fetchone()
    assert spread is not None
    assert spread[0] > timedelta(days=6)
    assert spread[1]
    assert places is not None
    assert places[0] == places[1] == places[2]


async def test_only_an_empty_database_is_filled(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """A database with a user is left unchanged."""
    assert await fill_empty(settings_of(database_url, redis_url, tmp_path)) is not None
    assert await fill_empty(settings_of(database_url, redis_url, tmp_path)) is None
