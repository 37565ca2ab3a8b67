"""Messages saved for later: a list of the user's own, on all their devices."""

import psycopg

from chat.messages import triage
from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, deletes, removes_member, saved_by, saves, sees, sets_member, tries


async def test_a_message_is_saved_done_and_removed(ana: Person, ben: Person) -> None:
    """Each step shows on the user's other devices; others do not learn of it; repeating one changes nothing."""
    room = await begins(ana, "channel", "room", ben)
    for n in range(1, 4):
        await ana.says(room, f"m{n}")
    phone, hers = await ben.listens(), await ana.listens()
    for seq in (1, 3, 3):
        await saves(ben, room, seq)
    assert await saved_by(ben) == [(room, 3), (room, 1)]
    assert (await sees(ben))["saved"] == [{"conversation": room, "seq": seq} for seq in (1, 3)]
    await saves(ben, room, 3, done=True)
    assert (await saved_by(ben), await saved_by(ben, "done=1")) == ([(room, 1)], [(room, 3)])
    for _ in range(2):
        assert await tries(ben, "DELETE", f"{CONVERSATIONS}/{room}/messages/1/saved") == (204, "")
    assert (await saved_by(ben), await saved_by(ana)) == ([], [])
    await ana.says(room, "end")
    await phone.hears("end")
    await hers.hears("end")
    assert [one.json() for one in phone.named("saved")] == [
        {"conversation": room, "seq": seq, "state": state}
        for seq, state in ((1, "open"), (3, "open"), (3, "done"), (1, None))
    ]
    assert hers.named("saved") == []


async def test_deleted_and_unreadable_messages_vanish(ana: Person, ben: Person, mallory: Person) -> None:
    """A deleted message leaves the list, and so does what the user may no longer read."""
    public, private = await begins(ana, "channel", "news", ben), await begins(ana, "channel", "ours", ben, private=True)
    for room in (public, private):
        for n in range(2):
            await ana.says(room, f"m{n}")
        for seq in (1, 2):
            await saves(ben, room, seq)
    await deletes(ana, public, 1)
    assert await saved_by(ben) == [(private, 2), (private, 1), (public, 2)]
    assert (await removes_member(ana, private, ben))[0] == 204
    assert await saved_by(ben) == [(public, 2)]
    assert (await sees(ben))["saved"] == [{"conversation": public, "seq": 2}]
    await sets_member(ana, private, ben)
    assert await saved_by(ben) == [(public, 2)]
    place = f"{CONVERSATIONS}/{public}/messages"
    assert await tries(ben, "PUT", f"{place}/1/saved", {}) == (409, "deleted")
    assert await tries(ben, "PUT", f"{place}/9/saved", {}) == (404, "not_found")
    assert await tries(mallory, "PUT", f"{place}/2/saved", {}) == (403, "not_member")
    assert await tries(mallory, "PUT", f"{CONVERSATIONS}/{private}/messages/1/saved", {}) == (404, "not_found")


async def test_saved_messages_are_limited_and_paged(ana: Person, database_url: str) -> None:
    """Ana has saved all that she may; the list comes in pages, and one more is refused until she removes one."""
    room = await begins(ana, "channel", "room")
    for n in range(2):
        await ana.says(room, f"m{n}")
    with psycopg.connect(database_url) as database:
        database.execute(
            "insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at)"
            " select %s, n, n, %s, 'n' || n, 'more', now() from generate_series(3, 1002) n",
            [room, ana.id],
        )
        database.execute(
            "insert into saved_messages (user_id, conversation_id, seq) select %s, %s, n from generate_series(1, %s) n",
            [ana.id, room, triage.SAVED_MOST],
        )
    place = f"{CONVERSATIONS}/{room}/messages"
    assert await tries(ana, "PUT", f"{place}/1001/saved", {}) == (409, "too_many_saved")
    await saves(ana, room, 1)
    assert await tries(ana, "DELETE", f"{place}/1/saved") == (204, "")
    await saves(ana, room, 1001)
    found, before = [], ""
    while True:
        _, page = await ana.call("GET", f"/api/chat/saved?{before}")
        found += [one["message"]["seq"] for one in page["saved"]]
        if "next" not in page:
            break
        before = f"before={page['next']}"
    assert found == [1001, *range(1000, 1, -1)]
