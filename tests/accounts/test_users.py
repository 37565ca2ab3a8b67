"""Users: profiles, searching for users, and changes that others see."""

import psycopg

from tests.accounts.visitor import PASSWORD, Visitor
from tests.cast import Cast
from tests.verbs import tries


async def test_profiles_are_visible_to_all_users(cast: Cast) -> None:
    """Reading users by id returns the fields of a profile that are not private."""
    ana, ben = await cast.enters("ana", "ben")
    seen = {
        "id": ben.id,
        "name": "ben",
        "display_name": "Ben",
        "role": "member",
        "about": "",
        "time_zone": "",
        "avatar": "",
    }
    assert await ana.call("GET", f"/api/users/{ben.id}") == (200, seen)
    assert await ben.call("GET", "/api/users/me") == (200, seen | {"receipts": "on", "language": ""})
    status, listed = await ana.call("GET", f"/api/users?ids={ben.id},{ana.id},999999,{ben.id}")
    assert (status, [user["name"] for user in listed["users"]]) == (200, ["ana", "ben"])


async def test_an_unknown_user_is_not_found(cast: Cast) -> None:
    """An unused id, and what is no id, is not found."""
    (ana,) = await cast.enters("ana")
    for path in ("/api/users/999999", "/api/users/x"):
        assert (await ana.call("GET", path))[0] == 404


async def test_invalid_ids_are_refused(cast: Cast) -> None:
    """Invalid ids, and more than 500 of them, are refused."""
    (ana,) = await cast.enters("ana")
    for ids in ("x", "1;2", "1,-2", "9" * 30, ",".join(["1"] * 501)):
        status, problem = await ana.call("GET", f"/api/users?ids={ids}")
        assert (status, problem["errors"][0]["field"]) == (422, "ids")


SEARCHES = {
    "an": ["an", "ana", "andrea", "ben"],
    "ANA": ["ana"],
    "silva": ["ben"],
    "李": ["li"],
    "%": [],
    "_": [],
    "\\": [],
    "": ["an", "ana", "andrea", "ben", "li", "oz"],
    "\0": ["an", "ana", "andrea", "ben", "li", "oz"],
    "x" * 5000: [],
    "ozgur": ["oz"],
    "ÖZG": ["oz"],
    "luc": ["oz"],
}


async def test_users_are_found_by_name(cast: Cast, database_url: str) -> None:
    """Users are found by the beginning of the name or a part of the display name; an exact name comes first; patterns
    have no meaning."""
    (ana,) = await cast.enters("ana")
    people = [("an", "Xu"), ("andrea", "A."), ("ben", "Ben Silva Andrade"), ("li", "小李"), ("gone", "Anita")]
    people.append(("oz", "Özgür Łuć"))
    with psycopg.connect(database_url) as connection:
        for name, shown in people:
            connection.execute(
                "insert into users (name, display_name, password_hash) values (%s, %s, '')", [name, shown]
            )
        connection.execute("update users set disabled_at = now() where name = 'gone'")
    for q, names in SEARCHES.items():
        status, found = await ana.call("GET", "/api/users", params={"q": q})
        assert (q, status, [user["name"] for user in found["users"]]) == (q, 200, names)


async def test_a_new_display_name_reaches_all_users(cast: Cast) -> None:
    """Mallory, who shares no conversation with Ana, receives it too, because a list may show her name."""
    ana, mallory = await cast.enters("ana", "mallory")
    reader = await mallory.listens()
    status, changed = await ana.call("PATCH", "/api/users/me", {"display_name": " Ana B. "})
    assert (status, changed["display_name"]) == (200, "Ana B.")
    assert (await reader.hears_event("user")).json() | {"receipts": "on", "language": ""} == changed
    assert (await ana.call("GET", "/api/users/me"))[1] == changed


async def test_no_change_records_no_entry(cast: Cast) -> None:
    """Setting the same name again records no entry."""
    ana, ben = await cast.enters("ana", "ben")
    reader = await ben.listens()
    for name in ("Ana", None, "Anna"):
        assert (await ana.call("PATCH", "/api/users/me", {"display_name": name}))[0] == 200
    assert (await reader.hears_event("user")).json()["display_name"] == "Anna"
    assert len(reader.named("user")) == 1


async def test_users_cannot_make_themselves_admins(ana: Visitor) -> None:
    """Neither role nor name can be changed by the user."""
    await ana.signs_up("ana")
    for field, value in (("role", "admin"), ("name", "root"), ("id", 1)):
        status, problem = await ana.call("PATCH", "/api/users/me", {field: value})
        assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_an_admins_display_name_cannot_be_taken(cast: Cast) -> None:
    """A display name like an admin's is refused, at sign-up and later; the admin keeps it, and other users may share
    theirs."""
    (ada,) = await cast.enters("ada", role="admin")
    ben, mallory = await cast.enters("ben", "mallory")
    assert (await ada.call("PATCH", "/api/users/me", {"display_name": "Ana Duarte"}))[0] == 200
    for name in ("Ana Duarte", "ana duarte", "Аna Duаrtе", "Ana\u200b Duarte", "𝖠na Duarte"):
        assert await tries(mallory, "PATCH", "/api/users/me", {"display_name": name}) == (409, "imitates_admin")
        form = {"name": "eve", "display_name": name, "password": PASSWORD}
        assert await tries(mallory, "POST", "/api/accounts", form) == (409, "imitates_admin")
    assert await tries(ada, "PATCH", "/api/users/me", {"display_name": "Ana Duarte", "about": "runs it"}) == (200, "")
    for person in (ben, mallory):
        assert await tries(person, "PATCH", "/api/users/me", {"display_name": "Ana D."}) == (200, "")
