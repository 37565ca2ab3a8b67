"""Search: words, phrases, prefixes, scripts, filters; only in what the user may read."""

import asyncio

import pytest

from tests.cast import Cast, Person
from tests.search.asking import asks, finds, indexed
from tests.verbs import CONVERSATIONS, begins, removes_member, sets_member, tries


async def test_words_are_found_with_any_case_and_accents(ana: Person, database_url: str) -> None:
    """All words must match, in any order, with any case and accents; the newest message comes first.

    A word also finds longer ones that begin with it, but not shorter ones.
    """
    room = await begins(ana, "channel", "garden")
    for body in ("Éric brings TOMATOES", "no tomatoes, said eric", "nothing here", "Ερικ?"):
        await ana.says(room, body)
    await indexed(database_url)
    assert await finds(ana, "eric tomatoes") == ["no tomatoes, said eric", "Éric brings TOMATOES"]
    assert await finds(ana, "tomato ÉRIC bring") == ["Éric brings TOMATOES"]
    assert await finds(ana, "tomatoes eric bringsx") == await finds(ana, '"bring" eric') == []
    assert await finds(ana, "ερικ") == ["Ερικ?"]


async def test_phrases_and_prefixes(ana: Person, database_url: str) -> None:
    """A compound such as an address is a phrase too; prefixes match the beginning of words."""
    room = await begins(ana, "channel", "garden")
    for body in (
        "ripe and red",
        "red and ripe",
        "see www.example.org/tomatoes",
        "example of an org",
        "redder",
        "abc-123",
    ):
        await ana.says(room, body)
    await indexed(database_url)
    assert await finds(ana, '"ripe and red"') == ["ripe and red"]
    assert await finds(ana, "example.org") == ["see www.example.org/tomatoes"]
    assert await finds(ana, "tom*") == await finds(ana, "tomato*") == ["see www.example.org/tomatoes"]
    assert await finds(ana, "red*") == await finds(ana, "red") == ["redder", "red and ripe", "ripe and red"]
    assert await finds(ana, '"red"') == await finds(ana, "“red”") == ["red and ripe", "ripe and red"]
    assert await finds(ana, "„red and” ripe") == ["red and ripe"]
    assert await finds(ana, "abc-12*") == await finds(ana, "abc-123") == ["abc-123"]
    assert await finds(ana, "abc-12") == await finds(ana, "abc-2*") == []
    assert await finds(ana, "tomb*") == await finds(ana, "tomatos*") == []


async def test_scripts_without_spaces(ana: Person, database_url: str) -> None:
    """Any part of them is found, and a single character; but not characters that are only near each other."""
    room = await begins(ana, "channel", "世界")
    bodies = ["明日東京都に行きます", "京都は楽しい", "สวัสดีครับ", "我喜欢看书", "안녕하세요 서울에서", "🍅 und 🥒"]
    for body in bodies:
        await ana.says(room, body)
    await indexed(database_url)
    expected = {
        "東京都": 1,
        "京都": 2,
        "都": 2,
        "東都": 0,
        "สวัสดี": 1,
        "看书": 1,
        "书": 1,
        "서울*": 1,
        "안녕하*": 1,
        "🍅": 1,
    }
    assert {q: len(await finds(ana, q)) for q in expected} == expected
    assert await finds(ana, "京都は") == ["京都は楽しい"]


async def test_filters_in_the_text_and_beside_it(ana: Person, ben: Person, database_url: str) -> None:
    """Author, place, time and link filter alone or with words."""
    garden = await begins(ana, "channel", "Garden", ben)
    kitchen = await begins(ana, "channel", "kitchen", ben)
    await ana.says(garden, "soup https://example.org")
    await ben.says(garden, "soup is hot")
    await ben.says(kitchen, "soup is cold")
    await indexed(database_url)
    assert await finds(ana, "soup from:@Ben in:#garden") == ["soup is hot"]
    assert await finds(ana, "from:ben") == ["soup is cold", "soup is hot"]
    assert await finds(ana, "soup has:link") == ["soup https://example.org"]
    assert await finds(ana, "soup", conversation=kitchen) == ["soup is cold"]
    assert await finds(ana, "soup", **{"from": ana.id}) == ["soup https://example.org"]
    assert await finds(ana, "soup from:nobody") == await finds(ana, "soup in:nowhere") == []
    assert len(await finds(ana, "soup after:2020-01-01 before:2099-12-31")) == 3
    assert await finds(ana, "soup before:2020-01-01") == await finds(ana, "soup", after="2099-01-01") == []


async def test_days_are_those_that_imported_messages_bear(cast: Cast, database_url: str) -> None:
    """Imported messages are found by their own dates, exactly."""
    (root,) = await cast.enters("root", role="admin")
    room = await begins(root, "channel", "old")
    days = ("2019-12-31T23:59:59Z", "2020-01-01T00:00:00Z", "2020-06-15T12:00:00Z", "2021-03-01T00:00:00Z")
    messages = [
        {"conversation": room, "body": f"said {day[:10]}", "client_id": day[:10], "created_at": day} for day in days
    ]
    status, _ = await root.call("POST", "/api/chat/messages", {"messages": messages})
    assert status == 200
    await indexed(database_url)
    assert await finds(root, "said after:2020-01-01 before:2021-03-01") == ["said 2020-06-15", "said 2020-01-01"]
    assert await finds(root, "before:2020-01-01") == ["said 2019-12-31"]
    assert await finds(root, "said", after="2020-06-15T12:00:00.001Z") == ["said 2021-03-01"]


async def test_days_begin_in_the_time_zone_of_the_reader(cast: Cast, database_url: str) -> None:
    """The zone of the request counts, else that of the profile, else UTC; a clock may be turned on that day."""
    (root,) = await cast.enters("root", role="admin")
    room = await begins(root, "channel", "night")
    moments = ["2025-11-02T03:59:59Z", "2025-11-02T04:00:00Z", "2025-11-03T04:30:00Z", "2025-11-03T05:00:00Z"]
    messages = [
        {"conversation": room, "body": one, "client_id": str(n), "created_at": one} for n, one in enumerate(moments)
    ]
    assert (await root.call("POST", "/api/chat/messages", {"messages": messages}))[0] == 200
    await indexed(database_url)
    first, second, third, fourth = moments
    york = {"zone": "America/New_York"}
    assert await finds(root, "after:2025-11-03", **york) == [fourth]
    assert (
        await finds(root, "on:2025-11-02", **york) == await finds(root, "2025 on:2025-11-02", **york) == [third, second]
    )
    assert await finds(root, "before:2025-11-02", **york) == [first]
    assert await finds(root, "2025", after="2025-11-03", **york) == [fourth]
    assert await finds(root, "on:2025-11-03") == [fourth, third]
    assert await finds(root, "after:2025-11-03T04:30:00Z before:2025-11-03", **york) == [third]
    assert (await root.call("PATCH", "/api/users/me", {"time_zone": "Asia/Kolkata"}))[0] == 200
    assert await finds(root, "on:2025-11-02") == [second, first]
    assert await finds(root, "on:2025-11-02 on:2025-11-03") == []
    for zone in ("Nowhere/Land", "a b", "", "x" * 65):
        assert await tries(root, "GET", f"/api/chat/search?q=on:2025-11-03&zone={zone}") == (422, "invalid")


async def test_only_readable_messages_are_found(ana: Person, ben: Person, mallory: Person, database_url: str) -> None:
    """Only the user's conversations are searched, and a named public channel; nothing is found after leaving."""
    group = await begins(ana, "group", "", ben)
    secret = await begins(ana, "channel", "secret", ben, private=True)
    public = await begins(ana, "channel", "public")
    for room in (group, secret, public):
        await ana.says(room, "the password is tomato")
    await indexed(database_url)
    assert len(await finds(ben, "tomato")) == 2
    assert await finds(mallory, "tomato") == []
    assert await finds(mallory, "tomato in:secret") == await finds(mallory, "tomato", conversation=group) == []
    assert len(await finds(mallory, "tomato in:public")) == 1
    assert (await removes_member(ben, group, "me"))[0] == 204
    assert len(await finds(ben, "tomato")) == 1
    assert (await sets_member(ana, group, ben))[0] == 201
    assert len(await finds(ben, "tomato")) == 2


async def test_archived_messages_are_found_by_members(ana: Person, ben: Person, database_url: str) -> None:
    """Members find archived messages everywhere and by the conversation's name; visitors do not."""
    room = await begins(ana, "channel", "done")
    await ana.says(room, "the tomato harvest")
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    await indexed(database_url)
    assert await finds(ana, "tomato") == await finds(ana, "tomato in:done") == ["the tomato harvest"]
    assert await finds(ben, "tomato in:done") == []


async def test_pages_follow_each_other_while_others_post(ana: Person, database_url: str) -> None:
    """Paging returns each message once, newest first, while others post."""
    room = await begins(ana, "channel", "counting")
    await asyncio.gather(*[ana.says(room, f"number {n}") for n in range(25)])
    await indexed(database_url)
    found, more = [], None
    while True:
        page = await asks(ana, "number", limit=7, **({"before": more} if more else {}))
        found += [result["message"]["seq"] for result in page["results"]]
        await ana.says(room, "number again")
        await indexed(database_url)
        if (more := page["next"]) is None:
            break
    assert found == list(range(25, 0, -1))


async def test_results_are_shown_without_markup(ana: Person, database_url: str) -> None:
    """Results are pieces of the text: matches and what is around them."""
    room = await begins(ana, "channel", "html")
    await ana.says(room, "<b>Tomaten</b> & mehr " + "lang " * 100)
    await indexed(database_url)
    (result,) = (await asks(ana, "tomaten mehr"))["results"]
    pieces = result["highlight"]
    assert pieces[:4] == [["<b>", False], ["Tomaten", True], ["</b> & ", False], ["mehr", True]]
    assert pieces[-1] == ["…", False]
    assert result["message"]["conversation"] == room


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=!!!", "q=to*", "q=has:wings", "q=before:soon", "q=on:2026-01-01T00:00Z", "after=x",
     "q=a&limit=0", "q=a&limit=101", "q=a&from=me", "q=a&conversation=-1", "q=%00", "q=" + "x" * 257,
     "before=p", "q=" + "a+" * 21],
)  # fmt: skip
async def test_an_empty_query_is_refused(ana: Person, query: str) -> None:
    """An empty query gets 422 with the field."""
    assert await tries(ana, "GET", f"/api/chat/search?{query}") == (422, "invalid")


@pytest.mark.parametrize(
    "q", ["'", "\\", "a & b | !c", ":* <-> ((", "'); drop table users; --", "%ff", "\u202e", '"', '"a']
)
async def test_query_syntax_of_databases_has_no_meaning(ana: Person, q: str) -> None:
    """Special characters of query languages cause neither an error nor a match."""
    status, said = await ana.call("GET", "/api/chat/search", params={"q": q})
    assert (status, said.get("code")) == (422, "invalid") or said == {"results": [], "next": None}


async def test_deleted_and_replaced_texts_are_not_found(ana: Person, database_url: str) -> None:
    """A deleted message is gone at once; an edited one is found by its new text, and not by the old one."""
    room = await begins(ana, "channel", "second thoughts")
    for body in ("tomato one", "tomato two", "tomato three"):
        await ana.says(room, body)
    await indexed(database_url)
    here = f"{CONVERSATIONS}/{room}/messages"
    assert await tries(ana, "DELETE", f"{here}/1") == (204, "")
    assert await finds(ana, "tomato") == ["tomato three", "tomato two"]
    assert await tries(ana, "PATCH", f"{here}/2", {"body": "cucumber two"}) == (200, "")
    await indexed(database_url)
    assert await finds(ana, "tomato") == ["tomato three"]
    assert await finds(ana, "cucumber") == ["cucumber two"]
