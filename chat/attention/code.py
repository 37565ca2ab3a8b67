"""What in a message is code or an address: nobody is mentioned there. Pure, and linear in the length of the text.

As in Markdown: fenced blocks first, then, within a paragraph, spans between two runs of as many backticks.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)")
PARAGRAPHS = re.compile(r"\n[ \t]*\n")
RUN = re.compile(r"(\\*)(`+)")
ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)


def strip_code(text: str) -> str:
    """`text` without code and addresses; what stood on both sides of them stays apart."""
    if "`" in text or "~~~" in text:
        text = "\n\n".join(strip_spans(part) for part in PARAGRAPHS.split(strip_fences(text)))
    return ADDRESS.sub(" ", text)


def strip_fences(text: str) -> str:
    """Without fenced blocks; one that is not closed reaches to the end."""
    return "\n".join(lines_outside(text))


def lines_outside(text: str) -> Iterator[str]:
    """The lines outside of fences; an empty one, which ends a paragraph, where a block begins."""
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
    """Only the fence's own character, as many times or more, with nothing behind it."""
    mark = line.strip()
    return len(mark) >= len(fence) and not mark.strip(fence[0]) and not line.startswith("    ")


def strip_spans(text: str) -> str:
    """Without `spans`; a run of backticks that no later run of that length answers is only text."""
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
