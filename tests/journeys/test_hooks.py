"""An owner makes hooks in the app, tests them, connects programs with them, and removes them."""

import asyncio
import re

from playwright.async_api import Locator, Page, expect
from slack_sdk.webhook import WebhookClient

from tests.cast import Cast
from tests.integrations.receivers import Receiver, receiving
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.panels import opens_details, unfolds
from tests.journeys.test_dashboard import enters
from tests.promises.conftest import StartNode
from tests.verbs import begins
from tests.waiting import eventually


async def test_from_the_address_to_the_message(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The address is shown once; what a program posts there appears at once, with the name of the hook."""
    node = await start_node("a1", HOOKS_ALLOW="127.0.0.1")
    (ana,) = await enters(stage, node, "ana", role="admin")
    room = await begins(ana, "channel", "deploys")
    window = await open_window(node, ana, f"/c/{room}")
    hooks = await unfolds(await opens_details(window), "Integrations")
    await expect(hooks.get_by_text("No integrations yet.")).to_be_visible(timeout=LIMIT)
    await hooks.get_by_label("Name of the sender").fill("Grafana")
    await hooks.get_by_role("button", name="Create hook").click()
    address = await hooks.get_by_label("Address of the hook").input_value()
    await hooks.get_by_role("button", name="Test Grafana").click()
    await expect(window.page.get_by_text("This is a test of the hook.").first).to_be_visible(timeout=LIMIT)
    await expect(hooks.get_by_text("Last used")).to_be_visible(timeout=LIMIT)
    answer = await asyncio.to_thread(WebhookClient(address).send, text="The *disk* is full")
    assert (answer.status_code, answer.body) == (200, "ok")
    await expect(window.page.get_by_text("The disk is full").first).to_be_visible(timeout=LIMIT)
    await hooks.get_by_role("button", name="Remove Grafana").click()
    await hooks.get_by_role("button", name="Remove now").click()
    await expect(hooks.get_by_text("No integrations yet.")).to_be_visible(timeout=LIMIT)
    assert (await asyncio.to_thread(WebhookClient(address).send, text="late")).status_code == 404
    await receives_in_a_program(window, hooks)


async def receives_in_a_program(window: Window, hooks: Locator) -> None:
    """A message reaches the program, and its answer appears; the list shows what it answered, and sends it again."""
    page = window.page
    async with receiving() as receiver:
        receiver.reply = {"body": "Deployed v7"}
        await hooks.get_by_label("What to add").select_option("Outgoing hook")
        await hooks.get_by_label("Address of the program").fill("http://10.0.0.1/")
        await hooks.get_by_role("button", name="Create outgoing hook").click()
        await expect(hooks.get_by_role("alert")).to_contain_text("HTTPS", timeout=LIMIT)
        await hooks.get_by_label("Address of the program").fill(f"{receiver.url}/ok")
        await hooks.get_by_role("button", name="Create outgoing hook").click()
        await expect(hooks.get_by_label("Signing secret")).to_have_value(re.compile("^whsec_"), timeout=LIMIT)
        await hooks.get_by_role("button", name="Test 127.0.0.1").click()
        await expect(page.get_by_text("Deployed v7").first).to_be_visible(timeout=LIMIT)
        deliveries = hooks.get_by_role("list", name="Deliveries to 127.0.0.1")
        await expect(deliveries.get_by_text("status 200")).to_have_count(1, timeout=LIMIT)
        await window.says("deploy v7")
        await expect(page.get_by_role("log").get_by_text("Deployed v7")).to_have_count(2, timeout=LIMIT)
        assert receiver.texts == ["This is a test of the hook.", "deploy v7"]
        receiver.answers = [410]
        await window.says("once more")
        failure = deliveries.get_by_text("Status 410.")
        await expect(failure).to_have_count(1, timeout=LIMIT)
        await expect(failure).to_have_css("color", await danger_colour(page))
        await deliveries.get_by_role("button", name="Redeliver").first.click()
        await expect(deliveries.get_by_text("status 200")).to_have_count(3, timeout=LIMIT)
        await hooks.get_by_role("button", name="Turn on 127.0.0.1").click()
        await expect(hooks.get_by_role("button", name="Turn off 127.0.0.1")).to_be_visible(timeout=LIMIT)
        await hooks.get_by_role("button", name="Remove 127.0.0.1").click()
        await hooks.get_by_role("button", name="Remove now").click()
        await expect(hooks.get_by_text("No integrations yet.")).to_be_visible(timeout=LIMIT)
        await answers_a_command(window, hooks, receiver)


async def danger_colour(page: Page) -> str:
    """Return the colour in which the app shows errors."""
    mark = "(one => (document.body.append(one), one.className = 'wrong', getComputedStyle(one).color))"
    return str(await page.evaluate(f"{mark}(document.createElement('i'))"))


async def answers_a_command(window: Window, hooks: Locator, receiver: Receiver) -> None:
    """A command is completed and answered for its caller alone. In the list of all hooks an admin turns it off."""
    page = window.page
    field = page.get_by_label("Message", exact=True)
    await hooks.get_by_label("What to add").select_option("Slash command")
    await hooks.get_by_label("Command", exact=True).fill("/remind")
    await hooks.get_by_label("Address of the program").fill(f"{receiver.url}/ok")
    await hooks.get_by_role("button", name="Create command").click()
    await expect(hooks.get_by_role("alert")).to_contain_text("another command", timeout=LIMIT)
    await hooks.get_by_label("Command", exact=True).fill("/ship")
    await hooks.get_by_label("What it does").fill("Ship a version")
    await is_sound(page, "integrations")
    await hooks.get_by_role("button", name="Create command").click()
    await expect(hooks.get_by_label("Signing secret")).to_be_visible(timeout=LIMIT)
    receiver.reply = {"body": "Not on **Fridays**", "visible_to": "caller"}
    await field.press_sequentially("/sh")
    option = page.get_by_role("listbox", name="Suggestions").get_by_role("option", name="/ship Ship a version")
    await expect(option).to_be_visible(timeout=LIMIT)
    answer = page.get_by_label("Answer to your command")

    async def answers() -> bool:
        await window.says("/ship v8")  # a busy machine may need more than 3 s
        await expect(answer).not_to_be_empty(timeout=LIMIT)
        return "Not on Fridays" in await answer.inner_text()

    await eventually(answers, 60)
    await window.opens("/people/hooks")
    row = page.get_by_role("list", name="Integrations").get_by_role("listitem").filter(has_text="/ship")
    await expect(row).to_contain_text("deploys", timeout=LIMIT)
    await is_sound(page, "all integrations")
    await row.get_by_role("button", name="Turn off /ship").click()
    await expect(row.get_by_role("button", name="Turn on /ship")).to_be_visible(timeout=LIMIT)
