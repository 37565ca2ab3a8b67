"""REDIS_URL in every shape that a server, its users, TLS, sentinels and clusters ask for; and refused ones."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from chat.local.data_dir import free_port
from chat.operations.node_admin import RegistryUnavailable, list_nodes
from chat.shared.redis import UNAVAILABLE, BadRedisUrl, connect_redis, open_redis, reason_of
from chat.shared.settings import BadSettings, read_settings
from chat.tools.doctor.checks import check_redis
from tests.registry.registry_nodes import open_registry_node
from tests.registry.servers import (
    GUARDED,
    SECRET,
    client,
    make_certificate,
    running_cluster,
    server,
    tls_program,
    with_tls,
)
from tests.waiting import wait_until

PASSWORD = "a:b@c/d%e+f#g?h ü"
WATCHED = """
requirepass {own}
user watcher on >{own} allchannels +@all
sentinel monitor tandem 127.0.0.1 {master} 1
sentinel auth-pass tandem {secret}
"""
REFUSED = {
    "localhost:6379": "unknown scheme",
    "http://localhost:6379": "unknown scheme",
    "redis+unix:///run/redis.sock": "unknown scheme",
    "redis://:sword/fish@localhost": "%2F",
    "redis://:sword#fish@localhost": "%23",
    "redis://:sword?fish@localhost": "unknown option|%3F",
    "redis://localhost:port/0": "told apart",
    "redis://localhost/name": "number of a database",
    "redis://localhost/0?db=x": "Invalid value for 'db'",
    "redis://localhost/0?decode_responses=true": "unknown option: decode_responses",
    "redis://localhost/0?ssl_ca_certs=/etc/ssl/ca.pem": "ssl_ca_certs does not fit",
    "rediss://localhost/0?ssl_ca_certs=/nowhere.pem": "certificates or keys cannot be read",
    "rediss://localhost/0?ssl_cert_reqs=perhaps": "perhaps",
    "redis+cluster://localhost/3": "'db' must be 0",
    "redis+sentinel://localhost/tandem?sentinel_colour=red": "sentinel_username",
    "rediss+sentinel://localhost/tandem?ssl_ca_certs=/nowhere.pem": "certificates or keys cannot be read",
}


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_that_cannot_work_is_refused_at_the_start(url: str) -> None:
    """With the reason, beside other wrong settings, and without any part of a password."""
    with pytest.raises(BadRedisUrl, match=REFUSED[url]) as refused:
        connect_redis(url)
    assert "sword" not in str(refused.value).replace("password", "")
    with pytest.raises(BadSettings, match=r"(?s)REDIS_URL.*NODE_LEASE"):
        read_settings(database_url="postgresql://", redis_url=url, node_lease="soon")


async def serves(database_url: str, url: str) -> None:
    """A registry on this URL writes, reads and hears."""
    async with open_registry_node(database_url, url) as desk:
        desk.registry.open(1, 1, "socket")
        await desk.shows(1, "online")
        assert not desk.registry.degraded


async def test_a_unix_socket(database_url: str, tmp_path: Path) -> None:
    """With the number of a database, and without TCP's options."""
    path = tmp_path / "redis.sock"
    with server(tmp_path / "server", free_port(), f"{GUARDED}unixsocket {path}\n"):
        await serves(database_url, f"unix://:{SECRET}@{path}?db=3")


async def test_a_user_whose_password_has_every_special_character(database_url: str, tmp_path: Path) -> None:
    """The rights are those that `deploy/runbook.md` names, and they are enough."""
    port = free_port()
    with server(tmp_path / "server", port, GUARDED), client(port) as admin:
        admin.execute_command("ACL SETUSER", *rights())
        await serves(database_url, f"redis://ana:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/0")


def rights() -> list[str]:
    """The user, as `ACL SETUSER` takes it; the password has a space."""
    return ["ana", "on", f">{PASSWORD}", "~tandem:*", "&tandem:*", "+@all", "-@admin", "-@dangerous", "+info", "+keys"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all servers here."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


async def test_tls_with_an_authority_of_its_own(database_url: str, tmp_path: Path, certificate: Path) -> None:
    """Named in the URL; without it the reason is the certificate, in `tandem nodes` and `tandem doctor` too."""
    port, secure = free_port(), free_port()
    with server(tmp_path / "server", port, GUARDED + with_tls(certificate, secure), program=tls_program()):
        url = f"rediss://:{SECRET}@localhost:{secure}/0"
        await serves(database_url, f"{url}?ssl_ca_certs={certificate}")
        assert "CERTIFICATE_VERIFY_FAILED" in await reason(url)
        assert "CERTIFICATE_VERIFY_FAILED" in await told_by_nodes(url)
        (finding,) = await check_redis(url)
        assert "CERTIFICATE_VERIFY_FAILED" in finding.found


async def reason(url: str) -> str:
    """Why it cannot be reached."""
    async with open_redis(url) as redis:
        try:
            await redis.ping()
        except UNAVAILABLE as error:
            return reason_of(error)
    return ""


async def told_by_nodes(url: str) -> str:
    """What `tandem nodes` prints."""
    with pytest.raises(RegistryUnavailable) as refused:
        await list_nodes(url)
    return str(refused.value)


@contextmanager
def guarded_sentinel(folder: Path, certificate: Path) -> Iterator[tuple[int, int]]:
    """A master and a sentinel, each with a password of its own and a TLS port: `(plain, TLS)` of the sentinel."""
    plain, secure, master, master_secure = (free_port() for _ in range(4))
    with ExitStack() as stack:
        tls = with_tls(certificate, master_secure)
        stack.enter_context(server(folder / "master", master, GUARDED + tls, program=tls_program()))
        text = WATCHED.format(own=SECRET + "!", master=master_secure, secret=SECRET) + with_tls(certificate, secure)
        stack.enter_context(server(folder / "watcher", plain, text, "--sentinel", program=tls_program()))
        with client(plain, SECRET + "!") as watcher:
            wait_until(lambda: "slave" in str(watcher.sentinel_master("tandem")))
        yield plain, secure


async def test_sentinels_with_their_own_user_and_tls(database_url: str, tmp_path: Path, certificate: Path) -> None:
    """All of it in the URL; what is wrong is named: the sentinel's password, its service, a sentinel that is away."""
    with guarded_sentinel(tmp_path, certificate) as (_, secure):
        dead, ca = free_port(), f"ssl_ca_certs={certificate}"
        own = f"sentinel_username=watcher&sentinel_password={quote(SECRET + '!')}"
        servers = f"rediss+sentinel://default:{SECRET}@localhost:{dead},localhost:{secure}"
        await serves(database_url, f"{servers}/tandem/2?{own}&{ca}")
        unknown = f"{servers}/other?{own}&{ca}"
        for text in (await reason(unknown), await told_by_nodes(unknown)):
            assert re.search(rf"master of other.*{dead}: .*refused.*{secure} does not know it", text), text
        assert "invalid username-password pair" in await reason(f"{servers}/tandem?{ca}")
        assert "CERTIFICATE_VERIFY_FAILED" in await reason(f"{servers}/tandem?{own}")


async def test_a_cluster_with_tls(database_url: str, tmp_path: Path, certificate: Path) -> None:
    """Found by one of its servers, and used through TLS alone."""
    with running_cluster(tmp_path, certificate) as url:
        await serves(database_url, url)
