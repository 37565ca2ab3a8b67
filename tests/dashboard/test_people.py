"""The list of users: by name, in pages, filtered by the server."""

import pytest

from presence import dashboard
from tests.cast import Cast, Person
from tests.dashboard.looking import asks, finds
from tests.nodes import Node
from tests.presence.presence_client import opens_presence
from tests.waiting import eventually


@pytest.fixture(params=["few", "many"], autouse=True)
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to find users: from the nodes' entries, and through all names."""
    if request.param == "many":
        monkeypatch.setattr(dashboard, "FEW", 0)
        monkeypatch.setattr(dashboard, "BATCH", 2)


async def test_filtered_by_name_status_and_node(cast: Cast, ada: Person, other: Node) -> None:
    """The status is the one that others see; an invisible user is offline for all."""
    ben, chloe, dora, _ = await cast.enters("ben", "chloe", "Dora_100%", "edgar")
    chloe.at = other.url
    watchers = [await opens_presence(person) for person in (ben, chloe, dora)]
    await watchers[1].says("status", status="dnd", text="focus")
    await watchers[2].says("status", status="invisible")

    async def settled() -> bool:
        return await finds(ada) == ["ben", "chloe"]

    await eventually(settled)
    (line,) = (await asks(ada, "people", node="b2"))["people"]
    assert (line["name"], line["status"], line["text"], line["nodes"]) == ("chloe", "dnd", "focus", ["b2"])
    assert (line["devices"], line["disabled"], line["role"]) == (1, False, "member")
    assert await finds(ada, status="online") == ["ben"]
    assert await finds(ada, q="HLO") == ["chloe"]
    assert await finds(ada, q="_100%", status="any") == ["Dora_100%"]
    assert await finds(ada, q="_", status="here") == []
    assert await finds(ada, status="offline") == ["ada", "Dora_100%", "edgar"]
    for one in watchers:
        await one.leaves()


async def test_pages_follow_each_other(cast: Cast, ada: Person) -> None:
    """Pages follow each other by name, without gap or repeat; the last one says so."""
    names = [f"walker{n}" for n in range(5)]
    watchers = [await opens_presence(person) for person in await cast.enters(*names)]

    async def all_here() -> bool:
        return len(await finds(ada)) == len(names)

    await eventually(all_here)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await asks(ada, "people", limit=2, after=after)
        seen += [one["name"] for one in page["people"]]
        after = page["next"]
    assert seen == names
    for one in watchers:
        await one.leaves()


async def test_a_long_scan_stops_and_says_where_to_continue(
    cast: Cast, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no user matches among the first names, the page is empty and not the last one."""
    await cast.enters(*(f"walker{n}" for n in range(6)))
    monkeypatch.setattr(dashboard, "LOOKED_MOST", 4)
    monkeypatch.setattr(dashboard, "BATCH", 2)
    page = await asks(ada, "people", status="offline", q="zed")
    assert (page["people"], page["next"], page["looked"]) == ([], None, 0)
    page = await asks(ada, "people", status="offline", node="b2")
    assert (page["people"], page["next"], page["looked"]) == ([], "walker2", 4)


@pytest.mark.parametrize("query", ["status=asleep", "limit=0", "limit=201", "q=" + "x" * 101, "node=%00"])
async def test_invalid_parameters_are_refused(ada: Person, query: str) -> None:
    """Each invalid parameter is named."""
    status, problem = await ada.call("GET", f"/api/presence/people?{query}")
    assert (status, problem["code"], problem["errors"][0]["field"]) == (422, "invalid", query.partition("=")[0])
