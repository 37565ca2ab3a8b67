"""Import real archives by the command, each into a database of its own, and look for texts that were lost uncounted.

    python -m tests.transfer.archives LIST

Each line of the list is the path of an archive, relative to the list, and perhaps options of `tandem import`. Archives
of other projects are in no repository: chat/transfer/README.md names them, with what this printed. Each is imported
twice, because the second import must bring nothing, and exported. Texts of several words that are neither in the export
nor in a field or file that the report counts are printed, to be judged. Lines of a log may be counted as events. Exits
with 1 if there are any.
"""

import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from chat.local.databases import apply_migrations
from chat.local.postgres import PostgresEngine
from chat.transfer.text import show_emoji, strings_in, words_in
from tests.databases import folder_in_memory, fresh_database, set_fsync

Json = dict[str, Any]
TEXTS = {"", ".txt", ".log", ".csv", ".weechatlog", ".gist"}
LINES_ASIDE = ("joins, quits and other events of IRC", "notices of IRC", "lines that are no messages of IRC")
# Words that no reader of the chat saw: names of time zones and of categories, another form of a text that is there, or
# headings of the export itself.
MACHINERY = {"tz_label", "preview_highlight", "rendered_content", "about", "category", "scope", "image"}
MAX_TEXT = 64 * 1024 * 1024  # bytes of a file that are looked through
MARKUP = re.compile(r"<[^<>]{1,200}>|&\w{2,5};")
SHOWN = 5


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield `(name, bytes)` of each file in an archive that may have texts."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield str(file.relative_to(path)), file.read_bytes()[:MAX_TEXT]
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                yield info.filename, archive.read(info)[:MAX_TEXT]
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            for member in tar:
                if (file := tar.extractfile(member)) is not None:
                    yield member.name, file.read(MAX_TEXT)
    else:
        yield path.name, path.read_bytes()[:MAX_TEXT]


def texts_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield `(field, text)` of each text: of JSON by its path, of other files line by line."""
    for name, content in contents(path):
        suffix = Path(name).suffix.lower()
        if suffix in (".json", ".jsonl"):
            yield from ((f"{name} {field}", text) for field, text in strings_in(parsed(content), MACHINERY))
        elif suffix in TEXTS and b"\0" not in content[:4096]:
            yield from (("line", line) for line in content.decode("utf-8-sig", "replace").splitlines())


def parsed(content: bytes) -> list[Any]:
    """Return the JSON values of a file: one, or one in each line."""
    try:
        return [orjson.loads(content)]
    except orjson.JSONDecodeError:
        return [one for line in content.splitlines() if (one := parsed_line(line)) is not None]


def parsed_line(line: bytes) -> Any:
    """Return the JSON value of a line, or None."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def lost_texts(path: Path, exported: Iterable[Json], counted: Collection[str]) -> dict[str, list[str]]:
    """Return the texts of several words that are not in the export, by their fields."""
    kept = {word for line in exported for _, text in strings_in(line) for word in words_in(text)}
    fields = {what.removeprefix("text in ").rpartition(".")[2] for what in counted if what.startswith("text in ")}
    fields |= {"attachments.text", "attachments.title"} if "previews of links" in counted else set()
    files = {what.removeprefix("entries of ") for what in counted if what.startswith("entries of ")}
    lost: dict[str, list[str]] = {}
    for place, text in texts_in(path):
        file, _, field = place.rpartition(" ")
        words = words_in(show_emoji(MARKUP.sub(" ", text))) if " " in text.strip() else set()
        aside = {field, field.rpartition(".")[2]} & fields or Path(file).name in files
        if len(words - kept) > 1 and not aside:
            lost.setdefault(field, []).append(text)
    return lost


def run(url: str, *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and output."""
    environment = os.environ | {"DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "chat", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout or done.stderr


def try_archive(url: str, path: Path, options: list[str]) -> bool:
    """Import, import again, export, compare; print what was seen. Return whether nothing was lost."""
    code, printed = run(url, "import", str(path), "--json", *options)
    if not printed.startswith("{"):
        print(f"REFUSED {path}: {printed.strip()[-300:]}", flush=True)
        return False
    report = orjson.loads(printed)
    again = orjson.loads(run(url, "import", str(path), "--json", *options)[1])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        run(url, "export", str(out))
        exported = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    skipped = {one["what"]: one["count"] for one in report["skipped"]}
    lost = lost_texts(path, exported, skipped)
    lines = len(lost.get("line", ()))
    if lines <= sum(skipped.get(what, 0) for what in LINES_ASIDE):
        lost.pop("line", None)
    show(path, report, exported, lost)
    held = code == 0 and again["new"] == 0 and not lost
    if not held:
        print(f"  LOOK: exit {code}, {again['new']} new again", *report["errors"][:SHOWN], sep="\n    ")
    return held


def show(path: Path, report: Json, exported: list[Json], lost: dict[str, list[str]]) -> None:
    """Print what came of an archive."""
    kinds = Counter(line["type"] for line in exported)
    found = ", ".join(f"{number:,} {what}" for what, number in report["found"].items())
    print(f"{report['source']} {path}: {report['new']:,} messages, {kinds['user']:,} users, ", end="")
    print(f"{kinds['conversation']:,} conversations, {report['invalid']:,} errors\n  found: {found}", flush=True)
    for one in report["skipped"]:
        print(f"  aside: {one['count']:,} {one['what']} ({', '.join(one['places'][:1])})")
    for field, texts in lost.items():
        print(f"  LOST? {len(texts):,} in {field}: {[text[:90] for text in texts[:SHOWN]]}")


def main() -> int:
    """Run it; return the exit code."""
    listed = Path(sys.argv[1])
    held = True
    with (
        tempfile.TemporaryDirectory() as disk,
        folder_in_memory(Path(disk)) as folder,
        PostgresEngine(folder / "postgres") as engine,
    ):
        set_fsync(engine.url, on=False)
        for number, line in enumerate(listed.read_text("utf-8").splitlines()):
            if words := shlex.split(line, comments=True):
                with fresh_database(engine.url, f"tandem_archive_{number}") as url:
                    apply_migrations(url)
                    held &= try_archive(url, listed.parent / words[0], words[1:])
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
