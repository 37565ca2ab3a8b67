"""Streamed messages: every reader has the author's text, character by character, wherever they resume."""

import asyncio
import os
import random
from collections.abc import AsyncIterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.log.append import LOG
from chat.messages.streaming import AppendRequest, AppendWriter
from chat.model.errors import Undecided
from chat.shared.tasks import first_of
from chat.stream import resume
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person, casting
from tests.databases import fresh_database
from tests.messages.streaming import appends, finishes, read_streamed, starts, tries_to_append, writes
from tests.nodes import Node, running_node
from tests.promises.conftest import StartNode
from tests.stream_client import StreamClient
from tests.verbs import begins, reads, sees
from tests.waiting import breathe, eventually

WORDS = [f"word {n} 🦖 " for n in range(30)]


@pytest.fixture
async def nodes(database_url: str, redis_url: str) -> AsyncIterator[list[Node]]:
    """Two nodes with a short interval; the second one has hardly any recent entries."""
    async with (
        running_node(database_url, redis_url, append_interval=0) as first,
        running_node(database_url, redis_url, append_interval=0, node="b2", recent_bytes=600) as second,
    ):
        yield [first, second]


@pytest.fixture
async def cast(database_url: str, nodes: list[Node]) -> AsyncIterator[Cast]:
    """Users of the first node."""
    async with casting(database_url, nodes[0].url) as people:
        yield people


async def is_compacted(database_url: str) -> None:
    """Wait until nothing is left to compact."""

    def left() -> int:
        with psycopg.connect(database_url) as database:
            return database.execute("select count(*) from streamed_messages").fetchall()[0][0]  # type: ignore[no-any-return]

    await eventually(lambda: not left())


async def resumes(reader: Person, at: Node, cursor: str, events: list, last: str) -> StreamClient:  # type: ignore[type-arg]
    """Resume from a cursor; check that the text of what was received before is completed by one append at most."""
    reader.at = at.url
    stream = await reader.listens(after=cursor)
    await eventually(lambda: last in stream.bodies())
    text, finish = read_streamed([*events, *stream.events])
    assert text == "".join(WORDS), (cursor, at.url)
    assert finish is not None
    assert len(stream.named("append")) <= 1, cursor
    await stream.cuts_wire()
    return stream


async def test_a_reader_resumes_from_anywhere(
    cast: Cast, nodes: list[Node], database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before, in the middle or after, on a node that saw it all, one that forgot, and one that was not there:
    one append and the finish complete the text. Other messages keep their order."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "room", ben)
    reader = await ben.listens()
    await ana.says(room, "before")
    seq, at = await starts(ana, room), 0
    for n, word in enumerate(WORDS):
        ana.at = nodes[n % 2].url
        at = await appends(ana, room, seq, at, word)
        if n % 10 == 0:
            await ben.says(room, f"in between {n}")
    await finishes(ana, room, seq)
    await ana.says(room, "after")
    await eventually(lambda: "after" in reader.bodies())
    events = [event for event in reader.events if event.id]
    assert len(reader.named("append")) == len(WORDS)
    sizes = [one["body"] for one in (event.json() for event in events if event.event == "message")]
    monkeypatch.setattr(resume, "MOST", 7)
    await is_compacted(database_url)
    async with running_node(database_url, redis_url, node="c3") as late:
        for n in range(len(events) - 1):
            for node in (*nodes, late):
                stream = await resumes(ben, node, events[n].id, events[: n + 1], "after")
                before = [one.json()["body"] for one in events[: n + 1] if one.event == "message"]
                assert before + stream.bodies() == sizes
    with psycopg.connect(database_url) as database:
        kept = database.execute("select count(*) from log where kind = 'append' and frame <> ''").fetchall()
    assert kept == [(1,)]


async def test_readers_are_cut_while_it_is_finished_and_compacted(
    cast: Cast, nodes: list[Node], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six readers lose their connections again and again, on both nodes: none sees a gap, all have the text."""
    monkeypatch.setattr(resume, "MOST", 5)
    ana, *others = await cast.enters("ana", *(f"reader{n}" for n in range(6)))
    room = await begins(ana, "channel", "room", *others)
    cursor = (await sees(ana))["cursor"]
    chance, over = random.Random(17), asyncio.Event()

    async def follows(person: Person, n: int) -> str:
        events, last = [], cursor  # type: ignore[var-annotated]
        while True:
            person.at = nodes[n % 2].url
            n += 1
            reader = await person.listens(after=last)
            if over.is_set():
                await eventually(lambda: "the end" in reader.bodies())  # noqa: B023 (awaited at once)
            else:
                await breathe(chance.uniform(0, 0.03))
            await reader.cuts_wire()
            events += [event for event in reader.events if event.event != "ready"]
            last = reader.cursor or last
            if "the end" in reader.bodies():
                return read_streamed(events)[0]

    async def author() -> None:
        seq, at = await starts(ana, room), 0
        for _ in range(2):
            for n, word in enumerate(WORDS):
                ana.at = nodes[n % 2].url
                at = await appends(ana, room, seq, at, word)
        await finishes(ana, room, seq)
        await is_compacted(database_url)
        await ana.says(room, "the end")
        over.set()

    *texts, _ = await asyncio.gather(*(follows(person, n) for n, person in enumerate(others)), author())
    assert texts == ["".join(WORDS) * 2] * 6


async def test_a_poll_is_completed_too(cast: Cast, nodes: list[Node]) -> None:
    """A long poll receives the appends, and its cursor advances over frames that were emptied."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "room", ben)
    cursor = (await sees(ben))["cursor"]
    seq = await starts(ana, room)
    await writes(ana, room, seq, *WORDS)
    await finishes(ana, room, seq)
    for node in nodes:
        ben.at = node.url
        _, answer = await ben.call("GET", f"/api/chat/stream?poll=5&after={cursor}")
        told = [one for one in answer["events"] if one["event"] in ("message", "append", "finish")]
        assert [one["event"] for one in told] == ["message", "append", "finish"]
        assert (told[1]["data"]["at"], told[1]["data"]["text"]) == (0, "".join(WORDS))
        _, answer = await ben.call("GET", f"/api/chat/stream?poll=0&after={answer['cursor']}")
        assert answer["events"] == []


async def test_a_revoked_author_fails_at_once(cast: Cast, database_url: str) -> None:
    """The end of a session, or of the account, ends its streamed messages, long before STREAMING_IDLE."""
    ana, ben, root = *await cast.enters("ana", "ben"), *await cast.enters("root", role="admin")
    room = await begins(ana, "channel", "room", ben)
    reader = await ben.listens()
    seq = await starts(ana, room)
    await writes(ana, room, seq, "I was saying")
    _, listed = await ana.call("GET", "/api/sessions")
    assert (await ana.call("DELETE", f"/api/sessions/{listed['sessions'][0]['id']}"))[0] == 204
    finish = (await reader.hears_event("finish")).json()
    assert (finish["state"], finish["length"]) == ("failed", 12)
    other = await starts(ben, room)
    assert (await root.call("PUT", f"/api/users/{ben.id}/disabled", {"disabled": True}))[0] in (200, 204)

    async def failed() -> bool:
        with psycopg.connect(database_url) as database:
            (state,) = database.execute("select streamed from messages where seq = %s", [other]).fetchall()
        return state == ("failed",)

    await eventually(failed)


async def test_silence_counts_from_the_end_of_an_interruption(database_url: str, redis_url: str) -> None:
    """While PostgreSQL is away nobody can append, so no author fails for that time. One who is disabled fails at once,
    and one who stays silent does when STREAMING_IDLE has passed again, even if the clock has been set back since."""
    async with (
        bad_network(database_url) as network,
        running_node(network.url, redis_url, streaming_idle=3.0) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "room", ben)
        patient, disabled, silent = await starts(ana, room), await starts(ben, room), await starts(ana, room)
        await network.refuse()
        with psycopg.connect(database_url, autocommit=True) as database:
            database.execute("update users set disabled_at = now() where id = %s", [ben.id])
            long_silent = "select bool_and(touched_at < now() - interval '3 s') from streamed_messages"
            await eventually(lambda: database.execute(long_silent).fetchone() == (True,))
            set_back = "update streamed_messages set touched_at = now() + interval '1 hour' where seq = %s"
            database.execute(set_back, [silent])
            await network.accept()
            state = "select streamed from messages where seq = %s"
            await eventually(lambda: database.execute(state, [disabled]).fetchone() == ("failed",))

            async def appended() -> bool:
                status, answer = await tries_to_append(ana, room, patient, 0, "I am still here")
                assert status in (200, 503), answer
                return status == 200

            await eventually(appended)
            await eventually(lambda: database.execute(state, [silent]).fetchone() == ("failed",))
            await eventually(lambda: database.execute(state, [patient]).fetchone() == ("failed",))


async def test_appends_that_expire_while_postgresql_stands_still(nodes: list[Node], database_url: str) -> None:
    """Those that are being written, and those that wait for them, are answered as undecided; later ones are written."""
    async with casting(database_url, nodes[0].url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        seq = await starts(ana, room)
    writer = AppendWriter(nodes[0].app[LOG], interval=0, most=100, waiting_most=100, deadline=0.2)

    async def author() -> None:
        with psycopg.connect(database_url) as database:
            database.execute("select from conversations for update")
            written = writer.submit(AppendRequest(room, seq, ana.id, 1, 0, "now"))
            await eventually(lambda: not writer.waiting())
            waiting = writer.submit(AppendRequest(room, seq, ana.id, 1, 3, " and then"))
            for outcome in (written, waiting):
                with pytest.raises(Undecided):
                    await outcome
        await eventually(lambda: not writer.waiting())
        assert await writer.submit(AppendRequest(room, seq, ana.id, 1, 0, "now and then")) == 12

    await first_of(writer.run(), writer.expire(), author())


async def test_the_authors_node_is_killed(stage: Cast, start_node: StartNode) -> None:
    """The author repeats what was not acknowledged at another node. The killed node's author fails by itself."""
    doomed, other = await start_node("a1", STREAMING_IDLE="2"), await start_node("b2", STREAMING_IDLE="2")
    ana, ben, chloe = await stage.enters("ana", "ben", "chloe")
    room = await stage.share(ana, ben, chloe)
    ana.at = ben.at = doomed.url
    chloe.at = other.url
    reader = await chloe.listens()
    seq, abandoned = await starts(ana, room), await starts(ben, room)
    text, at = "".join(WORDS), 0
    at = await appends(ana, room, seq, 0, text[:50])
    tries = [asyncio.ensure_future(tries_to_append(ana, room, seq, at, text[50:70])) for _ in range(3)]
    await breathe()
    doomed.kill()
    await asyncio.gather(*tries, return_exceptions=True)
    ana.at = other.url
    at = await appends(ana, room, seq, at, text[50:100])
    await writes(ana, room, seq, text[100:], at=at)
    assert (await finishes(ana, room, seq))["body"] == text
    ended = await eventually(lambda: len(reader.named("finish")) == 2 and reader.named("finish"))
    assert {one.json()["seq"]: one.json()["state"] for one in ended} == {seq: "complete", abandoned: "failed"}
    own = [one for one in reader.events if one.event in ("message", "append", "finish") and one.json()["seq"] == seq]
    assert read_streamed(own)[0] == text


actions = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 6), st.integers(0, 1)),
        st.tuples(st.just("repeat"), st.integers(1, 9), st.integers(0, 1)),
        st.tuples(st.just("overlap"), st.integers(1, 9), st.integers(0, 1)),
        st.tuples(st.just("skip"), st.integers(1, 3), st.integers(0, 1)),
        st.tuples(st.just("contradict"), st.integers(1, 3), st.integers(0, 1)),
        st.tuples(st.just("race"), st.integers(1, 4), st.integers(0, 1)),
        st.tuples(st.just("cut"), st.just(0), st.integers(0, 1)),
    ),
    min_size=3,
    max_size=25,
)
ALPHABET = "ab🦖e\u0301\n\u200d\u2028"


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=actions, recent=st.sampled_from([1, 1_500, 16 * 2**20]), ends=st.booleans())
async def test_appends_against_a_string(
    postgres_url: str, template: str, redis_url: str, actions: list[tuple[str, int, int]], recent: int, ends: bool
) -> None:
    """After any sequence of appends, repeats, overlaps, gaps and races over two nodes, the message is the model's
    string; so is the text of a reader that was cut in between, and of one that resumes from before."""
    with fresh_database(postgres_url, f"tandem_streamed_{os.getpid()}", template) as database_url:
        async with (
            running_node(database_url, redis_url, append_interval=0.005, recent_bytes=recent) as first,
            running_node(database_url, redis_url, append_interval=0.005, recent_bytes=recent, node="b2") as second,
            casting(database_url, first.url) as cast,
        ):
            stage = Stage(cast, [first, second])
            await stage.begins()
            for action, size, where in actions:
                await stage.acts(action, size, stage.nodes[where])
            await stage.ends(ends)


class Stage:
    """One streamed message, for real and as a string."""

    def __init__(self, cast: Cast, nodes: list[Node]) -> None:
        self.cast, self.nodes, self.text, self.written = cast, nodes, "", 0
        self.events: list = []  # type: ignore[type-arg]

    async def begins(self) -> None:
        """Ana starts; Ben listens."""
        self.ana, self.ben = await self.cast.enters("ana", "ben")
        self.room = await begins(self.ana, "channel", "room", self.ben)
        self.cursor = self.last = (await sees(self.ben))["cursor"]
        self.seq = await starts(self.ana, self.room)
        self.reader = await self.ben.listens(after=self.cursor)

    def makes(self, size: int) -> str:
        """Return new text."""
        self.written += size
        return "".join(ALPHABET[n % len(ALPHABET)] for n in range(self.written - size, self.written))

    async def acts(self, action: str, size: int, node: Node) -> None:
        """Do one thing at a node, and check its answer."""
        self.ana.at, length = node.url, len(self.text)
        if action == "cut":
            await self.cuts(node)
        elif action == "skip":
            status, answer = await self.appends(length + size, "x")
            assert (status, answer["code"], answer["length"]) == (409, "gap", length)
        elif action == "contradict" and length:
            status, answer = await self.appends(max(0, length - size), "\t" * size)
            assert (status, answer["code"], answer["length"]) == (409, "other_text", length)
        elif action == "race":
            await self.races(self.makes(size))
        elif action in ("write", "repeat", "overlap"):
            start = length if action == "write" else max(0, length - size)
            new = "" if action == "repeat" else self.makes(3)
            assert await self.appends(start, self.text[start:] + new) == (200, {"length": length + len(new)})
            self.text += new

    async def races(self, new: str) -> None:
        """Send the same text three times at once, to both nodes."""
        length, ana = len(self.text), self.ana
        both = [Person(self.cast.http, node.url, ana.name, ana.id, ana.token) for node in self.nodes]
        tries = [tries_to_append(both[n % 2], self.room, self.seq, length, new) for n in range(3)]
        assert await asyncio.gather(*tries) == [(200, {"length": length + len(new)})] * 3
        self.text += new

    async def appends(self, at: int, text: str) -> tuple[int, dict]:  # type: ignore[type-arg]
        """Append at Ana's node."""
        return await tries_to_append(self.ana, self.room, self.seq, at, text)

    async def cuts(self, node: Node) -> None:
        """Cut Ben's connection, and resume at a node."""
        await self.reader.cuts_wire()
        self.events += [event for event in self.reader.events if event.event != "ready"]
        self.last = self.reader.cursor or self.last
        self.ben.at = node.url
        self.reader = await self.ben.listens(after=self.last)

    async def ends(self, finish: bool) -> None:
        """Finish, or not; check the message and what both readers have."""
        assert (await reads(self.ana, self.room, self.seq))["body"] == self.text
        if finish:
            assert (await finishes(self.ana, self.room, self.seq))["body"] == self.text
        await self.ana.says(self.room, "the end")
        await eventually(lambda: "the end" in self.reader.bodies())
        assert read_streamed([*self.events, *self.reader.events])[0] == self.text
        for node in self.nodes:
            self.ben.at = node.url
            again = await self.ben.listens(after=self.cursor)
            await eventually(lambda: "the end" in again.bodies())  # noqa: B023 (awaited at once)
            assert read_streamed(again.events)[0] == self.text
