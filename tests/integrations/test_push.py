"""Web Push: messages that call a user reach closed apps, encrypted, and only if no device of the user is in use."""

import socket
import time
from collections.abc import AsyncIterator

import aiohttp
import psycopg
import pytest
from aiohttp.abc import ResolveResult
from cryptography.hazmat.primitives.asymmetric import ec

from chat.integrations.push import PUSH
from chat.integrations.web_push import encrypt
from chat.local.data_dir import free_port
from chat.local.engine import ValkeyEngine
from tests.cast import Cast, Person, casting
from tests.integrations.push_service import CURVE, PushService, check_token, decode, decrypt, encode, serving_push
from tests.messages.streaming import appends, finishes, starts
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence
from tests.shared.test_public_addresses import was_reached
from tests.verbs import begins, blocks, deletes, marks_read, notices
from tests.waiting import eventually

ALLOWED = {"hooks_allow": "127.0.0.1"}


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    """A push service on loopback, which the node may reach."""
    async with serving_push() as one:
        yield one


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node that may reach the push service of the tests."""
    async with running_node(database_url, redis_url, **ALLOWED, push_contact="mailto:ops@chat.example") as one:
        yield one


async def hurries(node: Node, database_url: str) -> int:
    """Make everything in the queue due now; return how many wait for their user to read."""
    node.app[PUSH].wake()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        # not what is being sent at the moment
        await connection.execute("update push_queue set due_at = now() where due_at < now() + interval '55 seconds'")
        row = await (await connection.execute("select count(*) from push_queue where waited")).fetchone()
        return int(row[0]) if row else 0


async def is_settled(database_url: str) -> bool:
    """Return whether the whole log was read, or is not read any more, and nothing is queued."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        behind = "select from subscriptions s, log_head h where s.target = 'push' and s.position < h.position"
        asked = f"select not exists ({behind}) and not exists (select from push_queue)"
        return await (await connection.execute(asked)).fetchone() == (True,)


def test_the_example_of_the_standard() -> None:
    """RFC 8291, appendix A: the same keys and salt give the same bytes, and the receiver reads them."""
    sender = ec.derive_private_key(int.from_bytes(decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), CURVE)
    private = ec.derive_private_key(int.from_bytes(decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), CURVE)
    receiver = decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
    secret, salt = decode("BTBZMqHH6r4Tts7J_aSIgg"), decode("DGv6ra1nlYgDCS1FRnbzlw")
    text = b"When I grow up, I want to be a watermelon"
    body = encrypt(text, receiver, secret, salt=salt, own=sender)
    assert encode(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert decrypt(body, private, secret) == text


async def test_a_direct_message_reaches_a_closed_app(service: PushService, ana: Person, ben: Person) -> None:
    """Its push service learns neither the text nor its exact length, and who sends it is signed."""
    _, answer = await ben.call("GET", "/api/push/key")
    device = await service.subscribes(ben)
    room = await begins(ana, "direct", "", ben)
    await ana.says(room, "The **soup** is ready")
    await ana.says(room, "No, it is not")
    await eventually(lambda: len(device.received) == 2)
    first, second = sorted(device.received, key=lambda one: one["seq"])
    assert first == {"conversation": room, "seq": 1, "author": "Ana", "body": "The **soup** is ready"}
    assert second["body"] == "No, it is not"
    assert device.sizes[0] == device.sizes[1]
    headers = device.headers[0]
    claims = check_token(headers["Authorization"], answer["key"], service.url)
    assert claims["sub"] == "mailto:ops@chat.example"
    assert time.time() < claims["exp"] < time.time() + 24 * 3600
    assert headers["Content-Encoding"] == "aes128gcm"
    assert len({one["Topic"] for one in device.headers}) == 2


async def test_whom_a_message_calls(service: PushService, database_url: str, cast: Cast, ana: Person) -> None:
    """The settings of the conversation decide as they do in the app, and own messages call nobody."""
    names = ("ben", "chloe", "dora", "emil", "fay", "gus", "hal")
    _, chloe, dora, emil, fay, _, hal = people = await cast.enters(*names)
    devices = [await service.subscribes(one) for one in (ana, *people[:-1])]
    now = int(time.time() // 60 % 1440)
    devices.append(await service.subscribes(hal, quiet={"begins": (now - 5) % 1440, "ends": (now + 60) % 1440}))
    room = await begins(ana, "channel", "kitchen", *people)
    await notices(chloe, room, level="nothing")
    await notices(dora, room, muted_until="2999-01-01T00:00:00Z")
    await blocks(emil, ana)
    async with open_presence(fay) as socket:
        await socket.says("status", status="dnd")
        await eventually(lambda: _chooses(database_url, fay))
    await ana.says(room, "a plain message calls nobody in a channel")
    await ana.says(room, "@gus you")
    await ana.says(room, "@channel all of you")
    named = {one.name: one for one in devices}
    await eventually(lambda: len(named["ben"].seen) == 1 and len(named["gus"].seen) == 2)
    await eventually(lambda: is_settled(database_url))
    assert {one.name: len(one.seen) for one in devices if one.seen} == {"ben": 1, "gus": 2}
    assert named["ben"].received[0]["channel"] == "kitchen"


async def _chooses(database_url: str, person: Person) -> bool:
    """Return whether the user's choice of a status is stored."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        asked = "select count(*) from presence_choices where user_id = %s"
        return await (await connection.execute(asked, [person.id])).fetchone() == (1,)


async def test_a_user_in_front_of_the_app(
    service: PushService, database_url: str, node: Node, ana: Person, ben: Person
) -> None:
    """While a device is in use nothing is pushed; a message that is still unread when the user is gone is."""
    device = await service.subscribes(ben)
    room = await begins(ana, "direct", "", ben)
    async with open_presence(ben) as socket:
        await ana.says(room, "read")
        await eventually(lambda: hurries(node, database_url))
        await eventually(lambda: _settled_after_hurry(node, database_url))
        await ana.says(room, "read elsewhere")
        await eventually(lambda: hurries(node, database_url))
        await marks_read(ben, room, 2)
        await ana.says(room, "missed")
        await eventually(lambda: hurries(node, database_url))
        await socket.says("idle")
    await eventually(lambda: _hurried(node, database_url, device.seen))
    await eventually(lambda: _settled_after_hurry(node, database_url))
    assert device.seen == ["missed"]


async def _hurried(node: Node, database_url: str, seen: list[str]) -> bool:
    await hurries(node, database_url)
    return bool(seen)


async def test_presence_unknown(service: PushService, database_url: str, own_valkey: ValkeyEngine) -> None:
    """If the registry cannot be asked, users are notified."""
    async with running_node(database_url, own_valkey.url, **ALLOWED) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        device = await service.subscribes(ben)
        room = await begins(ana, "direct", "", ben)
        async with open_presence(ben):
            own_valkey.stop()
            await ana.says(room, "hello")
            await eventually(lambda: device.seen == ["hello"])


async def test_devices_that_are_gone_or_away(
    service: PushService, database_url: str, node: Node, ana: Person, ben: Person
) -> None:
    """A push service that fails is asked again; a device that is gone is forgotten."""
    device = await service.subscribes(ben)
    room = await begins(ana, "direct", "", ben)
    service.answers["ben"] = [500, 429]
    await ana.says(room, "one")
    await eventually(lambda: _hurried(node, database_url, device.seen))
    assert device.seen == ["one"]
    service.answers["ben"] = [410]
    await ana.says(room, "two")
    await eventually(lambda: len(service.asked) == 4)
    await eventually(lambda: is_settled(database_url))
    await ana.says(room, "three")
    await eventually(lambda: is_settled(database_url))
    device = await service.subscribes(ben)
    await ana.says(room, "four")
    await eventually(lambda: device.seen)
    assert device.seen == ["four"]
    assert service.asked == ["ben"] * 5


async def waits_for(database_url: str) -> list[tuple[str, int, int]]:
    """Return `(user, attempts, failures)` of notifications that failed, and are sent again within half a minute."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        asked = (
            "select u.name, q.attempts, s.failures from push_queue q join users u on u.id = q.user_id"
            " join push_subscriptions s on s.id = q.subscription_id"
            " where q.due_at < now() + interval '30 seconds' and s.failures > 0"
        )
        return [(row[0], row[1], row[2]) for row in await (await connection.execute(asked)).fetchall()]


async def test_push_services_that_misbehave_are_bounded(
    service: PushService, database_url: str, node: Node, cast: Cast, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is not followed and ten megabytes are not read; one that is dead or slow is asked again."""
    outcomes = node.app[PUSH].outcomes
    redirect, huge, dead, slow = people = await cast.enters("redirect", "huge", "dead", "slow")
    service.misdeeds = {one.name: one.name for one in people}
    for person in (redirect, huge, slow):
        await service.subscribes(person)
    await service.subscribes(dead, endpoint=f"http://127.0.0.1:{free_port()}/push/dead")
    await ana.says(await begins(ana, "group", "lunch", redirect, huge, dead), "soup")
    await eventually(lambda: (outcomes["sent"], outcomes["failed"]) == (1, 1))
    assert service.devices["huge"].seen == ["soup"]
    assert service.sent < 10 * 1024 * 1024
    assert sorted(service.asked) == ["huge", "redirect"]
    await eventually(lambda: has(database_url, ("dead", 1, 1)))
    monkeypatch.setattr("chat.integrations.push.RETRY_SECONDS", 0.01)
    await eventually(lambda: _hurried_to(node, database_url, 2))  # the dead one, after six attempts
    monkeypatch.setattr("chat.integrations.push.RETRY_SECONDS", 20.0)
    monkeypatch.setattr("chat.integrations.push.ANSWER_SECONDS", 0.3)
    await ana.says(await begins(ana, "direct", "", slow), "salad")
    await eventually(lambda: has(database_url, ("slow", 1, 1)))
    assert outcomes["failed"] == 2
    monkeypatch.setattr("chat.integrations.push.ANSWER_SECONDS", 30.0)
    service.misdeeds.clear()
    await eventually(lambda: _hurried(node, database_url, service.devices["slow"].seen))
    assert service.devices["slow"].seen == ["salad"]


async def has(database_url: str, waiting: tuple[str, int, int]) -> bool:
    """Return whether this notification waits for its next attempt, and no other one."""
    return await waits_for(database_url) == [waiting]


async def _hurried_to(node: Node, database_url: str, failed: int) -> bool:
    await hurries(node, database_url)
    return node.app[PUSH].outcomes["failed"] == failed


async def test_a_device_that_always_fails_is_removed(
    service: PushService, database_url: str, node: Node, ana: Person, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its last failure its push service is not asked again; a success in between forgives the earlier ones."""
    monkeypatch.setattr("chat.integrations.push.FAILURES_MOST", 2)
    await service.subscribes(ben)
    room = await begins(ana, "direct", "", ben)
    service.answers["ben"] = [403, 403, 201, 403, 403, 403]
    for n in range(8):
        await ana.says(room, f"message {n}")
        await eventually(lambda: is_settled(database_url))
    assert service.asked == ["ben"] * 6
    assert (node.app[PUSH].outcomes["failed"], node.app[PUSH].outcomes["sent"]) == (5, 1)


async def test_a_name_that_moves_to_a_private_address_is_not_asked(
    service: PushService, database_url: str, node: Node, ana: Person, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up leads to an address that may be asked, the later ones to another one of this machine."""
    monkeypatch.setattr("chat.integrations.push.ANSWER_SECONDS", 1.0)
    address = "127.0.0.1"

    async def resolve(_self: object, host: str, port: int = 0, _family: int = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    with socket.create_server((address, 0)) as admitted, socket.create_server(("127.0.0.2", 0)) as private:
        for listener in (admitted, private):
            listener.setblocking(False)

        async def is_asked(listener: socket.socket) -> bool:
            await hurries(node, database_url)
            return was_reached(listener)

        room = await begins(ana, "direct", "", ben)
        await service.subscribes(ben, endpoint=f"https://push.example:{admitted.getsockname()[1]}/ben")
        await ana.says(room, "one")
        await eventually(lambda: is_asked(admitted))  # it does not answer, so that it is asked again
        address = "127.0.0.2"
        await service.subscribes(ben, endpoint=f"https://push.example:{private.getsockname()[1]}/ben")
        await ana.says(room, "two")
        await eventually(lambda: _hurried_to(node, database_url, 2))
        assert not was_reached(private)


async def test_the_end_of_a_session(service: PushService, database_url: str, ana: Person, ben: Person) -> None:
    """Notifications end with the session; one session has one device, and one device one session."""
    old = await service.subscribes(ben, "old")
    device = await service.subscribes(ben, "new")
    assert (await ana.call("POST", "/api/push/subscriptions", device.subscription()))[0] == 204
    room = await begins(ana, "direct", "", ben)
    await ana.says(room, "to none")
    await ben.says(room, "to the device that ana has now")
    await eventually(lambda: device.seen)
    await eventually(lambda: is_settled(database_url))
    assert (old.seen, device.seen) == ([], ["to the device that ana has now"])
    assert (await ana.call("DELETE", "/api/sessions/current"))[0] == 204
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert (await (await connection.execute("select count(*) from push_subscriptions")).fetchone()) == (0,)
    await service.subscribes(ben)
    assert (await ben.call("DELETE", "/api/push/subscriptions"))[0] == 204
    assert (await ana.call("POST", "/api/push/subscriptions", device.subscription()))[0] == 401


async def test_streamed_and_deleted_messages(
    service: PushService, database_url: str, node: Node, ana: Person, ben: Person
) -> None:
    """A streamed message calls when its text is whole; one that is deleted meanwhile does not."""
    device = await service.subscribes(ben)
    room = await begins(ana, "direct", "", ben)
    seq = await starts(ana, room)
    await appends(ana, room, seq, 0, "whole")
    await finishes(ana, room, seq)
    await eventually(lambda: device.seen)
    async with open_presence(ben):
        gone = await ana.says(room, "regretted")
        await eventually(lambda: hurries(node, database_url))
        await deletes(ana, room, gone["seq"])
    await eventually(lambda: _settled_after_hurry(node, database_url))
    assert device.seen == ["whole"]


async def _settled_after_hurry(node: Node, database_url: str) -> bool:
    await hurries(node, database_url)
    return await is_settled(database_url)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "http://push.example/x"}, "endpoint"),
        ({"endpoint": "https://192.168.0.1/x"}, "endpoint"),
        ({"endpoint": "https://user:word@push.example/x"}, "endpoint"),
        ({"endpoint": "file:///etc/passwd"}, "endpoint"),
        ({"endpoint": "https://push.example/" + "x" * 3000}, "endpoint"),
        ({"keys": {"p256dh": encode(b"\4" + b"\1" * 64), "auth": encode(b"1" * 16)}}, "keys.p256dh"),
        ({"keys": {"p256dh": "%%%", "auth": encode(b"1" * 15)}}, "keys.p256dh"),
        ({"quiet": {"begins": 1440, "ends": -1}}, "quiet.begins"),
    ],
)
async def test_what_is_refused(change: dict[str, object], field: str, service: PushService, ben: Person) -> None:
    """Push services are public and speak TLS; keys are points of the curve."""
    status, answer = await ben.call("POST", "/api/push/subscriptions", service.makes("ben").subscription(**change))
    assert (status, answer["errors"][0]["field"]) == (422, field), answer


async def test_two_nodes_have_one_key(database_url: str, redis_url: str, node: Node, ana: Person) -> None:
    """The key is made once; devices that subscribed at one node are notified by any."""
    _, first = await ana.call("GET", "/api/push/key")
    async with running_node(database_url, redis_url, node="b2") as other:
        ana.at = other.url
        assert await ana.call("GET", "/api/push/key") == (200, first)
    ana.at = node.url
