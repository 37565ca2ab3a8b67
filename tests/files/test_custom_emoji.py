"""Custom emoji: who adds and removes them, under which names, which pictures, and who learns of them."""

import asyncio
import io
from typing import Any

import psycopg
import pytest
from PIL import Image

from chat.api_schema.openapi import MODELS
from tests.cast import Cast, Person
from tests.files.sending import developed, moving, opens_file, picture
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, reacts, tries
from tests.waiting import eventually

PATH = "/api/emoji"


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """Ada, an admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def adds(person: Person, name: str, data: Any = None) -> dict[str, Any]:
    """Add an emoji and return it."""
    status, made = await person.call("POST", f"{PATH}?name={name}", data=data or picture())
    assert status == 201, made
    MODELS["CustomEmojiState"].model_validate(made)
    return dict(made["emoji"])


async def refused(person: Person, name: str, data: Any = None) -> tuple[int, str]:
    """Return the status and the code of an error."""
    status, problem = await person.call("POST", f"{PATH}?name={name}", data=data or picture())
    return status, problem["code"]


async def names(person: Person) -> list[str]:
    """Return the names of the emoji there are."""
    return [one["name"] for one in (await person.call("GET", PATH))[1]["emoji"]]


async def test_every_client_learns_of_an_emoji(ada: Person, cast: Cast) -> None:
    """A member adds an emoji, everyone is told and sees it, and the activity log has it; then it is removed."""
    ana, ben = await cast.enters("ana", "ben")
    reader = await ben.listens()
    assert await ben.call("GET", PATH) == (200, {"emoji": [], "may_add": True, "most": 500})
    made = await adds(ana, "party-parrot", picture((640, 320), "JPEG"))
    assert (made["name"], made["by"], made["animated"]) == ("party-parrot", ana.id, False)
    assert (await reader.hears_event("emoji")).json() == {"id": made["id"], "emoji": made}
    assert (await ben.call("GET", PATH))[1]["emoji"] == [made]
    status, data, headers = await opens_file(ben, made["picture"])
    assert (status, headers["Content-Type"], developed(data).size) == (200, "image/webp", (128, 64))
    assert "immutable" in headers["Cache-Control"]
    assert await tries(ana, "DELETE", made["picture"]) == (204, "")
    await eventually(lambda: len(reader.named("emoji")) == 2)
    assert reader.named("emoji")[-1].json() == {"id": made["id"], "emoji": None}
    assert (await opens_file(ben, made["picture"]))[0] == 404
    assert await tries(ana, "DELETE", made["picture"]) == (404, "not_found")
    assert await names(ben) == []
    _, audit = await ada.call("GET", "/api/audit?action=emoji.")
    named = {"emoji": made["id"], "name": "party-parrot"}
    assert [(row["action"], row["detail"]) for row in audit["rows"]] == [("emoji.remove", named), ("emoji.add", named)]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG"])
async def test_formats(ana: Person, kind: str) -> None:
    """PNG, GIF, WebP and JPEG become a small WebP. A small picture stays as small as it is."""
    made = await adds(ana, "small", picture((20, 30), kind))
    _, data, _ = await opens_file(ana, made["picture"])
    assert (developed(data).size, made["still"]) == ((20, 30), made["picture"])


async def test_an_animation_keeps_moving(ana: Person) -> None:
    """An animation of 100 frames fits into 128 × 128 pixels and 128 KiB, and has a still picture beside it."""
    made = await adds(ana, "conga-parrot", moving(100))
    assert (made["animated"], made["still"]) == (True, f"{made['picture']}?still=1")
    _, data, _ = await opens_file(ana, made["picture"])
    shown = Image.open(io.BytesIO(data))
    assert (shown.size, getattr(shown, "n_frames", 1), len(data) <= 128 * 1024) == ((128, 128), 100, True)
    _, data, _ = await opens_file(ana, made["still"])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 1


NONE: dict[str, tuple[Any, int, str]] = {
    "words": (b"hello", 422, "no_picture"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "no_picture"),
    "too many bytes": (bytes(5 * 1024 * 1024 + 1), 413, "too_large"),
    "too many frames": (moving(101, 20).getvalue(), 422, "animation_too_long"),
}


@pytest.mark.parametrize("what", NONE)
async def test_an_invalid_picture_is_refused(ana: Person, what: str) -> None:
    """Anything but a picture is refused, and nothing is added."""
    data, status, code = NONE[what]
    assert await refused(ana, "party", io.BytesIO(data)) == (status, code)
    assert await names(ana) == []


async def test_an_animation_with_too_many_pixels(database_url: str, redis_url: str, ana: Person) -> None:
    """The pixels of all frames count, before they are decoded."""
    async with running_node(database_url, redis_url, node="b1", picture_pixels=10_000) as small:
        ana.at = small.url
        assert await refused(ana, "party", moving(11, 31)) == (422, "too_many_pixels")
        await adds(ana, "party", moving(10, 31))


@pytest.mark.parametrize("name", ["", "p", "p" * 33, "Party", "party%20parrot", "p%C3%A4rty", ":party:", "+1", "tada"])
async def test_names_have_one_rule(ana: Person, name: str) -> None:
    """Other letters, names that are too short or long, and the names of standard emoji are refused."""
    assert await refused(ana, name) == (422, "invalid")


async def test_a_name_is_given_once(ana: Person, ben: Person) -> None:
    """Of two users who add one name at once, one succeeds; after a removal the name is free."""
    answers = await asyncio.gather(*(one.call("POST", f"{PATH}?name=lol_9", data=picture()) for one in (ana, ben)))
    assert sorted(status for status, _ in answers) == [201, 409]
    assert [said["code"] for status, said in answers if status == 409] == ["emoji_name_taken"]
    (made,) = (said["emoji"] for status, said in answers if status == 201)
    owner = ana if made["by"] == ana.id else ben
    assert await tries(owner, "DELETE", made["picture"]) == (204, "")
    assert (await adds(ben, "lol_9"))["id"] != made["id"]


async def test_their_number_is_bounded(database_url: str, redis_url: str, ana: Person) -> None:
    """The setting bounds how many there are."""
    async with running_node(database_url, redis_url, node="b1", custom_emoji_most=1) as small:
        ana.at = small.url
        made = await adds(ana, "one-emoji")
        assert await refused(ana, "two-emoji") == (409, "too_many_emoji")
        assert await tries(ana, "DELETE", made["picture"]) == (204, "")
        await adds(ana, "two-emoji")


async def test_removal_is_for_the_uploader_and_admins(ada: Person, cast: Cast) -> None:
    """Another member cannot remove an emoji; an admin can."""
    ana, mallory = await cast.enters("ana", "mallory")
    made = await adds(ana, "party")
    assert await tries(mallory, "DELETE", made["picture"]) == (403, "not_your_emoji")
    assert await names(mallory) == ["party"]
    assert await tries(ada, "DELETE", made["picture"]) == (204, "")


async def test_a_team_can_leave_them_to_admins(ada: Person, cast: Cast) -> None:
    """Where the team's setting is `admins`, members add none, but still remove their own."""
    (ana,) = await cast.enters("ana")
    made = await adds(ana, "party")
    assert (await ada.call("GET", "/api/team"))[1]["emoji"] == "everyone"
    assert (await ada.call("PATCH", "/api/team", {"emoji": "admins"}))[1]["emoji"] == "admins"
    assert (await ana.call("GET", PATH))[1]["may_add"] is False
    assert await refused(ana, "conga-parrot") == (403, "emoji_by_admins")
    assert (await ada.call("GET", PATH))[1]["may_add"] is True
    await adds(ada, "conga-parrot")
    assert await tries(ana, "DELETE", made["picture"]) == (204, "")
    assert await names(ana) == ["conga-parrot"]


async def test_emoji_of_former_users_stay(ada: Person, cast: Cast, database_url: str) -> None:
    """A user whose account is disabled adds and removes nothing. What a deleted account added stays, without a name."""
    ana, ben = await cast.enters("ana", "ben")
    kept, other = await adds(ana, "party"), await adds(ben, "conga-parrot")
    assert (await ada.call("PUT", f"/api/users/{ben.id}/disabled", {"disabled": True}))[0] == 204
    assert await refused(ben, "more") == (401, "unauthenticated")
    assert (await tries(ben, "DELETE", other["picture"]))[0] == 401
    assert (await ana.call("DELETE", "/api/users/me?messages=keep"))[0] == 204

    def forgotten() -> bool:
        with psycopg.connect(database_url) as database:
            found = database.execute("select user_id from custom_emoji where id = %s", [kept["id"]]).fetchall()
            return found == [(None,)]

    await eventually(forgotten)
    _, found = await ada.call("GET", PATH)
    assert [(one["name"], one["by"]) for one in found["emoji"]] == [("conga-parrot", ben.id), ("party", None)]


async def test_pixels_are_charged_to_who_sends_them(database_url: str, redis_url: str, cast: Cast) -> None:
    """A user's own pictures use up their pixels, not those of others."""
    ana, ben = await cast.enters("ana", "ben")
    limits = {"rate_limits": True, "rate_pixels": "20000/hour"}
    async with running_node(database_url, redis_url, node="b1", **limits) as strict:
        ana.at = ben.at = strict.url
        await adds(ana, "first", picture((140, 140)))
        assert await refused(ana, "second") == (429, "too_fast")
        await adds(ben, "second", picture((100, 100)))


async def test_a_reaction_with_a_custom_emoji(ada: Person, cast: Cast) -> None:
    """A reaction is stored as `:name:`. After the removal it stays, others can join it, and no new one is made."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "hello :party: and `:party:`")
    await ana.says(room, "again")
    made = await adds(ada, "party")
    place = f"{CONVERSATIONS}/{room}/messages/1/reactions"
    assert await tries(ana, "PUT", f"{place}/:parrot:") == (422, "invalid")
    assert await tries(ana, "PUT", f"{place}/:Party:") == (422, "invalid")
    reader = await ben.listens()
    await reacts(ana, room, 1, ":party:")
    assert (await reader.hears_event("reaction")).json()["emoji"] == ":party:"
    assert (await ada.call("DELETE", made["picture"]))[0] == 204
    await reacts(ben, room, 1, ":party:")
    assert (await tries(ben, "PUT", f"{CONVERSATIONS}/{room}/messages/2/reactions/:party:"))[0] == 422
    message = (await ana.call("GET", f"{CONVERSATIONS}/{room}/messages/1"))[1]["message"]
    assert message["body"] == "hello :party: and `:party:`"
    assert message["reactions"] == [{"emoji": ":party:", "users": [ana.id, ben.id]}]
    await reacts(ana, room, 1, ":party:", on=False)
    await reacts(ben, room, 1, ":party:", on=False)
    assert "reactions" not in (await ana.call("GET", f"{CONVERSATIONS}/{room}/messages/1"))[1]["message"]
