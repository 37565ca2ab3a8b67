"""The list: a user's conversations, unread counts, and the cursor that continues it."""

import asyncio
import random
from typing import Any

from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, removes_member, sees, sets_member, tries
from tests.waiting import eventually


async def test_users_see_only_their_own_conversations(ana: Person, ben: Person, mallory: Person) -> None:
    """An empty list has a cursor too."""
    await begins(ana, "channel", "one", ben)
    assert (await sees(mallory))["conversations"] == []
    reader = await mallory.listens(after=(await sees(mallory))["cursor"])
    assert reader.named("ready")[0].json()["resumed"] is True


async def test_the_latest_conversation_comes_first(ana: Person, ben: Person) -> None:
    """Each conversation has its last message, as readers received it."""
    one, two = await begins(ana, "channel", "one", ben), await begins(ana, "channel", "two", ben)
    said = await ana.says(one, "shalom שלום 👋")
    seen = (await sees(ben))["conversations"]
    assert [conversation["id"] for conversation in seen] == [one, two]
    assert seen[0]["last_message"] == said
    assert (seen[0]["unread"], seen[0]["last_seq"], seen[0]["read_seq"]) == (1, 1, 0)
    assert (await sees(ana))["conversations"][0]["unread"] == 0


async def test_a_stream_continues_the_list_under_load(ana: Person, ben: Person) -> None:
    """Ben reads the list while ana posts: list and stream together have every message once."""
    room = await begins(ana, "channel", "busy", ben)
    talk = asyncio.create_task(say_much(ana, room, 120))
    for _ in range(8):
        seen = await sees(ben)
        reader = await ben.listens(after=seen["cursor"])
        known = seen["conversations"][0]["last_seq"]
        await eventually(lambda reader=reader: len(reader.messages()) >= 5 or talk.done())
        heard = [message["seq"] for message in reader.messages()]
        assert heard == list(range(known + 1, known + 1 + len(heard)))
        await reader.cuts_wire()
    await talk


async def say_much(person: Person, room: int, number: int) -> None:
    """Post one message after the other."""
    for n in range(number):
        await person.says(room, f"word {n}")


async def test_a_list_and_its_entries_equal_a_fresh_list(cast: Cast) -> None:
    """A random walk over all actions: ben's list plus entries equals a new list."""
    people = await cast.enters("ana", "ben", "chloe", "dan")
    seed = random.randrange(10**6)
    walk = Walk(people, random.Random(seed))
    heard = 0
    while heard < 60:  # a walk in which ben received little shows little
        before = await sees(walk.ben)
        for _ in range(40):
            await walk.step()
        reader = await walk.ben.listens(after=before["cursor"])
        await walk.ben.says(await begins(walk.ben, "direct", "", walk.ben), "now")
        after = await sees(walk.ben)
        await eventually(lambda reader=reader: reader.bodies()[-1:] == ["now"])
        known = {one["id"]: one | {"listed": True} for one in before["conversations"]}
        for event in reader.events:
            follow(known, event.event, event.json(), walk.ben.id)
        heard += len(reader.events)
        listed = {id_ for id_, one in known.items() if one.get("listed")}
        assert told(known.values(), listed) == told(after["conversations"], listed), f"seed {seed}"


class Walk:
    """Random actions, some of which are refused."""

    def __init__(self, people: list[Person], chance: random.Random) -> None:
        self.people, self.ben, self._chance = people, people[1], chance
        self._rooms: list[int] = []

    async def step(self) -> None:
        """Take one step."""
        who, other = self._chance.choice(self.people), self._chance.choice(self.people)
        room = self._chance.choice(self._rooms or [0])
        kind = self._chance.choice(["channel", "group", "direct"])
        match self._chance.choice(["begin", "say", "say", "say", "read", "come", "bring", "go", "role", "name", "end"]):
            case "begin":
                more = [other] if kind == "direct" else self._chance.sample(self.people, 2)
                self._rooms.append(
                    await begins(who, kind, "" if kind == "direct" else f"room {len(self._rooms)}", *more)
                )
            case "say":
                draft = {"body": f"said {self._chance.random()}", "client_id": str(self._chance.random())}
                await tries(who, "POST", f"{CONVERSATIONS}/{room}/messages", draft)
            case "read":
                await tries(self.ben, "PUT", f"{CONVERSATIONS}/{room}/read", {"seq": self._chance.randrange(9)})
            case "come":
                await sets_member(who, room, "me")
            case "bring":
                await sets_member(who, room, other)
            case "role":
                await sets_member(who, room, other, self._chance.choice(["owner", "admin", "member"]))
            case "go":
                await removes_member(who, room, self._chance.choice([other, "me"]))
            case "name":
                await tries(who, "PATCH", f"{CONVERSATIONS}/{room}", {"topic": f"topic {self._chance.random()}"})
            case "end" if self._chance.random() < 0.2:
                await tries(who, "DELETE", f"{CONVERSATIONS}/{room}")


def follow(known: dict[int, Any], event: str, data: Any, me: int) -> None:
    """Apply one entry to a user's list."""
    if event in ("ready", "beat"):
        return
    id_ = data.get("conversation", data.get("id"))
    comes = event == "member" and data["user"] == me and data["role"] is not None
    if id_ not in known and not comes:
        return  # an archived one, which may still be read and left
    one = known.setdefault(id_, {"members": [], "read_seq": 0})
    if event == "member":
        others = [user for user in one.get("members", []) if user != data["user"]]
        people = {"members": sorted([*others, data["user"]] if data["role"] else others)}
        one |= (people if "members" in one else {}) | ({"role": data["role"]} if data["user"] == me else {})
    elif event == "conversation":
        one |= data
    elif event == "message":
        read = {"read_seq": data["seq"]} if data["author"] == me else {}
        one |= {"last_message": data, "last_seq": data["seq"]} | read
    elif event == "read":
        one |= {"read_seq": data["seq"]}
    if one.get("archived") or (event == "member" and data["user"] == me and data["role"] is None):
        del known[id_]


def told(conversations: Any, listed: set[int]) -> list[Any]:
    """Return what can be compared: a new member gets the conversation from entries, and counts from the list."""
    what, counts = (
        ("id", "kind", "name", "topic", "private", "role"),
        ("last_seq", "read_seq", "members", "last_message"),
    )
    return sorted(
        [repr([one.get(field) for field in (what + counts if one["id"] in listed else what)]) for one in conversations]
    )
