"""Imports in the app, one verb each: upload, check, start, wait."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chat.api_schema.dashboard import ImportModel
from tests.cast import Person
from tests.files.sending import sends_piece
from tests.waiting import eventually

IMPORTS = "/api/imports"
LIMIT = 60.0  # a process starts, and reads the file
Json = dict[str, Any]


async def uploads(admin: Person, path: Path, *, pieces: int = 1) -> int:
    """Upload a file for an import; return its id."""
    data = await asyncio.to_thread(path.read_bytes)
    place = await begins_import_upload(admin, path.name, len(data))
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        assert (await sends_piece(admin, place, start, data[start : start + size]))[0] == 204
    return int(place.rpartition("/")[2])


async def begins_import_upload(admin: Person, name: str, size: int) -> str:
    """Begin an upload for an import; return the address for its pieces."""
    status, said, heard = await tries_import_upload(admin, name, size)
    assert status == 201, said
    return heard["Location"]


async def tries_import_upload(person: Person, name: str, size: int) -> tuple[int, Any, Mapping[str, str]]:
    """Try to begin an upload for an import."""
    metadata = {"filename": name, "purpose": "import"}
    written = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in metadata.items())
    headers = {"Upload-Length": str(size), "Upload-Metadata": written}
    return await person.asks("POST", "/api/files", headers=headers)


async def gives(admin: Person, path: Path, **more: Any) -> Json:
    """Upload a file and wait until it is checked; return the job."""
    status, job = await admin.call("POST", IMPORTS, {"file": await uploads(admin, path)} | more)
    assert status == 201, job
    return await reaches(admin, job["id"], "ready", "failed")


async def starts(admin: Person, job: int, *chosen: int | str) -> Json:
    """Start an import; return the job."""
    status, started = await admin.call(
        "POST", f"{IMPORTS}/{job}/start", {"conversations": list(chosen)} if chosen else {}
    )
    assert status == 200, started
    ImportModel.model_validate(started)
    return dict(started)


async def undoes(admin: Person, job: int) -> Json:
    """Undo an import and wait for the end; return what was removed."""
    status, said = await admin.call("POST", f"{IMPORTS}/{job}/undo")
    assert status == 200, said
    return dict((await reaches(admin, job, "undone"))["undone"])


async def finds(admin: Person, job: int) -> Json:
    """Return the job."""
    status, found = await admin.call("GET", f"{IMPORTS}/{job}")
    assert status == 200, found
    ImportModel.model_validate(found)
    return dict(found)


async def reaches(admin: Person, job: int, *states: str) -> Json:
    """Wait until the job is in one of these states; return it."""

    async def found() -> Json | None:
        now = await finds(admin, job)
        return now if now["state"] in states else None

    return await eventually(found, LIMIT)  # type: ignore[return-value]
