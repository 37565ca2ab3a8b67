"""The whole system against a simple model: after any sequence of actions each user receives what they may read.

The model is a list of events in commit order, with the members at each moment. Hypothesis chooses the actions: post,
join, leave, listen, lose the connection, reconnect, poll, move to another node.
"""

import os
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.log.entry import parse_cursor
from chat.stream.endpoints import STREAMS
from tests.cast import Cast, Person, casting
from tests.databases import fresh_database
from tests.nodes import Node, running_node
from tests.stream_client import StreamClient
from tests.waiting import eventually

LAST = "the end"
PEOPLE, ROOMS = ("ana", "ben", "chloe"), 2
people, rooms = st.integers(0, len(PEOPLE) - 1), st.integers(0, ROOMS - 1)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), people, rooms),
        st.tuples(st.just("join"), people, rooms),
        st.tuples(st.just("leave"), people, rooms),
        st.tuples(st.just("listen"), people, st.integers(0, 1)),
        st.tuples(st.just("cut"), people, st.just(0)),
        st.tuples(st.just("poll"), people, st.integers(0, 1)),
    ),
    min_size=5,
    max_size=40,
)
Heard = tuple[str, int, object]  # event, conversation, body or (user, role)


@dataclass
class Model:
    """All events, their addressees, and where each user started to read."""

    members: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    addressed: dict[int, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    reading: set[int] = field(default_factory=set)

    def happens(self, room: int, heard: Heard) -> None:
        """Add an event that every current member with a stream must receive."""
        for user in self.members[room] & self.reading:
            self.addressed[user].append(heard)


class Stage:
    """Perform the same actions for real and in the model."""

    def __init__(self, cast: Cast, nodes: list[Node], people: list[Person], rooms: list[int], foyer: int) -> None:
        self.cast, self.nodes, self.people, self.rooms, self.foyer = cast, nodes, people, rooms, foyer
        self.model = Model()
        self.readers: dict[int, StreamClient] = {}
        self.heard: dict[int, list[Heard]] = defaultdict(list)
        self.cursors: dict[int, str] = {}
        self.spoken = 0

    async def speak(self, who: int, where: int) -> None:
        """Post: members may, and users who only see a public channel are refused."""
        person, room = self.people[who], self.rooms[where]
        self.spoken += 1
        path, body = f"/api/chat/conversations/{room}/messages", f"word {self.spoken}"
        status, _ = await person.call("POST", path, {"body": body, "client_id": f"c{self.spoken}"})
        assert status == (201 if person.id in self.model.members[room] else 403)
        if status == 201:
            self.model.happens(room, ("message", room, body))

    async def join(self, who: int, where: int) -> None:
        """Join a public channel; the new member receives the entry too."""
        person, room = self.people[who], self.rooms[where]
        if person.id not in self.model.members[room]:
            await self._put(person, room)
            self.model.members[room].add(person.id)
            self.model.happens(room, ("member", room, (person.id, "member")))

    async def _put(self, person: Person, room: int) -> None:
        status, _ = await person.call("PUT", f"/api/chat/conversations/{room}/members/me", {})
        assert status in (200, 201, 204)

    async def leave(self, who: int, where: int) -> None:
        """Leave; the user's last entry of the conversation is the leaving itself."""
        person, room = self.people[who], self.rooms[where]
        if person.id in self.model.members[room]:
            status, _ = await person.call("DELETE", f"/api/chat/conversations/{room}/members/me")
            assert status == 204
            self.model.happens(room, ("member", room, (person.id, None)))
            self.model.members[room].discard(person.id)

    async def listen(self, who: int, where: int) -> None:
        """Open a stream on either node, at the cursor if there is one.

        Without a cursor the stream starts at the node's position, so the node must have received all earlier events of
        the model.
        """
        person = self.people[who]
        if who in self.readers:
            return
        person.at = self.nodes[where].url
        if who not in self.cursors:
            await self._hears_all(person, self.nodes[where])
        reader = self.readers[who] = await person.listens(after=self.cursors.get(who, ""))
        assert reader.named("ready")[0].json()["resumed"] is (who in self.cursors)
        self.cursors.setdefault(who, reader.cursor)
        self.model.reading.add(person.id)

    async def _hears_all(self, person: Person, node: Node) -> None:
        _, listed = await person.call("GET", "/api/chat/conversations")
        head = parse_cursor(listed["cursor"]).position
        await eventually(lambda: node.app[STREAMS].hub.position >= head)

    async def cut(self, who: int, _: int) -> None:
        """Cut the connection; what was received so far counts."""
        if reader := self.readers.pop(who, None):
            await reader.cuts_wire()
            self.heard[who] += [to_heard(event.event, event.json()) for event in reader.events if is_entry(event.event)]
            self.cursors[who] = reader.cursor

    async def poll(self, who: int, where: int) -> None:
        """Poll once, in the middle of everything."""
        if who in self.readers or who not in self.cursors:
            return
        self.people[who].at = self.nodes[where].url
        path = f"/api/chat/stream?poll=0&after={self.cursors[who]}"
        status, answer = await self.people[who].call("GET", path)
        assert status == 200
        assert "reset" not in answer
        self.heard[who] += [to_heard(one["event"], one["data"]) for one in answer["events"] if is_entry(one["event"])]
        self.cursors[who] = answer["cursor"]

    async def ends(self) -> None:
        """Reconnect all users, and wait until they have received what the model says, in its order."""
        for who, person in enumerate(self.people):
            if person.id not in self.model.reading:
                continue
            await self.listen(who, who % 2)
        await self.people[0].says(self.foyer, LAST)
        for who, person in enumerate(self.people):
            if person.id not in self.model.reading:
                continue
            await eventually(lambda: LAST in self.readers[who].bodies())  # noqa: B023 (awaited at once)
            await self.cut(who, 0)
            assert self.heard[who].pop() == ("message", self.foyer, LAST)
            check_heard(person.id, self.model.addressed[person.id], self.heard[who])


def check_heard(user: int, addressed: list[Heard], heard: list[Heard]) -> None:
    """Check that the user received all addressed entries in order; of a membership that ended while away, only its end.

    So only a membership's last entries may be missing, up to the one that ended it.
    """
    missed: set[int] = set()
    left = iter([*heard, None])
    following = next(left)
    for index, entry in enumerate(addressed):
        _, room, _ = entry
        ending = ("member", room, (user, None))
        if entry == following:
            assert room not in missed or entry == ending
            following = next(left)
        else:
            assert entry != ending
            assert ending in addressed[index:]
            missed.add(room)
        if entry == ending:
            missed.discard(room)
    assert following is None


def is_entry(event: str) -> bool:
    """Return whether it is an entry of the model."""
    return event in ("message", "member")


def entries(reader: StreamClient) -> list[str]:
    """Return the names of the received entries."""
    return [event.event for event in reader.events if is_entry(event.event)]


def to_heard(event: str, data: dict) -> Heard:  # type: ignore[type-arg]
    """Return the model's form of it."""
    if event == "message":
        return "message", data["conversation"], data["body"]
    return "member", data["conversation"], (data["user"], data["role"])


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=actions, recent=st.sampled_from([1, 2_000, 16 * 2**20]))
async def test_every_user_receives_exactly_what_they_may_read(
    postgres_url: str, template: str, redis_url: str, actions: list[tuple[str, int, int]], recent: int
) -> None:
    """With two nodes whose recent entries are sometimes too few, pages, memory and live entries are combined."""
    with fresh_database(postgres_url, f"tandem_model_{os.getpid()}", template) as database_url:
        async with (
            running_node(database_url, redis_url, recent_bytes=recent, node="a1") as first,
            running_node(database_url, redis_url, recent_bytes=recent, node="b2") as second,
            casting(database_url, first.url) as cast,
        ):
            people = await cast.enters(*PEOPLE)
            rooms = [await cast.share() for _ in range(ROOMS)]
            stage = Stage(cast, [first, second], people, rooms, await cast.share(*people))
            for name, who, where in actions:
                await getattr(stage, name)(who, where)
            await stage.ends()
