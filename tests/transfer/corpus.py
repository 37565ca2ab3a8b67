"""Real dialogue in many languages and scripts: conversations of chatterbot-corpus as lines to import."""

from collections.abc import Iterator
from pathlib import Path

import chatterbot_corpus
import yaml

DATA = Path(chatterbot_corpus.__file__).parent / "data"


def dialogues() -> Iterator[tuple[str, list[str]]]:
    """Yield `(language, texts in turn)`."""
    for path in sorted(DATA.rglob("*.yml")):
        conversations = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)["conversations"]
        for turns in conversations:
            yield path.parent.name, [turns] if isinstance(turns, str) else turns


def corpus_lines() -> Iterator[dict[str, str]]:
    """Return the lines of two authors in each language, in a channel named after it."""
    for language, turns in dialogues():
        for turn, body in enumerate(turns):
            author = f"{language.title()} {'ab'[turn % 2].upper()}"
            yield {"conversation": language, "author": author, "body": body}
