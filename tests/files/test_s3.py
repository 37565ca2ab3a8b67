"""S3: the same stories against a real S3 server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import obstore
import pytest

from chat.files.endpoints import UPLOADS
from chat.files.storage import Bucket
from chat.files.uploads import FileCleanup
from tests.cast import Cast, casting
from tests.files.seaweed import KEY, SECRET, running_seaweed
from tests.files.sending import address, asks_offset, begins_upload, opens_file, picture, posts, sends, sends_piece
from tests.nodes import Node, running_node
from tests.verbs import begins, deletes

DATA = bytes(range(251)) * 60_000


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address."""
    folder: Path = tmp_path_factory.mktemp("seaweed")
    with running_seaweed(folder) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield url


@pytest.fixture
async def node(database_url: str, redis_url: str, s3: str) -> AsyncIterator[Node]:
    """A node that stores its files there."""
    url = f"s3://files/talk?endpoint={s3}&region=us-east-1"
    async with running_node(database_url, redis_url, files_url=url) as one:
        yield one


async def objects(node: Node) -> list[str]:
    """Return the objects of the bucket."""
    bucket = node.app[UPLOADS].storage
    assert isinstance(bucket, Bucket)
    return [one["path"] async for page in obstore.list(bucket._store) for one in page]


async def test_from_the_first_piece_to_the_sweep(cast: Cast, node: Node) -> None:
    """A file large enough for a multipart upload is read in ranges across its pieces, and deleted with its message."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "group", "", ben)
    place = await begins_upload(ana, len(DATA), "data.bin")
    middle = 11_000_000
    assert (await sends_piece(ana, place, 0, DATA[:middle]))[0] == 204
    assert await asks_offset(ana, place) == middle
    assert (await sends_piece(ana, place, middle, DATA[middle:]))[0] == 204
    file = (await ana.call("GET", place))[1]["file"]
    shot = await sends(ana, picture((900, 600)), "shot.png")
    message = await posts(ana, room, file, shot)
    _, part, _ = await opens_file(ben, address(file), Range=f"bytes={middle - 10}-{middle + 9}")
    assert part == DATA[middle - 10 : middle + 10]
    assert (await opens_file(ben, address(file)))[1] == DATA
    assert (await opens_file(ben, address(shot, "?preview=small")))[0] == 200
    assert len(await objects(node)) == 5
    await deletes(ana, room, message["seq"])
    uploads = node.app[UPLOADS]
    assert await FileCleanup(uploads._pool, uploads.storage).step() == 2
    assert await objects(node) == []


async def test_the_storage_is_unavailable(database_url: str, redis_url: str) -> None:
    """The answer is 503 with a time to retry; messages are posted; no partial file is left."""
    url = "s3://files?endpoint=http://127.0.0.1:9&region=us-east-1"
    async with running_node(database_url, redis_url, files_url=url) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        status, said, headers = await ana.asks("POST", "/api/files?name=x", data=b"hello")
        assert (status, said["code"], headers["Retry-After"]) == (503, "storage_away", "5")
        place = await begins_upload(ana, 5)
        assert (await sends_piece(ana, place, 0, b"hello"))[:2] == (503, "storage_away")
        assert await asks_offset(ana, place) == 0
        await ana.says(room, "still talking")
