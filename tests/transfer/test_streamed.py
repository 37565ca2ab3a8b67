"""Streamed messages in exports: as they stand, and the same after an import."""

from pathlib import Path

from tests.cast import Cast
from tests.messages.streaming import finishes, starts, writes
from tests.transfer.files import exports, imports
from tests.verbs import begins


async def test_streamed_messages_are_exported_as_they_stand(
    cast: Cast, database_url: str, elsewhere: str, tmp_path: Path
) -> None:
    """A long one, an empty one that was cancelled, and one that is still written, which counts as failed."""
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "room")
    long, empty, running = [await starts(ana, room) for _ in range(3)]
    pieces = ["🦖" * 10_000, "word " * 3_000]
    await writes(ana, room, long, *pieces)
    await finishes(ana, room, long)
    await finishes(ana, room, empty, "cancelled")
    await writes(ana, room, running, "half a ", "senten")
    lines = await exports(database_url, tmp_path / "here.jsonl")
    told = [(line["body"], line["state"]) for line in lines if line["type"] == "message"]
    assert told == [("".join(pieces), "complete"), ("", "cancelled"), ("half a senten", "failed")]
    assert await imports(elsewhere, tmp_path / "here.jsonl") == 0
    assert await exports(elsewhere, tmp_path / "there.jsonl") == lines
