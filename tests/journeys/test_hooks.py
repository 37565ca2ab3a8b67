"""An owner makes hooks in the app, tests them, connects programs with them, and removes them."""

import asyncio
import re

from playwright.async_api import Locator, expect
from slack_sdk.webhook import WebhookClient

from tests.cast import Cast
from tests.integrations.receivers import receiving
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter
from tests.journeys.pages.panels import opens_details, unfolds
from tests.promises.conftest import StartNode
from tests.verbs import begins


async def test_from_the_address_to_the_message(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The address is shown once; what a program posts there appears at once, with the name of the hook."""
    node = await start_node("a1", HOOKS_ALLOW="127.0.0.1")
    (ana,) = await enter(stage, node, "ana")
    room = await begins(ana, "channel", "deploys")
    window = await open_window(node, ana, f"/c/{room}")
    hooks = await unfolds(await opens_details(window), "Integrations")
    await expect(hooks.get_by_text("No hooks yet.")).to_be_visible(timeout=LIMIT)
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
    await expect(hooks.get_by_text("No hooks yet.")).to_be_visible(timeout=LIMIT)
    assert (await asyncio.to_thread(WebhookClient(address).send, text="late")).status_code == 404
    await receives_in_a_program(window, hooks)


async def receives_in_a_program(window: Window, hooks: Locator) -> None:
    """A message reaches the program, and its answer appears; the list shows what it answered, and sends it again."""
    page = window.page
    async with receiving() as receiver:
        receiver.reply = {"body": "Deployed v7"}
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
        await hooks.get_by_role("button", name="Deliveries to 127.0.0.1").click()
        await hooks.get_by_role("button", name="Deliveries to 127.0.0.1").click()
        await expect(deliveries.get_by_text("Status 410.")).to_have_count(1, timeout=LIMIT)
        await deliveries.get_by_role("button", name="Redeliver").first.click()
        await expect(deliveries.get_by_text("status 200")).to_have_count(3, timeout=LIMIT)
        await hooks.get_by_role("button", name="Turn on 127.0.0.1").click()
        await expect(hooks.get_by_role("button", name="Turn off 127.0.0.1")).to_be_visible(timeout=LIMIT)
        await hooks.get_by_role("button", name="Remove 127.0.0.1").click()
        await hooks.get_by_role("button", name="Remove now").click()
        await expect(hooks.get_by_text("No outgoing hooks yet.")).to_be_visible(timeout=LIMIT)
