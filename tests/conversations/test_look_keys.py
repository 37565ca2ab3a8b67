"""Channels that were named before look keys, or by a node of another version, get their keys from `tandem migrate`."""

from collections.abc import AsyncIterator, Iterable

import pytest

from chat.migrations import FILL_BATCH, fill_look_keys
from chat.model.types import NAME_MOST
from chat.shared.appearance import look_key
from chat.shared.postgres import Connection
from tests.cast import Person
from tests.verbs import CONVERSATIONS, tries

OLD = "insert into conversations (kind, name, look_key) values ('channel', %s, null) returning id"
NEWER = "insert into conversations (kind, name) values ('channel', %s) returning id"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Connection]:
    """A connection as `tandem migrate` has it."""
    async with await Connection.connect(database_url, autocommit=True) as connection:
        yield connection


async def adds(database: Connection, statement: str, names: Iterable[str]) -> list[int]:
    """Insert channels as they were stored; return their ids."""
    rows = [await (await database.execute(statement.encode(), [name])).fetchone() for name in names]
    return [int(row[0]) for row in rows if row]


async def listed(person: Person, **query: str) -> list[str]:
    """Return the names of all public channels, page by page."""
    names, after = [], ""
    while True:
        _, page = await person.call("GET", "/api/chat/channels", params={"after": after, **query})
        names += [one["name"] for one in page["channels"]]
        if not (after := page.get("next", "")):
            return names


async def test_old_channels_get_keys(ana: Person, database: Connection) -> None:
    """Of two that look alike the older one gets the key; the other continues and is named, until it is renamed."""
    older, twin, *_ = await adds(database, OLD, ["general", "GENERAL\u00ad", "ΟΔΟΣ", "İ", "i"])
    await adds(database, NEWER, ["οδος", "Küche"])
    said: list[str] = []
    assert await fill_look_keys(database, said.append) == 7
    assert [line.partition(" looks")[0] for line in said] == [f"channel {twin} (GENERAL\u00ad)", "channel 6 (οδος)"]
    assert await fill_look_keys(database, said.append) == 0
    assert await listed(ana) == ["general", "GENERAL\u00ad", "i", "İ", "Küche", "ΟΔΟΣ", "οδος"]
    assert await listed(ana, q="KÜCHE") == ["Küche"]
    for name in ("General", "οδοσ", "kÜche"):
        draft = {"kind": "channel", "name": name}
        assert await tries(ana, "POST", CONVERSATIONS, draft) == (409, "name_taken")
    here = f"{CONVERSATIONS}/{twin}"
    await database.execute(b"update users set role = 'admin'")
    assert await tries(ana, "PUT", f"{here}/members/me") == (201, "")
    await database.execute(b"update memberships set role = 'owner'")
    assert await tries(ana, "PATCH", here, {"topic": "still here"}) == (200, "")
    assert await tries(ana, "PATCH", here, {"name": "GENERAL"}) == (409, "name_taken")
    assert await tries(ana, "PATCH", here, {"name": "other"}) == (200, "")
    assert older < twin


async def test_many_channels_get_keys_in_batches(ana: Person, database: Connection) -> None:
    """More than a batch, with a twin in another one; the freed key goes to the twin at the next run."""
    names = [f"Room {n}" for n in range(FILL_BATCH + 30)] + ["ROOM 7"]
    ids = await adds(database, OLD, names)
    said: list[str] = []
    assert await fill_look_keys(database, said.append) == len(names)
    assert len(said) == 1
    assert len(await listed(ana)) == len(names)
    await database.execute(b"update conversations set archived_at = now() where id = %s", [ids[7]])
    assert await fill_look_keys(database, said.append) == 1
    assert len(said) == 1
    assert await tries(ana, "POST", CONVERSATIONS, {"kind": "channel", "name": "room 7"}) == (409, "name_taken")


async def test_the_longest_key_is_stored_and_listed(ana: Person) -> None:
    """A character becomes up to eighteen in a key, which still fits into the index and into the next page's address."""
    name = "\ufdfa" * NAME_MOST
    assert await tries(ana, "POST", CONVERSATIONS, {"kind": "channel", "name": name}) == (201, "")
    assert await tries(ana, "POST", CONVERSATIONS, {"kind": "channel", "name": name}) == (409, "name_taken")
    assert await ana.call("GET", "/api/chat/channels", params={"after": look_key(name)}) == (200, {"channels": []})
    assert await listed(ana, q="صلى") == [name]


async def test_a_name_given_by_a_node_of_another_version_is_found(ana: Person, database: Connection) -> None:
    """Such a node knows no keys: it renames a channel and leaves the old one."""
    (room,) = await adds(database, OLD, ["before"])
    await fill_look_keys(database, print)
    await database.execute(b"update conversations set name = 'After' where id = %s", [room])
    assert await fill_look_keys(database, print) == 1
    assert await listed(ana, q="after") == ["After"]
