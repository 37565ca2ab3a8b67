"""The hostile benchmark: every case is run, counted and probed."""

import json

from chat.tools.bench.hostile import CASES
from tests.test_commands import tandem


def test_every_case_is_run_beside_the_probe() -> None:
    """Each case runs on a small scale; the benchmark judges the delays, not this test."""
    done = tandem("bench", "hostile", "--scale", "0.02", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    (report,) = json.loads(done.stdout)["reports"]
    assert [row["what"] for row in report["rows"]] == list(CASES)
    for row in report["rows"]:
        requests, _, probes = row["note"].partition(" requests, ")
        assert int(requests.replace(",", "")) > 0
        assert probes.endswith("probes")
        assert row["value"] > 0
