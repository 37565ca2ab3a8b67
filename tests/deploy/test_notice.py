"""The notice names everything that the web app bundles, with its license."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_notice_names_every_bundled_package() -> None:
    """The tables of `.github/NOTICE.md` and `web/dist/licenses.txt`, which the build writes, have the same packages."""
    table = re.findall(r"^\| (\S+) \| (?!---|license)", (ROOT / ".github" / "NOTICE.md").read_text(), re.MULTILINE)
    bundled = re.findall(
        r"^(\S+) \d[\w.-]* \(.*\)\n====", (ROOT / "web" / "dist" / "licenses.txt").read_text(), re.MULTILINE
    )
    assert len(bundled) > 5
    assert sorted(table) == sorted(bundled)
