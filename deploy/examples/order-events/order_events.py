"""Order events with data: a shop posts them, the app shows them as cards, and a program reads those of one type."""

import asyncio
import os

from chat.client.client import ApiProblem, Client

EVENTS = [
    ("order.placed", {"order": 4711, "customer": "Ana", "total": {"amount": "39.90", "currency": "EUR"}}),
    ("order.paid", {"order": 4711, "method": "card"}),
    ("order.shipped", {"order": 4711, "carrier": "DHL", "parcels": ["JD0146", "JD0147"]}),
]


async def open_channel(shop: Client, name: str) -> int:
    """Create the channel, or join the one that exists; return its id."""
    try:
        return int((await shop.call("POST", "/api/chat/conversations", {"kind": "channel", "name": name}))["id"])
    except ApiProblem as problem:
        if problem.code != "name_taken":
            raise
    channels = (await shop.call("GET", f"/api/chat/channels?q={name}"))["channels"]
    (channel,) = [one["id"] for one in channels if one["name"] == name]
    await shop.call("PUT", f"/api/chat/conversations/{channel}/members/me", {})
    return int(channel)


async def main() -> None:
    async with Client(os.environ.get("TANDEM_SERVER", "http://127.0.0.1:8080"), os.environ["TANDEM_KEY"]) as shop:
        orders = await open_channel(shop, "orders")
        for what, data in EVENTS:  # the client_id names the event, so it is posted once, however often this runs
            await shop.post(orders, "", client_id=f"{what}-{data['order']}", type=what, data=data)
        for message in (await shop.messages(orders, type="order.shipped"))["messages"]:
            print(f"order {message['data']['order']} was shipped with {message['data']['carrier']}")


asyncio.run(main())
