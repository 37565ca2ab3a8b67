"""Previews of links: a card of the page that a message links to, fetched by one node and delivered as an entry.

Sites are hostile: slow, huge, redirecting to the server's own network, or full of signs that deceive readers. Readers
who may not read the message learn nothing of its previews, and none is left after the link, the message or the preview
was removed.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, LiteralString

import orjson
import psycopg
import pytest
from yarl import URL

from chat.api_schema.stream_events import PreviewsChange
from chat.app import TASKS
from chat.files.images import missing_layers, nothing, read_layers, run_worker
from chat.messages import previews
from chat.messages.previews import WORKER, fetch_preview
from chat.shared.http_client import NotFetched, check_public
from tests.cast import Cast, Person, casting
from tests.messages.sites import Site, serving_pages
from tests.nodes import Node, running_node
from tests.verbs import CONVERSATIONS, begins, deletes, edits, pages, removes_member, sees, tries
from tests.waiting import eventually

LOOPBACK = frozenset({"127.0.0.1"})
ON = {"link_previews": True, "link_previews_allow": ["127.0.0.1"]}
TOMATOES = {
    "title": "How to grow tomatoes",
    "description": "Water them — but not too much.",
    "site": "The Garden",
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of the log is claimed at once."""
    monkeypatch.setattr("chat.log.subscriptions.CLAIM_SECONDS", 0.05)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A site."""
    async with serving_pages() as site:
        yield site


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[tuple[Node, Cast]]:
    """A node that makes previews, also of pages on 127.0.0.1, and its users."""
    async with running_node(database_url, redis_url, **ON) as node, casting(database_url, node.url) as cast:
        await reads_along(database_url)
        yield node, cast


async def reads_along(database_url: str) -> None:
    """Wait until a node reads the log for previews."""
    await finds(database_url, "select from subscriptions where target = 'previews' and holder is not null")


async def takes_all(database_url: str) -> None:
    """Wait until the node has read the log to its end."""
    ahead = "select from subscriptions s, log_head h where s.target = 'previews' and s.position >= h.position"
    await finds(database_url, ahead)


async def finds(database_url: str, asked: LiteralString) -> None:
    """Wait until a query finds a row."""

    def found() -> bool:
        with psycopg.connect(database_url) as database:
            return database.execute(asked).fetchone() is not None

    await eventually(found)


async def shown(person: Person, room: int, seq: int = 1) -> Any:
    """Return the previews of a message as the history has them."""
    (message,) = [one for one in (await pages(person, room))["messages"] if one["seq"] == seq]
    return message.get("previews")


def entries_with(database_url: str, text: str) -> int:
    """Return the number of entries of the log that have this text."""
    with psycopg.connect(database_url) as database:
        row = database.execute("select count(*) from log where position(%s in frame) > 0", [text.encode()]).fetchone()
    assert row is not None
    return int(row[0])


def place(room: int, seq: int, url: str) -> str:
    """Return the path of a preview."""
    return f"{CONVERSATIONS}/{room}/messages/{seq}/previews?url={url}"


async def test_readers_get_a_card_of_the_page(stage: tuple[Node, Cast], site: Site) -> None:
    """It arrives as an entry; the history, the snapshot and a reader that reconnects have it too."""
    _, cast = stage
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "room", ben)
    reader, before = await ben.listens(), (await sees(ben))["cursor"]
    message = await ana.says(room, f"look (here: {site.url}/article), and not at `{site.url}/code`")
    assert "previews" not in message
    event = await reader.hears_event("previews")
    card = {"url": f"{site.url}/article", **TOMATOES}
    assert event.json() == {"conversation": room, "seq": 1, "previews": [card]}
    PreviewsChange.model_validate(event.json())
    assert await shown(ben, room) == [card]
    assert (await sees(ben))["conversations"][0]["last_message"]["previews"] == [card]
    again = await ben.listens(after=before)
    assert (await again.hears_event("previews")).json() == event.json()
    assert site.paths == ["/article"]
    headers = site.asked[0][1]
    assert headers["User-Agent"] == "Tandem link previews"
    assert not {"Cookie", "Referer", "Authorization"} & headers.keys()


async def test_three_links_have_previews_in_their_order(stage: tuple[Node, Cast], site: Site) -> None:
    """A fourth has none; a link that was fetched within the hour is not fetched again; redirects are followed."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room, reader = await begins(ana, "channel", "room"), await ana.listens()
    await ana.says(room, " ".join(f"{site.url}{path}" for path in ("/moved", "/empty", "/latin", "/japanese")))
    told = (await reader.hears_event("previews")).json()["previews"]
    assert [(one["url"], one["title"]) for one in told] == [
        (f"{site.url}/moved", "How to grow tomatoes"),
        (f"{site.url}/latin", "Frühstück"),
    ]
    assert sorted(site.paths) == ["/article", "/empty", "/latin", "/moved"]
    await ana.says(room, f"again {site.url}/latin {site.url}/empty")
    await eventually(lambda: len(reader.named("previews")) == 2)
    assert len(site.paths) == 4


async def test_an_edit_keeps_and_fetches_what_the_text_links_to(
    stage: tuple[Node, Cast], site: Site, database_url: str
) -> None:
    """The edit itself has no preview of the link that is gone, and neither has the log."""
    _, cast = stage
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "room", ben)
    cursor, reader = (await sees(ben))["cursor"], await ben.listens()
    await ana.says(room, f"{site.url}/article {site.url}/latin")
    await reader.hears_event("previews")
    edited = await edits(ana, room, 1, f"{site.url}/latin {site.url}/japanese")
    assert [one["title"] for one in edited["previews"]] == ["Frühstück"]
    await eventually(lambda: len(reader.named("previews")) == 2)
    assert [one["title"] for one in await shown(ben, room)] == ["Frühstück", "トマト"]
    assert entries_with(database_url, TOMATOES["title"]) == 0
    again = await ben.listens(after=cursor)  # from the recent entries of the node
    told = (await again.hears_event("previews")).json()
    assert [one["title"] for one in told["previews"]] == ["Frühstück", "トマト"]
    assert not any(TOMATOES["title"].encode() in event.raw for event in again.events)


async def test_a_deleted_message_has_no_previews(stage: tuple[Node, Cast], site: Site, database_url: str) -> None:
    """Not in the history, and not in the log."""
    _, cast = stage
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "room", ben)
    cursor, reader = (await sees(ben))["cursor"], await ben.listens()
    await ana.says(room, f"{site.url}/article")
    await reader.hears_event("previews")
    await deletes(ana, room, 1)
    assert await shown(ben, room) is None
    assert entries_with(database_url, TOMATOES["title"]) == 0
    again = await ben.listens(after=cursor)
    await again.hears_event("delete")
    assert not any(b"tomatoes" in event.raw for event in again.events)


async def test_a_preview_can_be_removed_for_good(stage: tuple[Node, Cast], site: Site, database_url: str) -> None:
    """by the author, and by those who may delete the message; an edit does not bring it back. Others may not."""
    _, cast = stage
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room = await begins(ana, "channel", "room", ben, mallory, private=True)
    cursor, reader = (await sees(ben))["cursor"], await ben.listens()
    await ben.says(room, f"{site.url}/article {site.url}/latin")
    await reader.hears_event("previews")
    await edits(ben, room, 1, f"! {site.url}/article {site.url}/latin")
    first, second = f"{site.url}/article", f"{site.url}/latin"
    assert await tries(mallory, "DELETE", place(room, 1, first)) == (403, "forbidden")
    assert (await ben.call("DELETE", place(room, 1, first)))[0] == 204
    assert (await ben.call("DELETE", place(room, 1, first)))[0] == 204
    await eventually(lambda: len(reader.named("previews")) == 2)
    assert [one["url"] for one in reader.named("previews")[1].json()["previews"]] == [second]
    assert entries_with(database_url, TOMATOES["title"]) == 0
    assert (await ana.call("DELETE", place(room, 1, second)))[0] == 204
    await eventually(lambda: len(reader.named("previews")) == 3)
    assert reader.named("previews")[2].json()["previews"] == []
    assert await shown(ana, room) is None
    await edits(ben, room, 1, f"again {site.url}/article {site.url}/japanese")
    await eventually(lambda: len(reader.named("previews")) == 4)
    assert [one["title"] for one in await shown(ben, room)] == ["トマト"]
    again = await ben.listens(after=cursor)
    await eventually(lambda: again.named("previews"))
    assert not any(b"tomatoes" in event.raw for event in again.events)


async def test_previews_are_for_those_who_may_read_the_message(stage: tuple[Node, Cast], site: Site) -> None:
    """Mallory, who was removed, receives none and may remove none."""
    _, cast = stage
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room = await begins(ana, "channel", "room", ben, mallory, private=True)
    outsider, reader = await mallory.listens(), await ben.listens()
    await removes_member(ana, room, mallory)
    await ana.says(room, f"{site.url}/article")
    await reader.hears_event("previews")
    other = await begins(ana, "channel", "other", mallory)
    await ana.says(other, "the last")
    await outsider.hears("the last")
    assert outsider.named("previews") == []
    assert await tries(mallory, "DELETE", place(room, 1, f"{site.url}/article")) == (404, "not_found")


async def test_nothing_is_fetched_unless_the_setting_is_on(node: Node, ana: Person, site: Site) -> None:
    """By default no page is fetched, and no reader of the log for them exists."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, f"{site.url}/article")
    names = {task.get_name() for task in node.app[TASKS]._running}
    assert names
    assert not any("previews" in name for name in names)
    assert site.asked == []


async def test_a_streamed_message_has_previews_when_it_is_finished(stage: tuple[Node, Cast], site: Site) -> None:
    """Its links may be half written before."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room, reader = await begins(ana, "channel", "room"), await ana.listens()
    message = f"{CONVERSATIONS}/{room}/messages"
    await ana.call("POST", message, {"body": f"{site.url}/art", "client_id": "s1", "streaming": True})
    await ana.call("POST", f"{message}/1/append", {"at": len(f"{site.url}/art"), "text": "icle"})
    await ana.call("POST", f"{message}/1/finish", {"state": "complete"})
    assert (await reader.hears_event("previews")).json()["previews"][0]["title"] == TOMATOES["title"]
    assert site.paths == ["/article"]


async def test_one_author_cannot_use_up_what_others_need(
    database_url: str, redis_url: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links beyond an author's rate have no preview. While slow pages are fetched, others take their turns."""
    monkeypatch.setattr(previews, "AT_ONCE", 1)
    limits = {"rate_limits": True, "rate_preview": "3/hour"}
    async with (
        running_node(database_url, redis_url, **ON, **limits) as node,
        casting(database_url, node.url) as cast,
    ):
        await reads_along(database_url)
        ana, mallory = await cast.enters("ana", "mallory")
        room = await begins(ana, "channel", "room", mallory)
        reader = await ana.listens()
        await mallory.says(room, f"{site.url}/slow {site.url}/latin {site.url}/japanese")
        await eventually(lambda: site.paths == ["/slow"])
        await mallory.says(room, f"{site.url}/lies")
        await ana.says(room, f"{site.url}/article")
        await takes_all(database_url)
        site.go.set()
        await eventually(lambda: len(reader.named("previews")) == 2)
        assert [event.json()["seq"] for event in reader.named("previews")] == [3, 1]
        assert "/lies" not in site.paths


# Pages, without a chat around them.


async def card(site: Site, path: str) -> Any:
    """Return the preview of a page of the site."""
    return await fetch_preview(site.url + path, LOOPBACK)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/lies", "Fr\N{REPLACEMENT CHARACTER}hst\N{REPLACEMENT CHARACTER}ck"),
        ("/unknown-charset", "plain"),
        ("/bidi", "gnp.exe [31m tomato"),
        ("/endless-head", "begins"),
        ("/huge", "ten megabytes"),
    ],
)
async def test_hostile_pages_are_cleaned(site: Site, path: str, title: str) -> None:
    """Only a plain line of text is left, whatever the page sends."""
    assert (await card(site, path))["title"] == title
    assert site.sent < 5_000_000


async def test_texts_are_cut(site: Site) -> None:
    """A title has at most 200 characters."""
    title = (await card(site, "/long"))["title"]
    assert (len(title) <= 200, title.endswith("…")) == (True, True)


@pytest.mark.parametrize("path", ["/empty", "/text", "/picture", "/gone", "/loop", "/inside", "/unclosed"])
async def test_what_is_no_page_has_no_preview(site: Site, path: str) -> None:
    """Neither has a page that redirects to an address that is not public: nothing is asked there."""
    assert await card(site, path) is None
    assert "/secret" not in site.paths


async def test_a_slow_page_has_no_preview(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is for the whole of it."""
    monkeypatch.setattr("chat.shared.http_client.SECONDS", 0.3)
    assert await card(site, "/slow") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/article",
        "http://localhost:{port}/article",
        "http://2130706433:{port}/article",
        "http://[::ffff:127.0.0.1]:{port}/article",
        "http://192.0.2.1:6379/",
        "http://ana:secret@192.0.2.1/",
        "ftp://192.0.2.1/",
    ],
)
async def test_only_public_addresses_are_asked(site: Site, url: str) -> None:
    """Neither this machine, in any spelling, nor other ports or schemes."""
    assert await fetch_preview(url.format(port=site.url.rpartition(":")[2]), frozenset()) is None
    assert site.asked == []


async def test_a_password_in_an_address_is_not_sent(site: Site) -> None:
    """Not even to a site that may be asked."""
    link = site.url.replace("://", "://ana:secret@") + "/article"
    assert await fetch_preview(link, LOOPBACK) is None
    assert site.asked == []


def test_other_ports_than_those_of_pages_are_not_asked() -> None:
    """Links must not find out which services listen somewhere."""
    check_public(URL("http://93.184.215.14/"), page=True)
    check_public(URL("https://93.184.215.14:443/"), page=True)
    with pytest.raises(NotFetched, match="port"):
        check_public(URL("http://93.184.215.14:6379/"), page=True)


async def test_the_worker_is_confined() -> None:
    """All layers of the sandbox that this machine has are in effect, and a page is read within them."""
    output = await run_worker(WORKER, ["utf-8"], nothing())
    assert missing_layers(orjson.loads(output)["layers"]) == missing_layers(await read_layers())


def test_no_query_reads_messages_without_previews() -> None:
    """The view of earlier versions is only for their nodes."""
    queries = [path for path in Path("chat").rglob("*.sql") if path.parent.name != "migrations"]
    assert len(queries) > 20
    assert [path for path in queries if "current_messages" in path.read_text()] == []
