"""The application behind pushpin: it holds every reader on one channel."""

import asyncio
import sys

FIRST = b"event: ready\ndata: 1\n\n"
HELD = b"""HTTP/1.1 200 OK\r
Content-Type: text/event-stream\r
Grip-Hold: stream\r
Grip-Channel: bench\r
Content-Length: %d\r
\r
%b""" % (len(FIRST), FIRST)


async def hold(reader, writer):
    """Answer each request with the instruction to hold."""
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        writer.write(HELD)
    writer.close()


async def serve(port):
    """Serve, also a thousand connections at once."""
    server = await asyncio.start_server(hold, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
