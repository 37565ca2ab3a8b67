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


async def test_an_empty_database_is_filled(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Users find the conversations of the script in it, and it is not filled twice."""
    settings = settings_of(database_url, redis_url, tmp_path)
    filled = await fill_empty(settings)
    assert filled is not None
    assert filled.users == len(USERS)
    async with running_node(database_url, redis_url) as node, aiohttp.ClientSession() as http:
        await ana_finds_everything(await log_in(http, node.url, "ana"))
        await yesterday_is_read_and_today_is_unread(await log_in(http, node.url, "ben"))
    messages_lie_in_the_past(database_url)
    assert await fill_empty(settings) is None


async def ana_finds_everything(ana: Person) -> None:
    """Check that Ana reads the messages of her channels in the order of the script, with their files."""
    _, listed = await ana.call("GET", "/api/chat/conversations")
    ids = {one["name"]: one["id"] for one in listed["conversations"]}
    for scene in read_scenes(SCRIPT.read_text()):
        if scene.kind == "channel" and "ana" in scene.members:
            _, page = await ana.call("GET", f"/api/chat/conversations/{ids[scene.name]}/messages?limit=200")
            assert [message["body"] for message in page["messages"]] == [line.text for line in scene.lines]
            carried = [tuple(file["name"] for file in one.get("files", ())) for one in page["messages"]]
            assert carried == [line.files for line in scene.lines]


async def yesterday_is_read_and_today_is_unread(ben: Person) -> None:
    """Check the order of the conversations, and that unread messages are unread for all but their authors."""
    _, listed = await ben.call("GET", "/api/chat/conversations")
    unread = {one["name"]: one["unread"] for one in listed["conversations"] if one["kind"] == "channel"}
    last = [one["last_message"]["created_at"] for one in listed["conversations"]]
    assert last == sorted(last, reverse=True)
    assert sum(unread.values()) > 5
    scenes = {scene.name: scene for scene in read_scenes(SCRIPT.read_text("utf-8"))}
    for name, number in unread.items():
        spoken = [place for place, line in enumerate(scenes[name].lines, 1) if line.author == "ben"]
        assert number == len(scenes[name].lines) - max(scenes[name].count_read(), *spoken)


def messages_lie_in_the_past(database_url: str) -> None:
    """Check that messages lie in the past days, and that every position of the log has an entry."""
    with psycopg.connect(database_url) as database:
        spread = database.execute("select now() - min(created_at), max(created_at) < now() from messages").fetchone()
        places = database.execute("select count(*), max(position), (select position from log_head) from log").fetchone()
    assert spread is not None
    assert spread[0] > timedelta(days=6)
    assert spread[1]
    assert places is not None
    assert places[0] == places[1] == places[2]
