"""Free ports: each is given once, however many processes look for one."""

import random
import subprocess
import sys

from chat.local.data_dir import free_port

OTHER = (
    "import sys; from chat.local.data_dir import claim; print(claim(int(sys.argv[1])), flush=True); sys.stdin.read()"
)


def test_no_port_is_given_twice() -> None:
    """No port is given twice, even if nothing listens yet and random choices repeat."""
    given = []
    for _ in range(200):
        random.seed(1)
        given.append(free_port())
    assert len(set(given)) == len(given)


def test_a_port_of_another_process_is_free_when_it_ends() -> None:
    """A port of another process is not given, even if it does not listen yet."""
    command = [sys.executable, "-c", OTHER]
    port = free_port()
    assert subprocess.run([*command, str(port)], stdin=subprocess.DEVNULL, capture_output=True).stdout == b"False\n"
    with subprocess.Popen([*command, "19999"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        again = [*command, "19999"]
        assert subprocess.run(again, stdin=subprocess.DEVNULL, capture_output=True).stdout == b"False\n"
    assert subprocess.run(again, stdin=subprocess.DEVNULL, capture_output=True).stdout == b"True\n"
