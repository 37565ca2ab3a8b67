"""The application behind pushpin: it holds every reader on one channel, and does nothing else."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIRST = b"event: ready\ndata: 1\n\n"


class Hold(BaseHTTPRequestHandler):
    """Answers with the instruction to hold."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Every reader."""
        self.send_response(200)
        for name, value in (("Content-Type", "text/event-stream"), ("Grip-Hold", "stream"), ("Grip-Channel", "bench")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(FIRST)))
        self.end_headers()
        self.wfile.write(FIRST)

    def log_message(self, *said):
        """Nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hold).serve_forever()
