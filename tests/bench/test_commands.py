"""The subcommands as users run them: one from end to end, and the errors about missing programs."""

import json
import subprocess
import sys
from pathlib import Path

from tests.test_commands import tandem


def test_from_end_to_end() -> None:
    """Servers, a node, generators, a comparison and JSON work, and nothing is left running."""
    done = tandem("bench", "post", "--scale", "0.01", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    (report,) = said["reports"]
    assert {row["what"]: row["holds"] for row in report["rows"]}["posts refused"] is True
    assert said["machine"]["cores"] >= 1


def test_every_part_is_known() -> None:
    """Each part has a help with an example, and `peers` lists the valid names."""
    from chat.tools.bench.plan import RUNS

    for name in [*RUNS, "all", "peers"]:
        assert f"Example: tandem bench {name}" in tandem("bench", name, "--help").stdout
    assert "nchan: " in tandem("bench", "peers").stdout


def test_the_floor_names_a_missing_compiler(tmp_path: Path) -> None:
    """Without a compiler the error has the reason, and what to do."""
    program = "from chat.tools.bench.baselines import compile_floor; from pathlib import Path; compile_floor(Path('.'))"
    command, env = [sys.executable, "-c", program], {"PATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert "install one (cc), or leave `floor` out" in done.stderr
