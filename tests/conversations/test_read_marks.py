"""Read marks: forward only, never beyond the end, sent to the user's own devices alone."""

import asyncio
import random

import psycopg

from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, marks_read, opens, tries


async def test_a_mark_moves_forward_up_to_the_end(ana: Person, ben: Person) -> None:
    """Moving a mark back is no error and does nothing."""
    room = await begins(ana, "channel", "news", ben)
    for number in range(5):
        await ana.says(room, f"item {number}")
    for seq, read in ((3, 3), (1, 3), (0, 3), (99, 5), (2**53 - 1, 5)):
        await marks_read(ben, room, seq)
        seen = await opens(ben, room)
        assert (seen["read_seq"], seen["unread"]) == (read, 5 - read)
    assert (await opens(ana, room))["read_seq"] == 5


async def test_only_the_users_other_devices_receive_a_mark(ana: Person, ben: Person) -> None:
    """Only a mark that moved is sent; `seq` is its new place."""
    room = await begins(ana, "channel", "news", ben)
    for number in range(3):
        await ana.says(room, f"item {number}")
    phone, laptop, hers = await ben.listens(), await ben.listens(), await ana.listens()
    for seq in (2, 2, 1, 99, 3):
        await marks_read(ben, room, seq)
    await ana.says(room, "end")
    for reader in (phone, laptop):
        await reader.hears("end")
        marks = [event.json() for event in reader.named("read")]
        assert marks == [{"conversation": room, "seq": seq, "unread": 3 - seq, "mentions": 0} for seq in (2, 3)]
    await hers.hears("end")
    assert hers.named("read") == []


async def test_a_mark_elsewhere_is_refused_alone(ana: Person, ben: Person, mallory: Person) -> None:
    """Valid marks of the same request move all the same."""
    room = await begins(ana, "channel", "ours", ben, private=True)
    await ana.says(room, "one")
    path = f"{CONVERSATIONS}/{room}/read"
    calls = [tries(who, "PUT", path, {"seq": 1}) for who in (mallory, ben, mallory, ana)]
    assert await asyncio.gather(*calls) == [(404, "not_found"), (204, ""), (404, "not_found"), (204, "")]
    assert await tries(ben, "PUT", f"{CONVERSATIONS}/99999/read", {"seq": 1}) == (404, "not_found")
    assert await tries(ben, "PUT", path, {"seq": -1}) == (422, "invalid")
    assert await tries(ben, "PUT", path, {}) == (422, "invalid")


async def test_many_marks_and_posts_at_once_end_at_the_furthest(cast: Cast, database_url: str) -> None:
    """Four users mark three conversations in any order while all post: no deadlock, and no mark moves back."""
    people = await cast.enters("ana", "ben", "chloe", "dan")
    rooms = [await begins(people[0], "channel", f"room {number}", *people[1:]) for number in range(3)]
    for room in rooms:
        for number in range(10):
            await people[0].says(room, f"{number}")
    reader = await people[3].listens()
    marks = [(who, room, seq) for who in people[1:] for room in rooms for seq in range(1, 11)]
    random.shuffle(marks)
    posts = [people[0].says(room, "more") for room in rooms * 10]
    await asyncio.gather(*[marks_read(*mark) for mark in marks], *posts)
    for who in people[1:]:
        for room in rooms:
            assert (await opens(who, room))["read_seq"] == 10
    await people[0].says(rooms[0], "end")
    await reader.hears(*["more"] * 30, "end")
    for room in rooms:
        seqs = [event.json()["seq"] for event in reader.named("read") if event.json()["conversation"] == room]
        assert seqs == sorted(set(seqs))
        assert seqs[-1] == 10
    with psycopg.connect(database_url) as database:
        row = database.execute("select count(*), max(position), (select position from log_head) from log").fetchone()
    assert row is not None
    assert row[0] == row[1] == row[2]
