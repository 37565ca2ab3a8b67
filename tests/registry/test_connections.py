"""The connections of a node, counted without a registry; the tests have their own clock."""

import pytest

from chat.shared.identity import FIRST_PROBE
from chat.shared.registry.connections import ConnectedUsers, Kind, StatusCounts, UserConnection, UserDevices

LINGER = 10.0


def connect(users: ConnectedUsers, user_id: int, kind: Kind = "socket", *, active: bool = True) -> UserConnection:
    """Open a connection of session 1."""
    connection = UserConnection(user_id, 1, kind, active)
    users.add(connection)
    return connection


def rows(users: ConnectedUsers, user_id: int, now: float) -> list[list[int]]:
    """Return what the registry is told of the user's devices."""
    return [row for device in users.users[user_id].devices for row in device.rows(now)]


def test_connections_are_counted_by_kind() -> None:
    """Opened connections are counted until they close; a user may have several."""
    users = ConnectedUsers(LINGER)
    opened = [connect(users, 1, "stream"), connect(users, 1, "stream"), connect(users, 2, "socket")]
    assert users.counts == {"stream": 2, "socket": 1}
    for connection in opened:
        users.remove(connection, 0.0)
    assert users.counts == {"stream": 0, "socket": 0}


@pytest.mark.parametrize("kind", ["stream", "socket"])
def test_probes_are_connected_but_not_counted(kind: Kind) -> None:
    """Tandem's own probes are in the registry like all users, and in no figure. The user with the id before is."""
    users = ConnectedUsers(LINGER)
    probe = connect(users, FIRST_PROBE, kind)
    users.status_counts.note(FIRST_PROBE, users.users[FIRST_PROBE], "online", 1, 1)
    assert set(users) == {FIRST_PROBE}
    assert not any(users.summarize().values())
    users.remove(probe, 0.0)
    assert not any(users.summarize().values())
    connect(users, FIRST_PROBE - 1, kind)
    users.status_counts.note(FIRST_PROBE - 1, users.users[FIRST_PROBE - 1], "online", 1, 1)
    assert users.summarize()[f"{kind}s"] == users.summarize()["people"] == 1


def test_a_device_lingers_after_its_last_connection() -> None:
    """The linger begins when the last connection closes, and ends at its time, not before."""
    users = ConnectedUsers(LINGER)
    first, second = connect(users, 1, "stream", active=False), connect(users, 1, active=False)
    assert rows(users, 1, 0.0) == [[1, 1, 1, 0, 0]]
    assert not users.remove(first, 0.0)
    assert rows(users, 1, 0.0) == [[1, 0, 1, 0, 0]]
    assert users.remove(second, 5.0)
    assert rows(users, 1, 6.0) == [[1, 0, 0, 0, 9000]]
    held = users.users[1]
    assert held.next_end() == 15.0
    held.forget_gone(14.9)
    assert len(held.devices) == 1
    held.forget_gone(15.0)
    assert not held.devices


def test_a_connection_ends_the_linger_of_its_device() -> None:
    """A reload shows neither that the user leaves nor that they are away."""
    users = ConnectedUsers(LINGER)
    users.remove(connect(users, 1), 0.0)
    assert rows(users, 1, 0.0) == [[1, 0, 0, 0, 10000], [1, 0, 0, 1, 10000]]
    connect(users, 1)
    assert rows(users, 1, 1.0) == [[1, 0, 1, 1, 0]]


def test_an_idle_connection_leaves_the_device_fading() -> None:
    """Without the connection in use, the device is in use until the linger ends, while others stay open."""
    users = ConnectedUsers(LINGER)
    active, idle = connect(users, 1), connect(users, 1, "stream", active=False)
    assert users.remove(active, 0.0)
    assert rows(users, 1, 4.0) == [[1, 1, 0, 0, 0], [1, 0, 0, 1, 6000]]
    connect(users, 1, active=False)
    assert rows(users, 1, 4.0)[1:] == [[1, 0, 0, 1, 6000]]
    users.users[1].forget_gone(10.0)
    assert rows(users, 1, 10.0) == [[1, 1, 1, 0, 0]]
    assert not users.remove(idle, 11.0)


def test_a_device_that_leaves_while_it_fades_is_not_away_first() -> None:
    """A socket closes just before its stream: both lingers end together. One that had faded stays so."""
    users = ConnectedUsers(LINGER)
    stream = connect(users, 1, "stream", active=False)
    users.remove(connect(users, 1), 0.0)
    users.remove(stream, 3.0)
    assert rows(users, 1, 3.0) == [[1, 0, 0, 0, 10000], [1, 0, 0, 1, 10000]]
    late = ConnectedUsers(LINGER)
    stream = connect(late, 1, "stream", active=False)
    late.remove(connect(late, 1), 0.0)
    late.remove(stream, 10.0)
    late.users[1].forget_gone(10.0)
    assert rows(late, 1, 10.0) == [[1, 0, 0, 0, 10000]]


def test_use_changes_a_device_with_its_first_and_last_connection_in_use() -> None:
    """`touch` says whether the device changed, so that the registry is told only then."""
    users = ConnectedUsers(LINGER)
    one, two = connect(users, 1, active=False), connect(users, 1, active=False)
    assert [users.touch(one, True), users.touch(one, True), users.touch(two, True)] == [True, False, False]
    assert [users.touch(one, False), users.touch(two, False)] == [False, True]
    assert rows(users, 1, 0.0) == [[1, 0, 2, 0, 0]]


def test_the_registry_never_hears_of_a_linger_of_no_time() -> None:
    """Zero would mean that the device is connected."""
    users = ConnectedUsers(LINGER)
    users.remove(connect(users, 1, active=False), 0.0)
    assert rows(users, 1, LINGER) == [[1, 0, 0, 0, 1]]


def test_the_own_view_is_kept_for_users_with_sockets() -> None:
    """Only their sockets are told of it. Both versions are kept for all."""
    users = ConnectedUsers(LINGER)
    connect(users, 1, "stream")
    connect(users, 2, "socket")
    for user_id in (1, 2):
        users.users[user_id].note([7, "online"], [8, "dnd"])
    assert [users.users[n].own for n in (1, 2)] == [None, [8, "dnd"]]
    assert [(users.users[n].shown_version, users.users[n].own_version) for n in (1, 2)] == [(7, 8), (7, 8)]


def test_a_user_on_two_nodes_is_a_half_on_each() -> None:
    """The sum over all nodes is the number of users. Those who appear offline are in no figure."""
    counts, users = StatusCounts(), [UserDevices() for _ in range(3)]
    counts.note(1, users[0], "online", 2, 1)
    counts.note(2, users[1], "dnd", 1, 1)
    counts.note(3, users[2], "offline", 1, 1)
    assert counts.summarize() == {"people": 1.5, "online": 0.5, "away": 0.0, "dnd": 1.0}
    counts.note(1, users[0], "away", 0, 2)
    assert counts.summarize() == {"people": 2.0, "online": 0.0, "away": 1.0, "dnd": 1.0}
    counts.forget(2, users[1])
    assert counts.summarize() == {"people": 1.0, "online": 0.0, "away": 1.0, "dnd": 0.0}


def test_older_news_of_a_user_on_several_nodes_is_ignored() -> None:
    """News of the same moment counts, older news does not, until the registry has lost its data."""
    counts, ana = StatusCounts(), UserDevices()
    counts.note(1, ana, "online", 2, 5)
    counts.note(1, ana, "dnd", 1, 4)
    assert counts.summarize()["dnd"] == 0
    counts.note(1, ana, "away", 1, 5)
    assert counts.summarize()["away"] == 1
    counts.note(1, ana, "dnd", 1, 6)
    counts.note(1, ana, "away", 1, 5)
    assert counts.summarize() == {"people": 1.0, "online": 0.0, "away": 0.0, "dnd": 1.0}
    counts.forget_all([ana])
    assert not any(counts.summarize().values())
    counts.note(1, ana, "away", 1, 1)
    assert counts.summarize()["away"] == 1
