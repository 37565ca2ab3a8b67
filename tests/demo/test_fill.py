"""Filling an empty database with the demo."""

import aiohttp

from chat.demo.fill import PASSWORD, TALK, fill_empty
from chat.demo.script import PEOPLE, read_scenes
from chat.shared.settings import Settings, read_settings
from tests.cast import Person
from tests.nodes import running_node


def settings_of(database_url: str, redis_url: str) -> Settings:
    """As a node would have them."""
    return read_settings(database_url=database_url, redis_url=redis_url)


async def log_in(http: aiohttp.ClientSession, at: str, name: str) -> Person:
    """With the password that the README names."""
    async with http.post(f"{at}/api/sessions", json={"name": name, "password": PASSWORD}) as answer:
        assert answer.status == 201
        told = await answer.json()
        return Person(http, at, name, told["user"]["id"], told["token"])


async def test_ana_finds_everything(database_url: str, redis_url: str) -> None:
    """She logs in, sees her conversations, and reads what was said in the order of the script."""
    filled = await fill_empty(settings_of(database_url, redis_url))
    assert filled is not None
    assert filled.people == len(PEOPLE)
    async with running_node(database_url, redis_url) as node, aiohttp.ClientSession() as http:
        ana = await log_in(http, node.url, "ana")
        _, listed = await ana.call("GET", "/api/chat/conversations")
        ids = {one["name"]: one["id"] for one in listed["conversations"]}
        for scene in read_scenes(TALK.read_text()):
            if scene.kind == "channel" and "ana" in scene.people:
                _, page = await ana.call("GET", f"/api/chat/conversations/{ids[scene.name]}/messages?limit=200")
                assert [message["body"] for message in page["messages"]] == [what for _, what in scene.lines]


async def test_only_an_empty_database_is_filled(database_url: str, redis_url: str) -> None:
    """Where somebody is, nothing is added."""
    assert await fill_empty(settings_of(database_url, redis_url)) is not None
    assert await fill_empty(settings_of(database_url, redis_url)) is None
