"""A flight: one song by way of a neighbour, from the POST to our own stream; one flip, from its socket to ours."""

import asyncio
import secrets

import aiohttp

from chat.canary.ear import Ear
from chat.canary.eye import Eye, open_socket
from chat.canary.nest import ROOM
from chat.shared.probes import Probe

FLIGHT_SECONDS = 10.0


class Lost(Exception):
    """The neighbour did not take it."""


async def sing(http: aiohttp.ClientSession, url: str, probe: Probe, ear: Ear) -> float:
    """Seconds from the request to the neighbour until it is heard here. Raises `Lost`, `TimeoutError`."""
    client_id, began = secrets.token_hex(8), asyncio.get_running_loop().time()
    heard = ear.await_song(client_id)
    try:
        async with asyncio.timeout(FLIGHT_SECONDS):
            path = f"{url}/api/chat/conversations/{ROOM}/messages"
            headers = {"Authorization": f"Bearer {probe.token}"}
            async with http.post(path, json={"body": "tweet", "client_id": client_id}, headers=headers) as answer:
                if answer.status != 201:
                    raise Lost(f"HTTP {answer.status}")
            return await heard - began
    finally:
        ear.give_up(client_id)


async def flip(http: aiohttp.ClientSession, url: str, probe: Probe, eye: Eye) -> float:
    """Seconds from a sign of life to the neighbour until the canary is shown as online here. Raises `TimeoutError`."""
    async with asyncio.timeout(FLIGHT_SECONDS), open_socket(http, url, probe) as socket:
        await socket.send_str('{"type":"idle"}')
        await eye.sees("away")
        began = asyncio.get_running_loop().time()
        await socket.send_str('{"type":"active"}')
        seen = await eye.sees("online")
        await socket.send_str('{"type":"idle"}')
        return seen - began
