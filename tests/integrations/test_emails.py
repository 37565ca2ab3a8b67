"""Notifications by e-mail, with a real mail server (aiosmtpd) that takes, refuses, is slow or is away."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage

import psycopg
import pytest
from aiosmtpd.smtp import SMTP

from chat.integrations.emails import EmailText, QueuedMessage, Recipient
from chat.integrations.push import PUSH
from chat.shared.texts import ENGLISH
from tests.accounts.test_mail import Mailbox
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence
from tests.promises.conftest import starting_nodes
from tests.verbs import begins, blocks, deletes, marks_read, notices, removes_member
from tests.waiting import eventually

URL, SENDER = "https://chat.example.com", "Acme <chat@example.com>"
EMAIL = "/api/users/me/email"


class Postbox(Mailbox):
    """A mail server that a test can slow down. `answers`: what it says to the next e-mails, instead of taking them."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.taken = 0

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        """Keep the e-mail, and confirm it once the box is open."""
        if self.answers:
            return self.answers.pop(0)
        said = await super().handle_DATA(server, session, envelope)  # type: ignore[arg-type]
        self.taken += 1
        await self.open.wait()
        return said

    def texts(self) -> list[str]:
        """Return the plain texts of the notifications."""
        return [plain(mail) for mail in self.mails if mail["List-Unsubscribe"]]


def plain(mail: EmailMessage) -> str:
    """Return the plain text of an e-mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.fixture
async def box() -> AsyncIterator[Postbox]:
    """A mail server on a port of its own."""
    postbox, loop = Postbox(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0)
    postbox.port = server.sockets[0].getsockname()[1]
    yield postbox
    postbox.open.set()
    server.close()
    await server.wait_closed()


def settings(port: int) -> dict[str, str]:
    """Return the settings of a node with this mail server."""
    return {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": SENDER, "public_url": URL}


@pytest.fixture
async def node(database_url: str, redis_url: str, box: Postbox) -> AsyncIterator[Node]:
    """A node that mails what stays unread for ten minutes."""
    async with running_node(database_url, redis_url, **settings(box.port)) as one:
        yield one


@pytest.fixture
async def people(database_url: str, node: Node) -> AsyncIterator[Cast]:
    """The users of that node."""
    async with casting(database_url, node.url) as cast:
        yield cast


async def has_address(database_url: str, person: Person, address: str) -> None:
    """Give a user the address that an application knows."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update users set email = %s where id = %s", [address, person.id])
        await connection.execute(
            "insert into subscriptions (target, kind, epoch, position)"
            " select 'push', 'push', epoch, position from log_head on conflict do nothing"
        )


async def number(database_url: str, query: str) -> int:
    """Return the number that a query counts."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row = await (await connection.execute(query)).fetchone()  # type: ignore[call-overload]
        return int(row[0])


def is_queued(database_url: str, count: int) -> Callable[[], object]:
    """Return a check that so many messages wait to be mailed."""

    async def check() -> bool:
        return await number(database_url, "select count(*) from email_queue") == count

    return check


async def comes_due(database_url: str, node: Node, leased: bool = False) -> None:
    """Let the ten minutes pass, and with `leased` the time for which another node has taken an e-mail."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        query = "update email_due set due_at = now() where %s or due_at > now() + interval '60 seconds'"
        await connection.execute(query, [leased])
    node.app[PUSH].wake_mails()


async def settles(database_url: str, node: Node) -> None:
    """Let the ten minutes pass until nothing waits."""

    async def is_settled() -> bool:
        if not await number(database_url, "select count(*) from email_due"):
            return True
        await comes_due(database_url, node)
        return False

    await eventually(is_settled)


async def test_what_was_missed_is_one_e_mail(database_url: str, box: Postbox, node: Node, people: Cast) -> None:
    """Mentions, direct messages and keywords that stay unread; with links, without the authors' markup or pictures."""
    root, ana, ben, chloe = *await people.enters("root", role="admin"), *await people.enters("ana", "ben", "chloe")
    await root.call("PATCH", "/api/team", {"name": "Acme <b>"})
    await has_address(database_url, ben, "ben@example.com")
    await ben.call("PATCH", "/api/users/me", {"keywords": ["soup"]})
    channel, direct = await begins(ana, "channel", "kitchen", ben, chloe), await begins(chloe, "direct", "", ben)
    await ana.says(channel, "@ben <img src=https://evil.example/x.png>\n\n& more")
    await ana.says(channel, "not for ben")
    await ana.says(channel, "The soup")
    await chloe.says(direct, "Lunch?")
    gone, read = await chloe.says(direct, "regretted"), await ana.says(channel, "@ben read")
    await eventually(is_queued(database_url, 5))
    assert box.mails == [], "not before ten minutes"
    await deletes(chloe, direct, gone["seq"])
    await settles(database_url, node)
    (mail,) = box.mails
    assert read["seq"] == 4
    assert (mail["To"], mail["From"]) == ("ben@example.com", SENDER)
    assert mail["Subject"] == "Acme <b>: 4 unread messages from Ana, Chloe"
    text, html = plain(mail), mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert f"#kitchen\nAna: @ben <img src=https://evil.example/x.png> & more\n{URL}/c/{channel}/1\n" in text
    assert f"Direct messages\nChloe: Lunch?\n{URL}/c/{direct}/1\n" in text
    assert [word in text for word in ("The soup", "regretted", "not for ben")] == [True, False, False]
    assert [word in html for word in ("&lt;img", f'href="{URL}/c/{channel}/1"', "<img")] == [True, True, False]
    assert f"{URL}/settings/notifications" in text
    await ana.says(channel, "@ben again")
    await eventually(is_queued(database_url, 1))
    await settles(database_url, node)
    assert [word in box.texts()[1] for word in ("again", "Lunch")] == [True, False]


async def test_everyone_is_written_to_in_their_language(database_url: str, redis_url: str, box: Postbox) -> None:
    """Codes, notifications and the page that ends them: as chosen in the settings, or in the server's language."""
    german = settings(box.port) | {"default_language": "de"}
    async with running_node(database_url, redis_url, **german) as node, casting(database_url, node.url) as people:
        ana, ben, chloe = await people.enters("ana", "ben", "chloe")
        await ben.call("PATCH", "/api/users/me", {"language": "ar"})
        for one, said in ((ben, "رمزك هو"), (chloe, "Dein Code ist")):
            await asks(one, box)
            assert str(box.mails.pop()["Subject"]).startswith(said)
            await has_address(database_url, one, f"{one.name}@example.com")
        await ana.says(await begins(ana, "group", "", ben, chloe), "hello")
        await eventually(is_queued(database_url, 2))
        await settles(database_url, node)
        mail, other = sorted(box.mails, key=lambda mail: str(mail["To"]))
        assert other["Subject"] == "Tandem: 1 ungelesene Nachricht von Ana"
        assert mail["Subject"] == "رسالة واحدة غير مقروءة في \u2068Tandem\u2069 من \u2068Ana\u2069"
        assert "\nمجموعة\nAna: hello\n" in plain(mail)
        assert '<body lang="ar" dir="rtl"' in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
        for method, said in (("GET", "هل تريد إيقاف"), ("POST", "لن تصلك")):
            _, page, _ = await _opens(ben, method, mail["List-Unsubscribe"].strip(" <>").removeprefix(URL))
            assert (said in page, '<html lang="ar" dir="rtl">' in page) == (True, True)


async def test_who_gets_none(database_url: str, box: Postbox, node: Node, people: Cast) -> None:
    """Read, muted, active, left and blocked at the moment of sending: nothing is sent."""
    ana, *others = await people.enters("ana", "ben", "chloe", "dora", "emil", "fay")
    ben, chloe, dora, emil, fay = others
    for one in others:
        await has_address(database_url, one, f"{one.name}@example.com")
    room = await begins(ana, "channel", "kitchen", *others)
    await ana.says(room, "@channel hello")
    await eventually(is_queued(database_url, 5))
    await marks_read(ben, room, 1)
    await notices(chloe, room, level="nothing")
    await removes_member(dora, room, "me")
    await blocks(emil, ana)
    async with open_presence(fay) as socket:
        await comes_due(database_url, node)
        await eventually(is_queued(database_url, 1))
        assert box.mails == []
        await socket.says("idle")
    await eventually(lambda: _hurried(database_url, node, box))
    assert [mail["To"] for mail in box.mails] == ["fay@example.com"]


async def _hurried(database_url: str, node: Node, box: Postbox) -> bool:
    await comes_due(database_url, node)
    return bool(box.mails)


NONE = {"available": True, "address": "", "managed": False, "wanted": True, "bounced": False, "suggested": ""}


async def asks(person: Person, box: Postbox) -> str:
    """Ask for a code; return it from the e-mail."""
    status, state = await person.call("PUT", EMAIL, {"address": "ben@example.com"})
    assert (status, state["pending"]) == (200, "ben@example.com")
    code = re.search(r"\b\d{8}\b", plain(box.mails[-1]))
    assert code
    return code[0]


async def enters(person: Person, code: str) -> tuple[int, str]:
    """Enter a code; return the status and the error's code."""
    status, said = await person.call("POST", EMAIL + "/code", {"code": code})
    return status, said.get("code", "")


async def test_an_address_is_verified(box: Postbox, node: Node, people: Cast, database_url: str) -> None:
    """A code proves it, once and for its user alone. A removed address gets nothing."""
    ana, ben = await people.enters("ana", "ben")
    assert await ben.call("GET", EMAIL) == (200, NONE | {"pending": ""})
    code = await asks(ben, box)
    assert await enters(ben, "00000000") == await enters(ana, code) == (403, "bad_email_code")
    verified = NONE | {"address": "ben@example.com", "pending": ""}
    assert await ben.call("POST", EMAIL + "/code", {"code": f" {code[:4]} {code[4:]}"}) == (200, verified)
    assert (await enters(ben, code))[0] == 403, "a code works once"
    room = await begins(ana, "direct", "", ben)
    await ana.says(room, "hello")
    await eventually(is_queued(database_url, 1))
    await settles(database_url, node)
    assert len(box.texts()) == 1
    assert (await ben.call("DELETE", EMAIL))[0] == 204
    await ana.says(room, "hello again")
    await settles(database_url, node)
    assert len(box.texts()) == 1


async def test_addresses_that_are_refused(box: Postbox, people: Cast, database_url: str) -> None:
    """Impossible ones, those that the mail server refuses, and one beside the address of an application."""
    (ben,) = await people.enters("ben")
    status, refused = await ben.call("PUT", EMAIL, {"address": "nobody@example.com"})
    assert (status, refused["errors"][0]["field"]) == (422, "address")
    for wrong in ("ben", "ben@example.com\nBcc: eve@example.com", "a@b@c", "x" * 250 + "@example.com"):
        assert (await ben.call("PUT", EMAIL, {"address": wrong}))[0] == 422
    await ben.call("PUT", EMAIL, {"address": "a,b@example.com"})
    assert [mail["To"] for mail in box.mails] in ([], ['"a,b"@example.com']), "one address, or none"
    await has_address(database_url, ben, "work@example.com")
    for method, body in (("PUT", {"address": "ben@example.com"}), ("DELETE", None)):
        assert (await ben.call(method, EMAIL, body))[1]["code"] == "email_managed"


async def test_codes_are_limited(box: Postbox, people: Cast) -> None:
    """Five attempts for each code, five codes a day for each user."""
    (ben,) = await people.enters("ben")
    code = await asks(ben, box)
    for _ in range(5):
        assert (await enters(ben, "1"))[0] == 403
    assert (await enters(ben, code))[0] == 403, "too many attempts"
    for _ in range(4):
        await asks(ben, box)
    assert (await ben.call("PUT", EMAIL, {"address": "ben@example.com"}))[0] == 429


async def test_one_click_ends_the_e_mails(database_url: str, box: Postbox, node: Node, people: Cast) -> None:
    """RFC 8058: a POST to the header's address, without a session. Opening the link changes nothing."""
    ana, ben = await people.enters("ana", "ben")
    await has_address(database_url, ben, "ben@example.com")
    room = await begins(ana, "direct", "", ben)
    await ana.says(room, "hello")
    await eventually(is_queued(database_url, 1))
    await settles(database_url, node)
    mail = box.mails[0]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = mail["List-Unsubscribe"].strip(" <>").removeprefix(URL)
    ben.token = "none"
    status, _, headers = await _opens(ben, "GET", path)
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/html")
    await ana.says(room, "after the link was opened")
    await eventually(is_queued(database_url, 1))
    status, _, _ = await _opens(ben, "POST", path, data={"List-Unsubscribe": "One-Click"})
    assert status == 200
    await settles(database_url, node)
    await ana.says(room, "after the click")
    await eventually(is_queued(database_url, 0))
    assert len(box.mails) == 1
    assert [(await _opens(ben, "POST", path[:-4] + end))[0] for end in ("0000", "%00")] == [404, 404]


async def _opens(person: Person, method: str, path: str, **more: object) -> tuple[int, str, dict[str, str]]:
    async with person._http.request(method, person.at + path, **more) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.text(), dict(answer.headers)


async def test_an_address_that_bounces(database_url: str, box: Postbox, node: Node, people: Cast) -> None:
    """550 for the mailbox: not tried again until the address changes. Others are retried, or end that e-mail."""
    ana, ben, dora = await people.enters("ana", "ben", "dora")
    await has_address(database_url, ben, "nobody@example.com")
    await has_address(database_url, dora, "dora@example.com")
    room = await begins(ana, "group", "team", ben, dora)
    box.answers = ["451 Try again later"]
    await ana.says(room, "one")
    await eventually(is_queued(database_url, 2))
    await settles(database_url, node)
    assert [mail["To"] for mail in box.mails] == ["dora@example.com"], "sent again after 451, and never to ben"
    assert (await ben.call("GET", EMAIL))[1]["bounced"]
    await ana.says(room, "two")
    await eventually(is_queued(database_url, 1))
    box.answers = ["554 No"]
    await settles(database_url, node)
    assert len(box.mails) == 1, "554 is final for that e-mail"
    await has_address(database_url, ben, "ben@example.com")
    await ana.says(room, "three")
    await eventually(is_queued(database_url, 2))
    await settles(database_url, node)
    assert sorted(str(mail["To"]) for mail in box.mails[1:]) == ["ben@example.com", "dora@example.com"]


async def test_a_node_is_killed_while_it_sends(
    database_url: str, redis_url: str, box: Postbox, tmp_path: object
) -> None:
    """Another node sends what the first one has not settled: at most one duplicate, with the same Message-ID."""
    async with starting_nodes(database_url, redis_url, tmp_path) as start:  # type: ignore[arg-type]
        mail = {name.upper(): value for name, value in settings(box.port).items()}
        doomed = await start("a1", **mail)
        async with casting(database_url, doomed.url) as cast:
            ana, ben = await cast.enters("ana", "ben")
            await has_address(database_url, ben, "ben@example.com")
            room = await begins(ana, "direct", "", ben)
            box.open.clear()
            await ana.says(room, "hello")
            await eventually(is_queued(database_url, 1))
            async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
                await connection.execute("update email_due set due_at = now()")
            await eventually(lambda: box.taken == 1)
            doomed.kill()
            box.open.set()
            async with running_node(database_url, redis_url, **settings(box.port), node="b2") as other:
                await comes_due(database_url, other, leased=True)
                await eventually(is_queued(database_url, 0))
    assert [mail["To"] for mail in box.mails] == ["ben@example.com"] * 2
    assert len({mail["Message-ID"] for mail in box.mails}) == 1


async def test_a_mail_server_that_is_away(database_url: str, redis_url: str, unused_tcp_port: int) -> None:
    """Nothing is lost: it is tried again later, less and less often."""
    async with (
        running_node(database_url, redis_url, **settings(unused_tcp_port)) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben = await cast.enters("ana", "ben")
        assert (await ben.call("PUT", EMAIL, {"address": "ben@example.com"}))[0] == 503
        await has_address(database_url, ben, "ben@example.com")
        room = await begins(ana, "direct", "", ben)
        await ana.says(room, "hello")
        await eventually(is_queued(database_url, 1))
        await comes_due(database_url, node)
        tried = "select count(*) from email_due where attempts = 1 and due_at > now() + interval '70 seconds'"

        async def is_later() -> bool:
            return (
                await number(database_url, tried) == 1
                and await number(database_url, "select count(*) from email_queue") == 1
            )

        await eventually(is_later)


async def test_a_server_without_e_mail(database_url: str, redis_url: str) -> None:
    """The user is told, and no code is made."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        (ben,) = await cast.enters("ben")
        assert not (await ben.call("GET", EMAIL))[1]["available"]
        assert (await ben.call("PUT", EMAIL, {"address": "ben@example.com"}))[1]["code"] == "no_email"


def test_a_long_e_mail_is_short() -> None:
    """Twenty messages in full, the number of the others; names cannot break a header."""
    messages = [QueuedMessage(1, n, "channel", "a\nb", f"Ana{n % 5}\n", "word " * 60, None) for n in range(1, 200)]
    text = EmailText(URL, ENGLISH, Recipient("ana@example.com", "t", "Team\r\nBcc: x", False), messages)
    assert text.subject == "TeamBcc: x: 199 unread messages from Ana1, Ana2, Ana3 and 2 more"
    assert "And 179 more." in text.plain()
    assert len(text.html()) < 16_000
