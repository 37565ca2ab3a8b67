"""The scripts of the registry, one call at a time, at moments that the tests choose."""

import itertools
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis

from chat.shared.registry.scripts import (
    CLAIM,
    DRAIN,
    HOLD,
    LEASE,
    LEASES,
    LEAVE,
    LOOK,
    OVERVIEW,
    REAP,
    RegistryChannels,
    Script,
    user_key,
)

FAR = 2**50  # a moment that never comes, in milliseconds: the server's clock was set back from it
PATIENCE, STEP, LINGER, CLAIMED = 1000, 300, 200, 500
ECHO, CHANNEL = "tandem:echo:test", "tandem:person:7"


class Scripts:
    """Calls scripts. Moments are the registry's."""

    def __init__(self, server: "redis.Redis") -> None:
        self.server = server

    def at(self, moment: int, server: int = FAR) -> None:
        """Set the registry's time, as of this time of the server."""
        self.server.set(f"{LEASES}:clock", orjson.dumps([server, moment, STEP]))

    def call(self, script: Script, *arguments: object, key: str = LEASES) -> Any:
        """Call a script."""
        return self.server.eval(script.text, 1, key, *arguments)  # type: ignore[arg-type]

    def leases(self, moment: int, holder: str, how: str, *, dead: str = "", before: str = "", **record: object) -> Any:
        """Take or renew a lease; return the outcome, its detail, and the expired holders."""
        self.at(moment)
        fields = orjson.dumps({"name": holder.partition("~")[0], "holder": holder, **record})
        outcome, detail, _, *expired = self.call(LEASE, holder, fields, PATIENCE, how, dead, before, STEP, ECHO)
        return outcome.decode(), detail.decode(), [one.decode() for one in expired]

    def record(self, holder: str) -> dict[str, Any]:
        """Return a lease."""
        return dict(orjson.loads(self.server.hget(LEASES, holder) or b"{}"))  # type: ignore[arg-type]

    def change(self, holder: str, **fields: object) -> None:
        """Change a lease."""
        self.server.hset(LEASES, holder, orjson.dumps(self.record(holder) | fields))  # type: ignore[arg-type]

    def claim(self, moment: int, dead: str, reaper: str) -> Any:
        """Claim the work of reaping a holder."""
        self.at(moment)
        return self.call(CLAIM, dead, reaper, CLAIMED)

    def holds(self, holder: str, *rows: list[int], before: str = "", choice: object = None, known: int = 0) -> Any:
        """Store a user's devices on a holder; return [shown, own, time of the choice, holders, moved, moment]."""
        chosen = "" if choice is None else orjson.dumps(choice)
        found = self.call(HOLD, CHANNEL, known, known, holder, orjson.dumps(rows), chosen, before, FAR, key=user_key(7))
        return orjson.loads(found)


@pytest.fixture
def scripts(redis_url: str, redis_client: "redis.Redis") -> Scripts:  # noqa: ARG001 (empties the server)
    """Scripts on an empty server."""
    return Scripts(redis_client)


def heard(pubsub: Any) -> Iterator[bytes]:
    """Return the messages that have arrived."""
    while message := pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0):
        yield message["data"]


def test_a_lease_is_taken_and_renewed(scripts: Scripts) -> None:
    """Each renewal extends the lease and reports no other node as dead. The node hears an echo from the server."""
    pubsub = scripts.server.pubsub()
    pubsub.subscribe(ECHO)
    pubsub.get_message(timeout=5.0)
    assert scripts.leases(5000, "a~1", "take") == ("held", "", [])
    assert (scripts.record("a~1")["heard"], scripts.record("a~1")["until"]) == (5000, 6000)
    assert scripts.leases(5400, "a~1", "renew", people=3) == ("held", "", [])
    assert scripts.record("a~1") == {"name": "a", "holder": "a~1", "people": 3, "heard": 5400, "until": 6400}
    assert len(list(itertools.islice(heard(pubsub), 2))) == 2
    pubsub.close()


def test_the_clock_moves_by_a_step_at_most(scripts: Scripts) -> None:
    """A renewal moves it no further, also after the server hung; readers see that no node has renewed meanwhile."""
    fields = orjson.dumps({"name": "a", "holder": "a~1"})
    server = scripts.call(LEASE, "a~1", fields, PATIENCE, "take", "", "", STEP, ECHO)[2]
    scripts.at(5000, server - 10_000)
    assert int(scripts.call(OVERVIEW, "counts")[1]) >= 15_000
    scripts.call(LEASE, "a~1", fields, PATIENCE, "renew", "", "", STEP, ECHO)
    assert scripts.record("a~1")["heard"] == 5300
    assert orjson.loads(scripts.server.get(f"{LEASES}:clock"))[1:] == [5300, STEP]  # type: ignore[arg-type]
    scripts.at(5000)
    assert int(scripts.call(OVERVIEW, "counts")[1]) == 5000


def test_without_a_clock_it_is_the_servers(scripts: Scripts) -> None:
    """The first node starts the clock."""
    server, now, *_ = scripts.call(OVERVIEW, "counts")
    assert server == now


def test_a_name_is_taken_while_its_lease_lasts(scripts: Scripts) -> None:
    """Another node gets the record of the one that has it, until that lease ends. Other names are free."""
    scripts.leases(5000, "a~1", "take", where="here")
    assert scripts.leases(5000, "a~2", "take")[0] == "taken"  # at the same moment
    outcome, detail, _ = scripts.leases(5999, "a~2", "take")
    assert (outcome, orjson.loads(detail)["where"]) == ("taken", "here")
    assert not scripts.record("a~2")
    assert scripts.leases(5999, "b~1", "take")[0] == "held"
    assert scripts.leases(6000, "a~2", "take") == ("held", "", ["a~1"])


def test_the_name_of_a_node_that_leaves_is_free(scripts: Scripts) -> None:
    """Its lease lasts for the linger of its users, and is reported only then. A node without a lease cannot leave."""
    scripts.leases(5000, "a~1", "take")
    scripts.at(5100)
    assert scripts.call(LEAVE, "a~9", LINGER) == 0
    scripts.call(LEAVE, "a~1", LINGER)
    assert scripts.record("a~1")["until"] == 5300
    assert scripts.leases(5299, "a~2", "take") == ("held", "", [])
    assert scripts.leases(5300, "a~2", "renew") == ("held", "", ["a~1"])


def test_a_node_that_is_known_to_be_dead_ends_at_once(scripts: Scripts) -> None:
    """Its name is free, it is reaped now, and once more when its lease would have ended."""
    scripts.leases(5000, "a~1", "take")
    assert scripts.leases(5100, "a~2", "take", dead="a~1") == ("held", "", ["a~1"])
    assert (scripts.record("a~1")["until"], scripts.record("a~1")["late"]) == (5100, 6000)
    assert [scripts.claim(5200, "a~1", "a~2") for _ in range(2)] == [3, 0]
    assert scripts.claim(5999, "a~1", "a~2") == 0
    assert scripts.claim(6000, "a~1", "a~2") == 1


def test_a_lease_that_is_gone_or_claimed_is_lost(scripts: Scripts) -> None:
    """The node registers again; what has expired is told to it all the same."""
    scripts.leases(5000, "b~1", "take")
    assert scripts.leases(6000, "a~1", "renew") == ("lost", "", ["b~1"])
    scripts.leases(7000, "a~1", "take")
    scripts.change("a~1", reaper="b~1")
    assert scripts.leases(7001, "a~1", "renew")[0] == "lost"
    assert scripts.leases(7001, "a~1", "take")[0] == "held"


def test_a_lease_of_the_future_counts_from_now_on(scripts: Scripts) -> None:
    """A lease that another clock wrote keeps its length. Until it ends, other nodes can take other names."""
    scripts.leases(9000, "b~1", "take")
    assert scripts.leases(5000, "a~1", "take") == ("held", "", [])
    assert (scripts.record("b~1")["heard"], scripts.record("b~1")["until"]) == (5000, 6000)
    scripts.change("b~1", heard=5500)
    scripts.leases(5500, "a~1", "renew")
    assert scripts.record("b~1")["until"] == 6000


def test_an_order_to_drain_stays(scripts: Scripts) -> None:
    """The live node of this name gets the order. Its renewals and its next lease still have it."""
    scripts.leases(5000, "a~1", "take")
    scripts.leases(5000, "b~1", "take")
    assert [scripts.call(DRAIN, name, "1") for name in ("a", "c")] == [1, 0]
    assert scripts.leases(5001, "a~1", "renew") == ("held", "drain", [])
    assert scripts.leases(5001, "b~1", "renew") == ("held", "", [])
    assert scripts.leases(6500, "a~2", "take", before="a~1")[:2] == ("held", "drain")
    assert scripts.leases(6500, "b~2", "take", before="b~1")[:2] == ("held", "")
    assert 0 < scripts.server.ttl(f"{LEASES}:order:a~1") <= 86400  # type: ignore[operator]
    scripts.call(DRAIN, "a", "0")
    assert scripts.leases(6501, "a~2", "renew")[:2] == ("held", "")
    assert scripts.leases(8000, "a~3", "take", before="a~2", drain=True)[:2] == ("held", "")
    assert scripts.leases(9500, "a~4", "take", drain=True)[:2] == ("held", "drain")


def test_nodes_that_are_gone_get_no_orders(scripts: Scripts) -> None:
    """Neither one whose lease has expired, nor one that leaves."""
    scripts.leases(5000, "a~1", "take")
    scripts.at(6000)
    assert scripts.call(DRAIN, "a", "1") == 0
    scripts.at(5999)
    assert scripts.call(DRAIN, "a", "1") == 1
    scripts.call(LEAVE, "a~1", LINGER)
    assert scripts.call(DRAIN, "a", "1") == 0


def test_one_node_reaps_a_dead_one(scripts: Scripts) -> None:
    """The claim is one node's until it has expired. A live or unknown node cannot be claimed."""
    scripts.leases(5000, "a~1", "take")
    assert [scripts.claim(5999, "a~1", "b~1"), scripts.claim(6000, "x~1", "b~1")] == [0, 0]
    assert [scripts.claim(6000, "a~1", reaper) for reaper in ("b~1", "c~1", "b~1")] == [1, 0, 1]
    assert [scripts.claim(moment, "a~1", "c~1") for moment in (6499, 6500)] == [0, 1]
    scripts.leases(7000, "d~1", "take")
    scripts.call(LEAVE, "d~1", LINGER)
    assert scripts.claim(7300, "d~1", "c~1") == 2


def test_a_write_after_the_lease_changes_nothing(scripts: Scripts) -> None:
    """A write that arrives after the end of its lease stores nothing, and is answered with the server's time."""
    server = scripts.call(HOLD, CHANNEL, 0, 0, "a~1", "[[1,0,1,1,0]]", "", "", 1, key=user_key(7))
    assert server > 1
    assert not scripts.server.exists(user_key(7))
    scripts.call(HOLD, CHANNEL, 0, 0, "a~1", "[[1,0,1,1,0]]", "", "", server + 60_000, key=user_key(7))
    assert scripts.server.exists(user_key(7))


def test_devices_are_stored_by_holder(scripts: Scripts) -> None:
    """A write replaces the holder's devices and those of its earlier lease. A session on two nodes is one device."""
    scripts.holds("a~1", [1, 0, 1, 1, 0], [2, 1, 0, 0, 0])
    shown, _, _, holders, moved, _ = scripts.holds("b~1", [1, 1, 0, 0, 0], [3, 1, 0, 0, 0])
    assert (shown[1], shown[5], holders, moved) == ("online", 3, 2, 0)
    shown, _, _, holders, _, _ = scripts.holds("a~2", [2, 1, 0, 0, 0], before="a~1")
    assert (shown[1], shown[5], holders) == ("away", 3, 2)
    assert scripts.holds("a~2")[3] == 1
    assert scripts.server.ttl(user_key(7)) == -1
    shown, _, _, holders, moved, _ = scripts.holds("b~1")
    assert (shown[1], shown[5], holders, moved) == ("offline", 0, 0, -1)
    assert 30 * 86400 - 60 < scripts.server.ttl(user_key(7)) <= 30 * 86400  # type: ignore[operator]
    assert scripts.holds("b~1", [1, 0, 1, 0, 0])[4] == 1
    assert scripts.server.ttl(user_key(7)) == -1


def test_the_time_of_the_last_use_is_kept(scripts: Scripts) -> None:
    """A device in use sets it, also when it goes out of use. An idle one and one that lingers do not."""
    for rows, seen in (([1, 1, 0, 0, 0], False), ([1, 0, 1, 1, 5000], False), ([1, 0, 1, 1, 0], True)):
        scripts.holds("a~1", rows)
        assert scripts.server.hexists(user_key(7), "seen") == seen
    scripts.server.hset(user_key(7), "seen", 1)
    scripts.holds("a~1", [1, 0, 1, 0, 0])
    first = int(scripts.server.hget(user_key(7), "seen") or 0)  # type: ignore[arg-type]
    assert first > 1
    scripts.server.hset(user_key(7), "seen", 1)
    scripts.holds("a~1", [1, 0, 1, 0, 0])
    assert scripts.server.hget(user_key(7), "seen") == b"1"


def test_the_newest_choice_counts(scripts: Scripts) -> None:
    """An older one that another node has read changes nothing."""
    device = [1, 0, 1, 1, 0]
    for set_at, mode, shown in ((2, "dnd", "dnd"), (1, "away", "dnd"), (2, "away", "dnd"), (3, "away", "away")):
        assert scripts.holds("a~1", device, choice=[set_at, mode, "", "", 0])[0][1] == shown
    server = scripts.call(HOLD, CHANNEL, 0, 0, "a~1", "[]", "", "", 1, key=user_key(7))
    found = scripts.holds("a~1", device, choice=[4, "dnd", "focus", "x", server + 60_000])
    assert found[0][1:5] == ["dnd", "focus", "x", server + 60_000]
    assert 0 < found[2] <= 60_000
    found = scripts.holds("a~1", device, choice=[5, "dnd", "focus", "x", server - 1])
    assert (found[0][1:5], found[2]) == (["online", "", "", 0], 0)


def test_an_invisible_user_is_offline_for_others_alone(scripts: Scripts) -> None:
    """Their use does not change when others last saw them, and their own view says how they are."""
    scripts.server.hset(user_key(7), "seen", 5)
    scripts.holds("a~1", [1, 1, 0, 0, 0])
    shown, own, *_ = scripts.holds("a~1", [1, 0, 1, 1, 0], choice=[1, "invisible", "text", "x", 0])
    assert shown[1:6] == ["offline", "", "", 0, 0]
    assert own[1:6] == ["online invisible", "text", "x", 0, 1]
    scripts.holds("a~1", [1, 0, 1, 0, 0])
    scripts.server.hset(user_key(7), "seen", 9)
    assert scripts.holds("a~1", [1, 0, 1, 0, 0])[0][6] == shown[6]
    assert scripts.holds("a~1", [1, 0, 1, 0, 0], choice=[2, "online", "", "", 0])[0][6] == 9


def test_a_version_rises_with_each_change_and_with_nothing_else(scripts: Scripts) -> None:
    """A change is published with both views. A caller that knows a later version is told a later one."""
    pubsub = scripts.server.pubsub()
    pubsub.subscribe(CHANNEL)
    pubsub.get_message(timeout=5.0)
    first = scripts.holds("a~1", [1, 0, 1, 0, 0])[:2]
    assert scripts.holds("a~1", [1, 0, 1, 0, 0])[:2] == first
    known = first[0][0]
    assert scripts.holds("a~1", [1, 0, 1, 0, 0], known=known)[:2] == first
    later = scripts.holds("a~1", [1, 0, 1, 0, 0], known=known + 10**6)
    assert (later[0][0], later[1][0], later[4]) == (known + 10**6 + 1, known + 10**6 + 1, 0)
    again = scripts.holds("a~1", [1, 0, 1, 0, 0], [2, 0, 1, 0, 0])
    assert again[0][0] == later[0][0] + 1
    assert [orjson.loads(one) for one in itertools.islice(heard(pubsub), 3)] == [first, later[:2], again[:2]]
    looked = orjson.loads(scripts.call(LOOK, CHANNEL, 0, 0, key=user_key(7)))
    assert looked[:2] == again[:2]
    pubsub.close()


def test_after_a_loss_of_data_nobody_joins(scripts: Scripts) -> None:
    """A node that knows of the user writes them again: they were online all the time."""
    assert scripts.holds("a~1", [1, 0, 1, 0, 0], known=100)[4] == 0
    scripts.server.delete(user_key(7))
    assert scripts.holds("a~1", [1, 0, 1, 0, 0])[4] == 1


def test_holders_are_told_of_each_other(scripts: Scripts) -> None:
    """Each counts the user as one part of so many. They hear when the number or the status changes."""
    pubsub = scripts.server.pubsub()
    pubsub.subscribe(RegistryChannels(scripts.server).of_holder("a~1"))
    pubsub.get_message(timeout=5.0)
    scripts.holds("a~1", [1, 0, 1, 0, 0])  # alone: not told
    scripts.holds("b~2", [2, 0, 1, 0, 0])  # told of two
    scripts.holds("b~2", [2, 0, 1, 0, 0])  # no news
    scripts.holds("b~2", [2, 0, 1, 1, 0])  # told of the status
    scripts.holds("b~2")  # told that it is alone
    scripts.holds("a~1", [1, 0, 1, 1, 0])  # alone
    told = [one.decode().split() for one in itertools.islice(heard(pubsub), 3)]
    assert [row[:3] for row in told] == [["7", "away", "2"], ["7", "online", "2"], ["7", "away", "1"]]
    moments = [int(row[3]) for row in told]
    assert moments == sorted(set(moments))
    assert pubsub.get_message(ignore_subscribe_messages=True) is None
    pubsub.close()


def test_dead_holders_are_reaped(scripts: Scripts) -> None:
    """The number of those that had devices is returned, and whether the user went offline by it."""
    scripts.holds("a~1", [1, 0, 1, 0, 0])
    scripts.holds("b~1", [2, 0, 1, 0, 0])
    scripts.holds("c~1", [3, 0, 1, 0, 0])

    def reap(*holders: str) -> Any:
        return scripts.call(REAP, CHANNEL, 0, 0, *holders, key=user_key(7))

    assert reap("x~1") == [0, 0]
    assert reap("a~1", "b~1", "x~1") == [2, 0]
    assert reap("a~1") == [0, 0]
    assert reap("c~1") == [1, -1]
