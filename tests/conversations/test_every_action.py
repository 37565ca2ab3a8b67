"""For any action: each user's earlier state and the entries since give a fresh snapshot.

Hypothesis chooses users, actions and targets; some are refused. Each user polls for entries.
"""

import asyncio
import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.cast import Cast, Person, casting
from tests.conversations.model import Known
from tests.databases import fresh_database
from tests.files.sending import sends
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, blocks, receipts_of, removes_member, sees, sets_member, tries

NAMES = ("ana", "ben", "chloe")
ANNOUNCEMENT = "/api/announcement"
WORDS = ("hello", "@ana", "@ben @chloe", "@channel", "@here", "@ANA `@ben`", "@channel @ana")
people, rooms, seqs = st.integers(0, 2), st.integers(0, 2), st.integers(1, 8)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("say"), people, rooms, st.sampled_from(WORDS)),
        st.tuples(st.just("say"), people, rooms, st.sampled_from(WORDS)),
        st.tuples(st.just("read"), people, rooms, seqs),
        st.tuples(st.just("read"), st.integers(1, 2), rooms, seqs),
        st.tuples(st.just("unread"), people, rooms, st.integers(0, 8)),
        st.tuples(st.just("reread"), people, rooms, seqs),
        st.tuples(st.just("edit"), people, rooms, seqs),
        st.tuples(st.just("delete"), people, rooms, seqs),
        st.tuples(st.just("delete"), st.just(0), rooms, seqs),
        st.tuples(st.just("come"), people, rooms, people),
        st.tuples(st.just("go"), people, rooms, people),
        st.tuples(st.just("role"), people, rooms, people),
        st.tuples(st.just("notice"), people, rooms, st.sampled_from(("all", "mentions", "nothing"))),
        st.tuples(st.just("mute"), people, rooms, st.sampled_from((None, "2030-01-01T00:00:00.000Z"))),
        st.tuples(st.just("name"), people, rooms, seqs),
        st.tuples(st.just("block"), people, people, st.booleans()),
        st.tuples(st.just("block"), st.integers(1, 2), st.just(0), st.booleans()),
        st.tuples(st.just("profile"), people, rooms, seqs),
        st.tuples(st.just("begin"), people, people, st.sampled_from(("group", "direct"))),
        st.tuples(st.just("end"), people, rooms, st.just(0)),
        st.tuples(st.just("carry"), people, rooms, st.just("a file")),
        st.tuples(st.just("lighten"), people, rooms, st.integers(6, 8)),
        st.tuples(st.just("announce"), st.just(0), rooms, st.sampled_from((None, "Back soon"))),
    ),
    min_size=20,
    max_size=40,
)


@dataclass
class Stage:
    """Three users in a channel, a group, and a direct conversation of two of them."""

    people: list[Person]
    rooms: list[int]
    said: int = 0

    async def plays(self, action: str, who: int, where: int, what: Any) -> None:
        """Perform one action, allowed or not."""
        self.said += 1
        person, room = self.people[who], self.rooms[where]
        if action in ("come", "go", "role"):
            await self.moves(action, person, room, self.people[what])
        elif action in ("block", "begin"):
            await self.meets(person, self.people[where], what)
        elif action == "carry":
            draft = {"client_id": f"{self.said}", "files": [(await sends(person, b"words"))["id"]]}
            await tries(person, "POST", f"{CONVERSATIONS}/{room}/messages", draft)
        elif action == "end":
            await tries(self.people[0], "DELETE", f"{CONVERSATIONS}/{self.rooms[1]}")
        elif action == "announce":
            await tries(person, "PUT" if what else "DELETE", ANNOUNCEMENT, {"body": what} if what else None)
        else:
            method, path, body = self.call(action, what)
            await tries(person, method, path if path.startswith("/api") else f"{CONVERSATIONS}/{room}{path}", body)

    async def moves(self, action: str, person: Person, room: int, other: Person) -> None:
        """Add or remove a user, or change a role."""
        if action == "go":
            await removes_member(person, room, other)
        else:
            await sets_member(person, room, other, "admin" if action == "role" else None)

    async def meets(self, person: Person, other: Person, what: Any) -> None:
        """Let users start a conversation, block or unblock."""
        if isinstance(what, str):
            await tries(person, "POST", CONVERSATIONS, {"kind": what, "members": [other.id]})
        elif person is not other:
            await blocks(person, other, on=what)

    def call(self, action: str, what: Any) -> tuple[str, str, Any]:
        """Make an action that is one call: method, path within the conversation, body."""
        return {
            "say": ("POST", "/messages", {"body": what, "client_id": f"{self.said}"}),
            "read": ("PUT", "/read", {"seq": what}),
            "unread": ("PUT", "/read", {"seq": what, "unread": True}),
            "reread": ("PUT", "/read", {"seq": what, "unread": False}),
            "edit": ("PATCH", f"/messages/{what}", {"body": f"@chloe, edited {self.said}"}),
            "lighten": ("PATCH", f"/messages/{what}", {"body": "no file any more", "files": []}),
            "delete": ("DELETE", f"/messages/{what}", None),
            "notice": ("PUT", "/notifications", {"level": what}),
            "mute": ("PUT", "/notifications", {"muted_until": what}),
            "name": ("PATCH", "", {"topic": f"topic {what}"}),
            "profile": ("PATCH", "/api/users/me", {"about": f"about {what}"}),
        }[action]


async def furnish(cast: Cast) -> Stage:
    """Create the state before any action: ben and chloe have unread messages, mentions among them."""
    ana, ben, chloe = *await cast.enters("ana", role="admin"), *await cast.enters("ben", "chloe")
    channel, group = await begins(ana, "channel", "room", ben, chloe), await begins(ana, "group", "", ben, chloe)
    rooms = [channel, group, await begins(ana, "direct", "", ben)]
    for room in rooms:
        for word in ("@ben one", "two", "@channel three", "four", "@Ben, @chloe five"):
            await ana.says(room, word)
    return Stage([ana, ben, chloe], rooms)


async def looks(person: Person) -> tuple[Known, str]:
    """Return a fresh snapshot, and its cursor."""
    seen = await sees(person)
    conversations = {one["id"]: one for one in seen["conversations"]}
    receipts = {id_: await receipts_of(person, id_) for id_ in conversations}
    _, above = await person.call("GET", ANNOUNCEMENT)
    return Known(person.id, conversations, set(seen["blocked"]), receipts, above["announcement"]), seen["cursor"]


async def hears(person: Person, known: Known, cursor: str, until: str) -> Known:
    """Return the snapshot with all entries from one cursor to another."""
    known = copy.deepcopy(known)
    while cursor != until:
        status, said = await person.call("GET", f"/api/chat/stream?poll=0&after={cursor}")
        assert status == 200, said
        for one in said["events"]:
            known.hear(one["event"], one["data"])
        cursor = said["cursor"]
    return known


async def verify(person: Person, before: Known, cursor: str, hint: object) -> tuple[Known, str]:
    """Check that old snapshot and entries give the new snapshot, and return it."""
    fresh, until = await looks(person)
    heard = await hears(person, before, cursor, until)
    assert heard.conversations == fresh.conversations, hint
    assert heard.blocked == fresh.blocked, hint
    assert heard.announcement == fresh.announcement, hint
    assert heard.receipts == {id_: fresh.receipts[id_] for id_ in heard.receipts}, hint
    return fresh, until


async def verify_all(stage: Stage, known: Sequence[tuple[Known, str]], hint: object) -> None:
    """Check it for all users."""
    checks = [verify(person, *one, (person.name, hint)) for person, one in zip(stage.people, known, strict=True)]
    await asyncio.gather(*checks)


@pytest.mark.timeout(300)
# No shrinking: an attempt takes seconds, and its message about the last action is enough.
@settings(max_examples=4, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=actions)
async def test_snapshot_and_entries_are_the_new_snapshot(
    postgres_url: str, template: str, redis_url: str, plan: list[tuple[str, int, int, Any]]
) -> None:
    """Each action is checked for the next user in turn. At the end, all actions together are checked for all users."""
    with fresh_database(postgres_url, f"tandem_every_action_{os.getpid()}", template) as database_url:
        async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
            stage = await furnish(cast)
            first = [await looks(person) for person in stage.people]
            known = list(first)
            for number, action in enumerate(plan):
                await stage.plays(*action)
                turn = number % len(known)
                known[turn] = await verify(stage.people[turn], *known[turn], (NAMES[turn], action))
            await verify_all(stage, known, plan)
            await verify_all(stage, first, plan)
