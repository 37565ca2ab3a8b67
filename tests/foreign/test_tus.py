"""tus 1.0: the requirements of the standard, and real clients: tus-js-client, Uppy, aiotus and tuspy."""

import asyncio
import io
import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiotus
import pytest
from aiotus import core
from tusclient.client import TusClient
from yarl import URL

from tests.cast import Cast, Person, casting
from tests.files.sending import address, bearer, begins_upload, opens_file, sends_piece
from tests.foreign.programs import install_packages, run_node
from tests.nodes import Node, running_node

DATA = bytes(range(251)) * 4_000
RESUMABLE = {"Tus-Resumable": "1.0.0"}
PIECE = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
NAME = "Grüße.bin"


async def tus(person: Person, method: str, path: str, **headers: str) -> tuple[int, Any, Mapping[str, str]]:
    """Send a request as a tus client; return status, body and headers."""
    named = RESUMABLE | {name.replace("_", "-"): value for name, value in headers.items()}
    return await person.asks(method, path, headers=named)


async def begins(person: Person, size: int = 10, metadata: str = "") -> str:
    """Create an upload as a tus client; return its path."""
    status, said, heard = await tus(person, "POST", "/api/files", Upload_Length=str(size), Upload_Metadata=metadata)
    assert status == 201, said
    assert heard["Location"].startswith(f"{person.at}/api/files/")
    return urlsplit(heard["Location"]).path


async def is_stored(person: Person, place: str, name: str) -> bool:
    """Return whether the upload is complete, with this name and the bytes of `DATA`."""
    status, said = await person.call("GET", place)
    assert (status, said["ready"], said["file"]["name"]) == (200, True, name)
    return (await opens_file(person, address(said["file"])))[1] == DATA


async def test_options_describe_the_server(ana: Person) -> None:
    """OPTIONS returns versions, extensions and the largest size, for the endpoint and for an upload."""
    for path in ("/api/files", await begins(ana)):
        status, _, heard = await ana.asks("OPTIONS", path, headers={"Tus-Resumable": "0.2.2"})
        assert status == 204
        assert {name: heard[name] for name in ("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size")} == {
            "Tus-Resumable": "1.0.0",
            "Tus-Version": "1.0.0",
            "Tus-Extension": "creation,termination",
            "Tus-Max-Size": str(100 * 1024 * 1024),
        }


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
async def test_another_version_is_refused_and_not_processed(ana: Person, method: str) -> None:
    """The answer is 412 with the supported version, and no byte is stored."""
    place = await begins(ana)
    path = "/api/files" if method == "POST" else place
    headers = PIECE | {"Tus-Resumable": "0.2.2", "Upload-Length": "10"}
    status, _, heard = await ana.asks(method, path, headers=headers, data=io.BytesIO(b"hello"))
    assert (status, heard["Tus-Version"], heard["Tus-Resumable"]) == (412, "1.0.0", "1.0.0")
    assert (await tus(ana, "HEAD", place))[2]["Upload-Offset"] == "0"


async def test_every_answer_names_the_version(ana: Person, ben: Person) -> None:
    """Errors included, wherever they come from."""
    place = await begins(ana)
    nobody = {"Authorization": "Bearer nobody"}
    refused = [
        (401, await ana.asks("PATCH", place, headers=PIECE | nobody)),
        (404, await ben.asks("HEAD", place)),
        (405, await ana.asks("PUT", place)),
        (409, await ana.asks("PATCH", place, headers=PIECE | {"Upload-Offset": "3"})),
        (413, await ana.asks("POST", "/api/files", headers={"Upload-Length": str(10**12)})),
        (415, await ana.asks("PATCH", place, headers={"Upload-Offset": "0", "Content-Type": "text/plain"})),
        (422, await ana.asks("POST", "/api/files", headers={"Upload-Length": "ten"})),
    ]
    assert [(status, answer[2]["Tus-Resumable"]) for status, answer in refused] == [
        (answer[0], "1.0.0") for _, answer in refused
    ]


async def test_a_method_may_be_overridden(ana: Person, ben: Person) -> None:
    """POST can stand for PATCH, HEAD and DELETE, with the same permissions; other methods are 405."""
    place = await begins(ana, 5)

    async def asks(person: Person, method: str, data: bytes = b"") -> tuple[int, Mapping[str, str]]:
        headers = RESUMABLE | PIECE | {"X-HTTP-Method-Override": method}
        status, _, heard = await person.asks("POST", place, headers=headers, data=io.BytesIO(data))
        return status, heard

    assert (await asks(ben, "PATCH", b"hello"))[0] == 404
    status, heard = await asks(ana, "PATCH", b"hello")
    assert (status, heard["Upload-Offset"]) == (204, "5")
    status, heard = await asks(ana, "HEAD")
    assert (status, heard["Upload-Offset"]) == (200, "5")
    assert (await asks(ana, "PUT"))[0] == 405
    assert (await asks(ana, "DELETE"))[0] == 204
    assert (await tus(ana, "HEAD", place))[0] == 404


async def test_metadata_returns_as_it_was_sent(ana: Person) -> None:
    """Values that this server does not read need not be text."""
    name, octets = (b64encode(value).decode() for value in (NAME.encode(), b"\xff\xfe"))
    sent = f"filename {name},is_confidential,hash {octets}"
    place = await begins(ana, metadata=sent)
    assert (await tus(ana, "HEAD", place))[2]["Upload-Metadata"] == sent
    assert (await ana.call("GET", place))[1]["file"]["name"] == NAME
    assert "Upload-Metadata" not in (await tus(ana, "HEAD", await begins(ana)))[2]


@pytest.mark.parametrize("metadata", ["filename /w==", "filename ???", "name " + "QUFB" * 2_000, "näme QUFB"])
async def test_metadata_that_is_refused(ana: Person, metadata: str) -> None:
    """A name that is not UTF-8, a value that is not base64, too much of it, a key that is not ASCII."""
    status, said, _ = await tus(ana, "POST", "/api/files", Upload_Length="10", Upload_Metadata=metadata)
    assert (status, said["errors"][0]["field"]) == (422, "Upload-Metadata")


async def test_pieces_have_their_type(ana: Person) -> None:
    """415 for everything else, and nothing is stored; an empty file is refused when it is created."""
    place = await begins(ana)
    for kind in ("text/plain", "application/octet-stream"):
        status, said = await ana.call(
            "PATCH", place, data=io.BytesIO(b"x"), headers={"Upload-Offset": "0", "Content-Type": kind}
        )
        assert (status, said["code"]) == (415, "not_a_piece")
    assert (await sends_piece(ana, place, 0, b"hello"))[0] == 204
    status, said, _ = await tus(ana, "POST", "/api/files", Upload_Length="0")
    assert (status, said["code"]) == (422, "empty_file")


async def test_other_clients_get_a_relative_address(ana: Person) -> None:
    """Only requests with Tus-Resumable get an absolute address."""
    assert (await begins_upload(ana, 10)).startswith("/api/files/")


async def test_the_address_is_the_one_that_clients_use(database_url: str, redis_url: str) -> None:
    """Behind a proxy with TLS, the address has the scheme and host that the client used."""
    forwarded = {"Host": "chat.example.org", "X-Forwarded-Proto": "https", "Upload-Length": "10"}
    async with (
        running_node(database_url, redis_url, trusted_proxies="127.0.0.0/8") as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        _, said, heard = await ana.asks("POST", "/api/files", headers=RESUMABLE | forwarded)
        assert heard["Location"] == f"https://chat.example.org/api/files/{said['file']['id']}"


async def test_tus_js_client_and_uppy(cast: Cast, node: Node, tmp_path: Path) -> None:
    """Whole, in pieces, resumed, with POST for PATCH, with data in the first request, and deleted again."""
    (ana,) = await cast.enters("ana")
    install_packages()
    (tmp_path / "data").write_bytes(DATA)
    said = await run_node("uploads.mjs", f"{node.url}/api/files", ana.token, str(tmp_path / "data"))
    places = {name: urlsplit(url).path for name, url in json.loads(said).items()}
    assert (await ana.call("GET", places.pop("gone")))[0] == 404
    assert set(places) == {"whole", "pieces", "resumed", "override", "early", "uppy"}
    for name, place in places.items():
        assert await is_stored(ana, place, f"{name}.bin")


async def test_aiotus(cast: Cast, node: Node) -> None:
    """aiotus queries the configuration, uploads in pieces, and reads the metadata."""
    (ana,) = await cast.enters("ana")
    endpoint, headers = f"{node.url}/api/files", bearer(ana)
    found = await core.configuration(cast.http, URL(endpoint), headers=headers)
    assert (found.protocol_versions, found.protocol_extensions) == (["1.0.0"], ["creation", "termination"])
    metadata = {"filename": NAME.encode(), "octets": b"\xff", "flag": None}
    place = await aiotus.upload(endpoint, io.BytesIO(DATA), metadata, headers=headers, chunksize=300_000)
    assert place is not None
    assert await is_stored(ana, place.path, NAME)
    assert await aiotus.metadata(place, headers=headers) == metadata


async def test_tuspy(cast: Cast, node: Node) -> None:
    """An upload stops after one piece, and another object continues it."""
    (ana,) = await cast.enters("ana")
    client = TusClient(f"{node.url}/api/files", bearer(ana))

    def upload() -> str:
        first = client.uploader(file_stream=io.BytesIO(DATA), chunk_size=300_000, metadata={"filename": "tuspy.bin"})
        first.upload_chunk()
        second = client.uploader(file_stream=io.BytesIO(DATA), chunk_size=300_000, url=first.url)
        assert second.offset == 300_000
        second.upload()
        return str(second.url)

    assert await is_stored(ana, urlsplit(await asyncio.to_thread(upload)).path, "tuspy.bin")
