"""Invitations by e-mail, with a real mail server (aiosmtpd) that takes, refuses or stays away."""

import asyncio
import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from chat.shared.settings import BadSettings, read_settings
from tests.cast import Person, casting
from tests.nodes import running_node


class Mailbox:
    """What a mail server has taken. It refuses the user `nobody`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        """Refuse one user."""
        if address.startswith("nobody@"):
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        """Keep the e-mail."""
        assert isinstance(envelope.content, bytes)
        self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server on a port of its own."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


async def invites(database_url: str, redis_url: str, port: int, *emails: str, **more: str) -> list[dict[str, Any]]:
    """Invite these addresses as an admin of a node with this mail server."""
    mail = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "Acme <chat@example.com>"}
    async with running_node(database_url, redis_url, **mail, **more) as node, casting(database_url, node.url) as stage:
        admin: Person = (await stage.enters("ana", role="admin"))[0]
        assert (await admin.call("PATCH", "/api/team", {"name": "Acme"}))[0] == 200
        status, made = await admin.call("POST", "/api/invites/email", {"emails": emails})
        assert status == 201, made
        return list(made["invites"])


async def test_each_address_gets_its_own_link(database_url: str, redis_url: str, mailbox: Mailbox) -> None:
    """The e-mail names the inviter; an address that the mail server refuses does not stop the others."""
    made = await invites(
        database_url, redis_url, mailbox.port, "ben@example.com", "nobody@example.com", "bü@example.com"
    )
    assert [(one["email"], one["sent"]) for one in made] == [
        ("ben@example.com", True),
        ("nobody@example.com", False),
        ("bü@example.com", True),
    ]
    assert made[1]["error"] == "550 No such user here"
    assert [mail["To"] for mail in mailbox.mails] == ["ben@example.com", "bü@example.com"]
    first = mailbox.mails[0]
    assert (first["From"], first["Subject"]) == ("Acme <chat@example.com>", "Ana invited you to Acme")
    assert made[0]["url"] in first.get_content()
    assert made[2]["url"] not in first.get_content()


async def test_an_invitation_is_in_the_language_of_the_server(
    database_url: str, redis_url: str, mailbox: Mailbox
) -> None:
    """Its recipient has not chosen one."""
    await invites(database_url, redis_url, mailbox.port, "ben@example.com", default_language="ja")
    (mail,) = mailbox.mails
    assert mail["Subject"] == "AnaさんからAcmeに招待されています"
    assert re.search(r"リンクは\d{4}年\d+月\d+日まで", mail.get_content())


async def test_an_absent_mail_server_is_named(database_url: str, redis_url: str, unused_tcp_port: int) -> None:
    """The invitations exist, and the answer says why they were not sent."""
    (one,) = await invites(database_url, redis_url, unused_tcp_port, "ben@example.com")
    assert (one["sent"], bool(one["error"]), "/join#" in one["url"]) == (False, True, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_url": "smtp://mail.example.com"}, "MAIL_FROM"),
        ({"smtp_url": "http://mail.example.com", "mail_from": "a@example.com"}, "must be like smtp://"),
        ({"smtp_url": "smtp://mail.example.com", "mail_from": "a@example.com\nBcc: b@example.com"}, "MAIL_FROM"),
    ],
)
def test_wrong_settings_are_named(given: dict[str, str], said: str) -> None:
    """A mail server needs a URL and a sender."""
    with pytest.raises(BadSettings, match=said):
        read_settings(database_url="postgresql://x", redis_url="redis://x", **given)
