"""Broken builds: the checker of a chaos run finds the one broken promise of each, in a scene that shows it.

The same checker finds nothing in a correct build (`test_chaos.py`, and the crowds of `tests/promises`).
"""

import asyncio
import random
from dataclasses import dataclass
from functools import partial

import pytest

from chat.local.engine import NatsEngine
from chat.shared.registry.lease import check_timing
from chat.shared.tasks import Tasks
from chat.tools.chaos import authors, checker
from chat.tools.chaos.authors import FAILING, REDIRECTING, ChaosAuthor, HookReceiver, QueueProducer
from chat.tools.chaos.checker import GHOST, Violation, check, find_disagreements
from chat.tools.chaos.clients import ChaosPoster, PresenceClient
from chat.tools.chaos.environment import QUEUE, log_in_again
from chat.tools.chaos.history import Key, RunHistory, read_queued
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person
from tests.promises.conftest import StartNode, stage, start_node
from tests.promises.crowd import Crowd, crowd_of
from tests.verbs import begins
from tests.waiting import breathe, eventually

__all__ = ["stage", "start_node"]
LIMIT = 30.0
POLL = 1.0  # seconds between two comparisons of a node with the log, while the bus is away
SEED = 7


def find(crowd: Crowd, *kinds: str) -> list[Violation]:
    """Return the violations of these kinds so far. None of a correct build passes by itself."""
    return [found for found in check(crowd.history) if found.kind in kinds]


async def test_announce_before_commit(stage: Cast, start_node: StartNode) -> None:
    """Readers get messages whose commit fails, and get them again when the retry succeeds."""
    node = await start_node("a1", BROKEN="announce-before-commit")
    async with crowd_of(stage, [node], readers=3, posters=3) as crowd:
        crowd.starts_posting(pause=0.02)
        await eventually(lambda: find(crowd, checker.REPEATED, checker.INVENTED, checker.ALTERED), LIMIT)


async def test_number_by_sequence(stage: Cast, start_node: StartNode, database_url: str) -> None:
    """An entry that becomes visible after one with a later position is never read."""
    broken = {"BROKEN": "number-by-sequence", "DATABASE_URL": database_url}  # as the owner, who may add a sequence
    nodes = [await start_node(name, **broken) for name in ("a1", "b2")]
    async with crowd_of(stage, nodes, readers=4, posters=6) as crowd:
        crowd.starts_posting(pause=0.02)
        await eventually(lambda: find(crowd, checker.GAP), LIMIT)


async def test_repair_no_holes(stage: Cast, start_node: StartNode, redis_url: str) -> None:
    """A message that was announced while Redis was away is missing."""
    async with bad_network(redis_url) as network:
        nodes = [await start_node("a1"), await start_node("b2", REDIS_URL=network.url, BROKEN="repair-no-holes")]
        async with crowd_of(stage, nodes, readers=4, posters=2) as crowd:
            await network.refuse()
            await crowd.posters[0].post(crowd.http)
            await network.accept()
            await crowd.posters[0].post(crowd.http)
            near = [reader for reader in crowd.readers if reader.starts[0]["node"] == "a1"]
            await eventually(lambda: all(reader.seqs.get(crowd.rooms[0]) == 2 for reader in near), LIMIT)
            await breathe(3 * POLL)
            missing = {found.reader for found in find(crowd, checker.LOST)}
            assert missing == {reader.name for reader in crowd.readers if reader not in near}


@dataclass
class Watcher:
    """A user with a presence socket."""

    name: str
    here: bool
    person: Person
    presence: PresenceClient


async def test_reap_nobody(stage: Cast, start_node: StartNode) -> None:
    """A user of a dead node is still shown as online when that must have ended."""
    timing = {"PRESENCE_LINGER": "0.5", "NODE_LEASE": "1"}
    nodes = [await start_node(name, BROKEN="reap-nobody", **timing) for name in ("a1", "b2")]
    people = await stage.enters("ana", "ben")
    await stage.share(*people)
    tasks, watchers = Tasks(), list[Watcher]()
    for person, node, watched in zip(people, nodes, ([], [people[0].id]), strict=True):
        presence = PresenceClient(person, stage.http, partial(getattr, node, "url"), watched, tasks)
        watchers.append(Watcher(person.name, True, person, presence))
    try:
        await eventually(lambda: watchers[1].presence.ready and not find_disagreements(watchers), LIMIT)
        nodes[0].kill()
        await watchers[0].presence.stops()
        watchers[0].here = False
        await breathe(check_timing(0.5, 1).ghost + 1)
        assert [found.kind for found in find_disagreements(watchers)] == [GHOST]
    finally:
        await tasks.stop()


@pytest.mark.parametrize(
    ("broken", "misdeed", "kinds"),
    [
        ("skip-failed-delivery", FAILING, [checker.LOST, checker.GAP]),
        ("follow-redirects", REDIRECTING, [checker.FOLLOWED, checker.LOST, checker.GAP]),
    ],
)
async def test_hooks(broken: str, misdeed: str, kinds: list[str], stage: Cast, start_node: StartNode) -> None:
    """A message that the receiver did not take is not sent again, or a redirect is followed to where none may go."""
    node = await start_node("a1", BROKEN=broken, HOOKS_ALLOW="127.0.0.1")
    (ana,) = await stage.enters("ana")
    ana.at = node.url
    room, history = await begins(ana, "channel", "deploys"), RunHistory()
    poster, receiver = ChaosPoster("poster", ana, room, lambda: node.url, history), HookReceiver(history, stage.http)
    async with receiver.serves():
        await receiver.follow(poster, room)
        receiver.misdeed = misdeed
        await poster.post(stage.http)
        await eventually(lambda: receiver.bad[misdeed])
        receiver.misdeed = ""
        await poster.post(stage.http)
        await eventually(lambda: receiver.has({room: 2}), LIMIT)
    assert [found.kind for found in check(history)] == kinds


def number_of(key: Key) -> int:
    """Return the number of a message of the queue."""
    return int(key[2].rpartition("-")[2])


async def test_acknowledge_before_commit(
    stage: Cast, start_node: StartNode, database_url: str, nats: NatsEngine
) -> None:
    """A message of the queue is lost with the node that took it: later ones are stored."""
    (ana,) = await stage.enters("ana")
    room = await stage.share(ana)
    producer, tasks = QueueProducer(nats.url, RunHistory()), Tasks()
    node = await start_node("a1", BROKEN="acknowledge-before-commit", POSTS_FROM=f"{nats.url}/{QUEUE}")

    async def last_stored() -> int:
        return max(map(number_of, await read_queued(database_url)), default=0)

    async def stores_more(than: int) -> bool:
        return await last_stored() > than

    lost: set[Key] = set()
    try:
        tasks.start("messages are put into the queue", producer.produce(lambda: True, lambda: (room, ana.id)))
        while not lost:  # the moment between the acknowledgement and the commit may be missed
            await eventually(partial(stores_more, await last_stored()), LIMIT)
            node.kill()
            confirmed = set(producer.confirmed)
            node.start()
            await eventually(partial(stores_more, max(map(number_of, confirmed))), LIMIT)
            lost = confirmed - await read_queued(database_url)
    finally:
        await tasks.stop()


@pytest.mark.parametrize("broken", ["append-twice", "lose-append-at-finish"])
async def test_streamed(broken: str, stage: Cast, start_node: StartNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeated append is stored twice, or the last ones are lost at the end of the message."""
    monkeypatch.setattr(authors, "PIECE_PAUSE", (0, 0.02))
    monkeypatch.setattr(authors, "PIECES_MOST", 20)
    monkeypatch.setattr(authors, "FATES", {"complete": 1})
    node = await start_node("a1", BROKEN=broken)
    async with crowd_of(stage, [node], readers=2, posters=2) as crowd:
        chance = random.Random(SEED)
        poster, asker = crowd.posters
        urls = [node.url, node.url]  # twice, so that an append that is repeated goes there twice
        sole = partial(asyncio.sleep, 0, poster)
        author = ChaosAuthor(poster, crowd.readers[0], asker, lambda: urls, crowd.history, LIMIT, chance, sole)
        while not find(crowd, checker.TORN):
            writing = [author.write(crowd.http, poster.conversation, lambda: True) for _ in range(4)]
            await asyncio.gather(*writing)
            await eventually(partial(have_ended, crowd), LIMIT)


async def test_logged_out(
    stage: Cast, start_node: StartNode, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that has ended can still read."""
    monkeypatch.setattr(authors, "PIECES_MOST", authors.PIECES_LEAST)
    monkeypatch.setattr(authors, "FATES", {authors.REVOKED: 1})
    monkeypatch.setattr(authors, "REVOKED_SECONDS", 1.0)
    node = await start_node("a1", BROKEN="keep-ended-sessions")
    async with crowd_of(stage, [node], readers=1, posters=2) as crowd:
        poster, asker = crowd.posters
        person = await log_in_again(database_url, poster.person.id)
        other = ChaosPoster("other", person, poster.conversation, lambda: node.url, crowd.history)
        sole = partial(asyncio.sleep, 0, other)
        writer = (poster, crowd.readers[0], asker, lambda: 2 * [node.url], crowd.history, LIMIT, random.Random(SEED))
        writing = asyncio.ensure_future(ChaosAuthor(*writer, sole).write(crowd.http, poster.conversation, lambda: True))
        await eventually(lambda: other.surprises, LIMIT)
        writing.cancel()


async def test_a_late_answer_is_no_finding(stage: Cast, start_node: StartNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correct build ends a message whose author did not get the answer to its beginning, and retried late."""
    monkeypatch.setattr(authors, "FATES", {"complete": 1})
    node = await start_node("a1", STREAMING_IDLE="2")
    async with bad_network(node.url) as network, crowd_of(stage, [node], readers=1, posters=2) as crowd:
        asker, poster = crowd.posters[0], crowd.posters[1]
        late = ChaosPoster("late", poster.person, poster.conversation, lambda: network.url, crowd.history)
        late.pause = 4.0  # seconds before it retries
        network.lose_answer(b"201 Created")
        sole = partial(asyncio.sleep, 0, late)
        writer = (late, crowd.readers[0], asker, lambda: 2 * [node.url], crowd.history, 2.0, random.Random(SEED))
        author = ChaosAuthor(*writer, sole)
        await author.write(crowd.http, late.conversation, lambda: True)
        assert (network.lost, author.ended, late.surprises) == (1, 1, [])


def have_ended(crowd: Crowd) -> bool:
    """Return whether every reader has the end of every streamed message."""
    texts, written = crowd.history.texts, crowd.history.written
    return all(texts[reader.name][place].state for reader in crowd.readers for place in written)
