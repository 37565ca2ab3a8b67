"""An assistant: it answers mentions with text that grows while it is read, and that any reader can stop."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from chat.client.client import Client

RECIPE = "Here is a **recipe**:\n\n1. Wash the leek.\n2. Cut it into rings.\n3. Fry it for ten minutes.\n\n"


async def think(question: str) -> AsyncIterator[str]:
    """Yield an answer word by word, as a language model does. Call your model here."""
    yield f"You asked: *{question}*\n\n"
    for course in range(1, 6):
        for word in f"## Course {course}\n\n{RECIPE}".split(" "):
            await asyncio.sleep(0.05)
            yield word + " "


async def answer(client: Client, message: dict[str, Any]) -> None:
    """Answer one message. When a reader stops the answer, `think` is closed."""
    question = message["body"].split(" ", 1)[-1]
    said = await client.stream_message(message["conversation"], think(question), f"answer-{message['seq']}")
    print(f"answer {said['seq']} is {said['state']}, {len(said['body'])} characters", flush=True)


async def main() -> None:
    async with Client(os.environ.get("TANDEM_SERVER", "http://127.0.0.1:8080"), os.environ["TANDEM_KEY"]) as client:
        me = (await client.call("GET", "/api/users/me"))["id"]
        cursor = (await client.call("GET", "/api/chat/conversations"))["cursor"]
        print("listening for mentions", flush=True)
        async with asyncio.TaskGroup() as answers:
            async for entry in client.stream(cursor):
                if entry.event == "message" and me in (message := entry.json()).get("mentions", []):
                    answers.create_task(answer(client, message))


asyncio.run(main())
