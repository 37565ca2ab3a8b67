"""Who is who: a user of another chat is the same account in every import, and never one that only has the same name."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from chat.transfer.errors import BadPeople, UnknownAccounts
from tests.cast import Cast
from tests.transfer.files import Json, exports, imports, write_lines, write_people
from tests.transfer.mattermost_export import MAY, post, user
from tests.transfer.test_own import live

TEAM = {"type": "team", "team": {"name": "farm", "display_name": "Farm", "type": "O"}}
CHANNEL = {"type": "channel", "channel": {"team": "farm", "name": "garden", "display_name": "Garden", "type": "O"}}


def server(*posts: Json, **people: Json) -> list[Json]:
    """Return a Mattermost export with one channel."""
    users = [{"type": "user", "user": user(name, "garden", **more)} for name, more in people.items()]
    place = {"team": "farm", "channel": "garden"}
    said = [{"type": "post", "post": place | one} for one in posts]
    return [{"type": "version", "version": 1}, TEAM, CHANNEL, *users, *said]


async def said_by(database_url: str, path: Path) -> dict[str, str]:
    """Return `{text: author}` of all messages; the path must be new."""
    return {line["body"]: line["author"] for line in await exports(database_url, path) if line["type"] == "message"}


async def test_the_same_name_is_not_the_same_person(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Ana here says nothing of Ana there, who gets the next free name, also in mentions and in a second import."""
    await cast.enters("ana", "ana2")
    lines = server(post("ana", "hello", 1), post("ben", "hi @ana, see `@ana`", 2), ana={}, ben={})
    assert await imports(database_url, write_lines(tmp_path / "a.jsonl", *lines)) == 0
    wanted = {"hello": "ana3", "hi @ana3, see `@ana`": "ben"}
    assert await said_by(database_url, tmp_path / "one.jsonl") == wanted
    more = server(post("ana", "hello", 1), post("ben", "hi @ana, see `@ana`", 2), post("ana", "again", 3), ana={})
    assert await imports(database_url, write_lines(tmp_path / "b.jsonl", *more)) == 0
    assert await said_by(database_url, tmp_path / "two.jsonl") == wanted | {"again": "ana3"}


async def test_two_servers_are_two_origins(database_url: str, tmp_path: Path) -> None:
    """Equal names of teams, channels and users on two servers are two channels and two users."""
    first = server(post("ana", "on the first", 1), ana={})
    second = server(post("ana", "on the second", 1), ana={})
    for number, lines in enumerate((first, second)):
        assert await imports(database_url, write_lines(tmp_path / f"{number}.jsonl", *lines)) == 0
    lines = await exports(database_url, tmp_path / "out.jsonl")
    assert {line["body"]: line["author"] for line in lines if line["type"] == "message"} == {
        "on the first": "ana",
        "on the second": "ana2",
    }
    assert [line["name"] for line in lines if line["type"] == "conversation"] == ["Garden", "Garden 2"]


async def test_the_operator_may_name_the_server(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An export whose oldest post has changed continues the earlier one if both are given the same name. With another
    name, the same file is another server's."""
    first = server(post("ana", "hello", 1), post("ana", "more", 2), ana={})
    second = server(post("ana", "hello, edited", 1, edit_at=MAY + 9), post("ana", "more", 2), ana={})
    for number, lines in enumerate((first, second)):
        assert await imports(database_url, write_lines(tmp_path / f"{number}.jsonl", *lines), server="farm") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 new, 1 known, 0 invalid"
    assert await imports(database_url, tmp_path / "1.jsonl", server="sea") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 new, 0 known, 0 invalid"


async def test_the_operator_says_who_is_who(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """By id or e-mail address there, a user becomes an account here; two users may become the same one."""
    await cast.enters("ana", "chloe")
    posts = [post(name, f"by {name}", 1, reactions=[reaction(one) for one in ("ana", "ada")]) for name in ("ana", "b")]
    people = write_people(tmp_path / "people.csv", **{"ana@example.org": "chloe", "ADA": "@Chloe", "b": "ana"})
    lines = server(*posts, ana={}, ada={}, b={})
    assert await imports(database_url, write_lines(tmp_path / "a.jsonl", *lines), people=people) == 0
    lines = await exports(database_url, tmp_path / "out.jsonl")
    said = [line for line in lines if line["type"] == "message"]
    assert [(one["author"], one["reactions"]) for one in said] == [
        ("chloe", [{"emoji": "🎉", "users": ["chloe"]}]),
        ("ana", [{"emoji": "🎉", "users": ["chloe"]}]),
    ]


def reaction(name: str) -> dict[str, Any]:
    """Return a reaction."""
    return {"user": name, "emoji_name": "tada", "create_at": MAY}


async def test_a_wrong_list_of_people_imports_nothing(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """A line without two fields, and an account that does not exist, are named before anything is written."""
    await cast.enters("ana")
    file = write_lines(tmp_path / "a.jsonl", *server(post("ana", "hello", 1), ana={}))
    people = tmp_path / "people.csv"
    people.write_text("\nana,ana\nben\n")
    with pytest.raises(BadPeople, match=r"people\.csv:3 "):
        await imports(database_url, file, people=people)
    with pytest.raises(UnknownAccounts, match="do not exist: zoe"):
        await imports(database_url, file, people=write_people(people, ana="zoe"))
    assert await said_by(database_url, tmp_path / "out.jsonl") == {}


async def test_server_admins_are_members_unless_the_operator_says_so(database_url: str, tmp_path: Path) -> None:
    """Nobody becomes an admin of this server by a file alone. E-mail addresses and time zones are kept."""
    zone = {"useAutomaticTimezone": "true", "automaticTimezone": "Europe/Lisbon", "manualTimezone": ""}
    root = {"roles": "system_admin system_user", "timezone": zone}
    for name, admins in (("ana", False), ("ben", True)):
        lines = server(post(name, f"by {name}", 1), **{name: root})
        assert await imports(database_url, write_lines(tmp_path / f"{name}.jsonl", *lines), admins=admins) == 0
    with psycopg.connect(database_url) as database:
        rows = database.execute(
            "select u.name, u.role, u.time_zone, i.email from users u join imported_users i on i.user_id = u.id"
            " order by u.name"
        ).fetchall()
    zone_here = "Europe/Lisbon"
    assert rows == [
        ("ana", "member", zone_here, "ana@example.org"),
        ("ben", "admin", zone_here, "ben@example.org"),
    ]


async def test_an_export_of_this_server_finds_its_own_accounts(
    cast: Cast, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users are matched by name, conversations by id: an import of one's own export changes nothing."""
    await live(cast)
    lines = await exports(database_url, tmp_path / "one.jsonl")
    number = sum(line["type"] == "message" for line in lines)
    assert await imports(database_url, tmp_path / "one.jsonl") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"0 new, {number} known, 0 invalid"
    assert await exports(database_url, tmp_path / "two.jsonl") == lines


async def test_a_deleted_account_stays_deleted(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """A further import finds the account of a user who was deleted here, without knowing the name."""
    (ana,) = await cast.enters("ana")
    people = write_people(tmp_path / "people.csv", una="ana")
    first = server(post("una", "hello", 1), una={})
    assert await imports(database_url, write_lines(tmp_path / "a.jsonl", *first), people=people) == 0
    assert (await ana.call("DELETE", "/api/users/me?messages=keep"))[0] == 204
    more = server(post("una", "hello", 1), post("una", "again", 2), una={})
    assert await imports(database_url, write_lines(tmp_path / "b.jsonl", *more)) == 0
    with psycopg.connect(database_url) as database:
        assert database.execute("select count(*) from users").fetchone() == (1,)
        keys = database.execute("select key, email from imported_users").fetchall()
    assert [(key[:7], email) for key, email in keys] == [("sha256:", None)]
