"""Code and addresses in a message, where names are no mentions. Pure; time grows linearly with the text.

Follows Markdown: fenced blocks first, then code spans between two equal runs of backticks within a paragraph.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)")
PARAGRAPHS = re.compile(r"\n[ \t]*\n")
RUN = re.compile(r"(?<!\\)(\\*)(`+)")  # without the look-behind each backslash of a run starts a search: quadratic
ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)


def strip_code(text: str) -> str:
    """Return `text` without code and addresses; the text before and after them stays separated."""
    if "`" in text or "~~~" in text:
        text = "\n\n".join(strip_spans(part) for part in PARAGRAPHS.split(strip_fences(text)))
    return ADDRESS.sub(" ", text)


def strip_fences(text: str) -> str:
    """Return `text` without fenced blocks; an unclosed block reaches to the end."""
    return "\n".join(lines_outside(text))


def lines_outside(text: str) -> Iterator[str]:
    """Yield the lines outside fences, and an empty line, which ends a paragraph, for each block."""
    fence = ""
    for line in text.split("\n"):
        if fence:
            if closes(line, fence):
                fence = ""
        elif opened := FENCE.fullmatch(line):
            fence = opened[1] or opened[2]
            yield ""
        else:
            yield line


def closes(line: str, fence: str) -> bool:
    """Return whether `line` is only the fence's character, at least as often as in `fence`."""
    mark = line.strip()
    return len(mark) >= len(fence) and not mark.strip(fence[0]) and not line.startswith("    ")


def strip_spans(text: str) -> str:
    """Return `text` without code spans; a run of backticks without a later run of its length is plain text."""
    runs = [(run.start(2), len(run[2]), len(run[1]) % 2 == 1) for run in RUN.finditer(text)]
    later: dict[int, list[int]] = defaultdict(list)
    for start, length, _ in reversed(runs):
        later[length].append(start)
    kept, end = [], 0
    for start, length, escaped in runs:
        while later[length] and later[length][-1] <= start:
            later[length].pop()
        if start >= end and not escaped and later[length]:
            kept.append(text[end:start])
            end = later[length][-1] + length
    return " ".join([*kept, text[end:]])
