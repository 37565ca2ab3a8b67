"""Pieces: they may be short on a bad connection; stored pieces are not, and there are at most a thousand."""

from chat.files.endpoints import UPLOADS
from tests.cast import Person
from tests.files.sending import address, asks_offset, begins_upload, opens_file, sends_piece
from tests.files.test_limits import at_a_node
from tests.nodes import Node

LEAST = 1000
DATA = bytes(range(251)) * 40


async def stored(node: Node, place: str) -> list[int]:
    """Return the sizes of the stored pieces, by the database and by the folder."""
    pool, file_id = node.app[UPLOADS]._pool, int(place.rpartition("/")[2])
    async with pool.connection() as connection:
        rows = await (
            await connection.execute("select size, key from file_pieces where file_id = %s order by start", [file_id])
        ).fetchall()
    folder = node.app[UPLOADS].storage._folder
    assert {str(path.relative_to(folder)) for path in folder.glob(f"*/{file_id}/*")} == {key for _, key in rows}
    return [size for size, _ in rows]


async def sends_all(person: Person, place: str, data: bytes, *sizes: int) -> None:
    """Send pieces of these sizes, then the rest."""
    offset = 0
    for size in [*sizes, len(data)]:
        piece = data[offset : offset + size]
        assert (await sends_piece(person, place, offset, piece))[0] == 204
        offset += len(piece)
        assert await asks_offset(person, place) == offset


async def test_short_pieces_are_merged(database_url: str, redis_url: str) -> None:
    """Whatever the sizes sent, every stored piece but the last has the least size, and the file is right."""
    async with at_a_node(database_url, redis_url, piece_least=LEAST) as (ana, _, node):
        place = await begins_upload(ana, len(DATA))
        await sends_all(ana, place, DATA[:3002], *[1] * 50, *[400] * 7, LEAST - 1)
        sizes = await stored(node, place)
        assert (sum(sizes), min(sizes[:-1]) >= LEAST) == (3002, True)
        await sends_piece(ana, place, 3002, DATA[3002:])
        sizes = await stored(node, place)
        assert (sum(sizes), min(sizes[:-1]) >= LEAST) == (len(DATA), True)
        _, said = await ana.call("GET", place)
        assert (await opens_file(ana, address(said["file"])))[1] == DATA


async def test_a_thousand_pieces_are_enough(database_url: str, redis_url: str) -> None:
    """Further pieces are refused for good; 1-byte pieces have left one object."""
    async with at_a_node(database_url, redis_url) as (ana, _, node):
        place = await begins_upload(ana, 2000)
        for offset in range(1000):
            assert (await sends_piece(ana, place, offset, b"x"))[0] == 204
        assert (await sends_piece(ana, place, 1000, b"x" * 1000))[:2] == (409, "too_many_pieces")
        assert await stored(node, place) == [1000]
        assert (await ana.call("DELETE", place))[0] == 204


async def test_a_large_file_has_a_thousand_stored_pieces_at_most(database_url: str, redis_url: str) -> None:
    """A large file has at most a thousand stored pieces, whatever PIECE_LEAST is."""
    async with at_a_node(database_url, redis_url, piece_least=1) as (ana, _, node):
        place = await begins_upload(ana, 20_000)
        await sends_all(ana, place, bytes(10_000), *[10] * 100)
        assert await stored(node, place) == [20] * 50 + [9_000]


async def test_short_pieces_cost_more(database_url: str, redis_url: str) -> None:
    """A short piece costs ten times as much; the last one of a file does not."""
    limits = {"rate_limits": True, "rate_piece": "20/hour", "piece_least": LEAST}
    async with at_a_node(database_url, redis_url, **limits) as (ana, ben, _):
        place = await begins_upload(ana, 5000)
        statuses = [(await sends_piece(ana, place, offset, b"x"))[0] for offset in range(3)]
        assert statuses == [204, 204, 429]
        for _ in range(20):
            place = await begins_upload(ben, 3)
            assert (await sends_piece(ben, place, 0, b"abc"))[0] == 204
