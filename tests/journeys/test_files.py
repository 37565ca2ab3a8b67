"""Ana and Ben send files: dropped, pasted, picked; cancelled, cut and resumed; viewed large."""

from playwright.async_api import expect

from tests.cast import Cast, Person
from tests.files.sending import address, opens_file, picture
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message
from tests.journeys.pages.files import NOTES, RED, TALL, Line, brings, has_up, is_seen, picks, shape, tray
from tests.promises.conftest import StartNode
from tests.verbs import Json, begins, reads
from tests.waiting import eventually

LARGE = ("large.bin", "application/octet-stream", bytes(range(256)) * 8_000)


async def begin_talk(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, **settings: str
) -> tuple[list[Person], int, list[Window]]:
    """Open a conversation of two users, with a window each."""
    node = await start_node("a1", **settings)
    people = await enter(stage, node, "ana", "ben")
    room = await begins(people[0], "group", "", people[1])
    windows = [await open_window(node, person, f"/c/{room}") for person in people]
    for window in windows:
        await window.is_live()
    return people, room, windows


async def carried(person: Person, room: int, seq: int) -> list[Json]:
    """Return the files of a message, once it is there."""
    await eventually(lambda: has_message(person, room, seq), 30)
    return list((await reads(person, room, seq))["files"])


async def has_message(person: Person, room: int, seq: int) -> bool:
    """Return whether the message is there."""
    status, _ = await person.call("GET", f"/api/chat/conversations/{room}/messages/{seq}")
    return status == 200


async def test_dropped_and_pasted_files_and_the_lightbox(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """One file is removed before sending; the others keep their shape in the conversation, and open large."""
    _, _, (one, two) = await begin_talk(stage, start_node, open_window)
    await brings(one, "drop", RED, TALL, NOTES)
    await has_up(one, "red.png", "tall.jpg", "notes.txt")
    await one.page.get_by_role("button", name="Remove tall.jpg").click()
    await has_up(one, "red.png", "notes.txt")
    await one.says("look at this")
    row = message(two, 1)
    await expect(row.get_by_text("look at this")).to_be_visible(timeout=LIMIT)
    red = row.get_by_role("img", name="red.png")
    assert abs(await shape(red) - 1.5) < 0.02
    await eventually(lambda: is_seen(red), 30)
    await expect(row.get_by_role("link", name="Download notes.txt, 17 B")).to_have_attribute("download", "notes.txt")
    await brings(one, "paste", TALL)
    await one.page.get_by_label("Message", exact=True).press("Enter")  # the upload is incomplete
    await expect(message(two, 2).get_by_role("img", name="tall.jpg")).to_be_visible(timeout=LIMIT)
    await expect(tray(one)).to_have_count(0)
    await row.get_by_role("button", name="Open picture red.png").click()
    await leafs_through(two)
    await takes_out(one, "tall.jpg")
    await expect(message(two, 2).get_by_text("It was too tall")).to_be_visible(timeout=LIMIT)
    await expect(message(two, 2).get_by_role("img", name="tall.jpg")).to_have_count(0)
    assert one.errors == two.errors == []


async def takes_out(window: Window, name: str) -> None:
    """The only file of the last message can be removed only if the message gets a text."""
    field = window.page.get_by_label("Message", exact=True)
    await field.press("ArrowUp")
    await window.page.get_by_role("button", name=f"Remove {name}").click()
    await expect(window.page.get_by_role("button", name="Save")).to_be_disabled()
    await window.rewrites("It was too tall")
    await window.page.get_by_role("button", name="Save").click()


async def leafs_through(window: Window) -> None:
    """Page forward, backward and close; the focus is where it was."""
    keys = window.page.keyboard
    large = window.page.get_by_role("dialog", name="Picture red.png")
    await expect(large).to_contain_text("1 of 2", timeout=LIMIT)
    await eventually(lambda: is_seen(large.get_by_role("img")), 30)
    await keys.press("ArrowRight")
    other = window.page.get_by_role("dialog", name="Picture tall.jpg")
    await expect(other).to_contain_text("2 of 2")
    await other.get_by_role("button", name="Previous picture").click()
    await expect(large).to_contain_text("1 of 2")
    await keys.press("Escape")
    await expect(window.page.get_by_role("dialog")).to_have_count(0)
    await expect(window.page.get_by_role("button", name="Open picture red.png")).to_be_focused()


async def test_cancelled_cut_and_refused(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """A cancelled file is gone on the server too; a cut upload resumes by itself; a refusal says what to do."""
    (ana, ben), room, (one, two) = await begin_talk(stage, start_node, open_window, MAX_FILE_BYTES="3000000")
    line = Line(one)
    await line.holds_after(1)
    await picks(one, LARGE)
    item = tray(one).filter(has_text="large.bin")
    await expect(item).to_contain_text("Waiting for the connection…", timeout=LIMIT)
    assert line.cut
    await one.page.get_by_role("button", name="Cancel large.bin").click()
    await expect(tray(one)).to_have_count(0)
    await eventually(lambda: is_given_up(ana), 30)
    await picks(one, LARGE, ("enormous.bin", "", bytes(3_000_001)))
    await expect(item).to_contain_text("Waiting for the connection…", timeout=LIMIT)
    refused = tray(one).filter(has_text="enormous.bin")
    await expect(refused).to_contain_text("This file is larger than this server allows (3 MB).", timeout=LIMIT)
    await one.says("")  # an upload is incomplete, so nothing is sent yet
    await expect(one.page.get_by_text("Some files failed to upload")).to_be_visible()
    await line.heals()
    await expect(item).to_have_attribute("data-state", "done", timeout=LIMIT)
    await (
        one.page.get_by_role("button", name="Cancel enormous.bin")
        .or_(one.page.get_by_role("button", name="Remove enormous.bin"))
        .click()
    )
    await expect(message(two, 1).get_by_role("link", name="Download large.bin, 2.0 MB")).to_be_visible(timeout=LIMIT)
    (file,) = await carried(ben, room, 1)
    assert (await opens_file(ben, address(file)))[1] == LARGE[2]
    assert one.errors == two.errors == []


async def is_given_up(person: Person) -> bool:
    """Return whether the first file that was begun is gone."""
    return (await person.call("GET", "/api/files/1"))[0] == 404


async def test_an_avatar_and_initials(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Ana's picture is beside her messages on Ben's screen as soon as she has chosen it; removed, her initials are."""
    _, _, (one, two) = await begin_talk(stage, start_node, open_window)
    await one.says("hello")
    face = message(two, 1).locator(".avatar")
    await expect(face).to_have_text("A", timeout=LIMIT)
    await one.page.get_by_role("button", name="Your account").click()
    await one.page.get_by_role("menuitem", name="Settings").click()
    form = one.page.get_by_role("form", name="Your profile")
    chosen = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": picture((500, 300), "JPEG")}
    await form.get_by_test_id("avatar").set_input_files(chosen)  # type: ignore[arg-type]
    await eventually(lambda: is_seen(face.locator("img")), 30)
    await form.get_by_test_id("avatar").set_input_files({**chosen, "buffer": b"no picture"})  # type: ignore[arg-type]
    await expect(form.get_by_role("alert")).to_contain_text("not a picture that can be shown")
    await form.get_by_role("button", name="Remove", exact=True).click()
    await expect(face).to_have_text("A", timeout=LIMIT)
    assert one.errors == two.errors == []
