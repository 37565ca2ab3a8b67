"""The emoji names of Slack and Mattermost that the `emoji` package lacks, as `chat/transfer/emoji_names.txt`.

    python -m tests.transfer.emoji_table      write the file again, after an update of the packages

Slack and Mattermost use the names of the iamcal list, which the app's emoji picker brings (Apache License 2.0).
"""

import json
from collections.abc import Iterator
from pathlib import Path

from emoji import emojize

from chat.messages.reactions import SPELLINGS, strip_selectors
from chat.transfer.text import flag

TREE = Path(__file__).parents[2]
LIST = TREE / "web/node_modules/emoji-picker-element-data/en/iamcal/data.json"
FILE = TREE / "chat/transfer/emoji_names.txt"
OLD_NAMES = {"simple_smile": "🙂", "thumbsup_all": "👍"}  # of Slack's first years


def listed() -> Iterator[tuple[str, str]]:
    """Yield each name of the list with its emoji."""
    for one in json.loads(LIST.read_text("utf-8")):
        for name in one.get("shortcodes", ()):
            yield name, SPELLINGS.get(strip_selectors(one["emoji"]), one["emoji"])


def table() -> str:
    """Return the lines of the file: a name and its emoji, where the package gives another or none."""
    names = dict(listed()) | OLD_NAMES
    known = {name: flag(name) or emojize(f":{name}:", language="alias") for name in names}
    rows = [f"{name} {emoji}" for name, emoji in names.items() if SPELLINGS.get(strip_selectors(known[name])) != emoji]
    return "\n".join(sorted(rows)) + "\n"


if __name__ == "__main__":
    FILE.write_text(table(), "utf-8")
