"""An owner makes an incoming hook in the app, tests it, gives its address to a program, and removes it."""

import asyncio

from playwright.async_api import expect
from slack_sdk.webhook import WebhookClient

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.journeys.pages.chat import enter
from tests.journeys.pages.panels import opens_details, unfolds
from tests.promises.conftest import StartNode
from tests.verbs import begins


async def test_from_the_address_to_the_message(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The address is shown once; what a program posts there appears at once, with the name of the hook."""
    node = await start_node("a1")
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
