"""The preview worker: a program that reads the head of an untrusted web page with little memory and time, in a sandbox.

It has no files, network, secrets or identity of the node (`chat/files/sandbox.py`).

    preview_worker.py [CHARSET] <page >preview

It writes one line of JSON with `layers`, those of the sandbox that are in effect, and `title`, `description` and `site`
as far as the page has them. Nothing of a page is run or loaded.
"""

import html
import json
import os
import re
import sys

from chat.files.sandbox import enter, limit

PAGE_MOST = 256 * 1024  # bytes that are read of a page
MEMORY, SECONDS = 512 * 1024 * 1024, 5
TEXT_MOST = 2_000  # characters of one text; the node cuts them further

# Charsets by their labels, with the codec that decodes them. The sandbox can load no codec, so these are loaded before.
CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8"), "utf_8"),
    **dict.fromkeys(("utf-16", "utf-16le"), "utf_16_le"),
    "utf-16be": "utf_16_be",
    **dict.fromkeys(("windows-1252", "cp1252", "iso-8859-1", "latin1", "us-ascii", "ascii"), "cp1252"),
    **{f"windows-{number}": f"cp{number}" for number in (1250, 1251, 1253, 1254, 1255, 1256, 1257)},
    **{f"iso-8859-{number}": f"iso8859_{number}" for number in (2, 5, 6, 7, 8, 9, 15)},
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis"), "cp932"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
}
OLDEST = "cp1252"  # of pages that name no charset and are not UTF-8
MARKS = {b"\xef\xbb\xbf": "utf_8", b"\xff\xfe": "utf_16_le", b"\xfe\xff": "utf_16_be"}
NAMED = re.compile(rb"<meta\s[^>]{0,200}?charset\s{0,9}=[\s\"']{0,9}([A-Za-z0-9_:-]{2,40})", re.IGNORECASE)
NAMED_WITHIN = 1024  # bytes, as in browsers

TAG = re.compile(r"<(!--|/?[a-z][a-z0-9:-]{0,30}+)", re.IGNORECASE)
ATTRIBUTE = re.compile(r"[\s/]*+([^\s/>=]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]*+)))?+")
TAG_END = re.compile(r"[\s/]*+>?")
OPAQUE = {
    name: re.compile(rf"</{name}(?![a-z])", re.IGNORECASE)
    for name in ("title", "script", "style", "noscript", "template", "textarea")
}
TITLES = ("og:title", "twitter:title", "title")
DESCRIPTIONS = ("og:description", "twitter:description", "description")
KEPT = frozenset({*TITLES, *DESCRIPTIONS, "og:site_name"}) - {"title"}


def confine() -> list[str]:
    """Confine this process before it reads untrusted bytes; return the layers of the sandbox that are in effect."""
    os.nice(10)
    for codec in {*CHARSETS.values()}:
        b"a\xa4\xa2".decode(codec, "replace")
    limit(MEMORY, SECONDS)
    return enter()


def decode(page: bytes, charset: str = "") -> str:
    """Return the text of a page: by its byte order mark, the `charset` of the header, its own word, or its bytes."""
    for mark, codec in MARKS.items():
        if page.startswith(mark):
            return page[len(mark) :].decode(codec, "replace")
    named = NAMED.search(page[:NAMED_WITHIN])
    for label in (charset, named[1].decode() if named else ""):
        if label.strip().lower() in CHARSETS:
            return page.decode(CHARSETS[label.strip().lower()], "replace")
    try:
        page[:-3].decode()  # the end may be cut within a character
    except UnicodeDecodeError as wrong:
        if wrong.end < len(page) - 6:
            return page.decode(OLDEST, "replace")
    return page.decode("utf_8", "replace")


def parse_head(text: str) -> dict[str, str]:
    """Return `title`, `description` and `site` of a page, as far as its head has them. Linear in the text.

    No position is looked at more than a few times: each part of the page is left behind by the search for the next tag.
    """
    found: dict[str, str] = {}
    at = 0
    while tag := TAG.search(text, at):
        name, at = tag[1].lower(), tag.end()
        if name == "!--":
            end = text.find("-->", at)
            if end < 0:
                break
            at = end + 3
            continue
        if name in ("body", "/head"):
            break
        attributes, at = read_attributes(text, at)
        if name == "meta":
            key = (attributes.get("property") or attributes.get("name") or "").lower()
            if key in KEPT:
                found.setdefault(key, attributes.get("content", ""))
        if name in OPAQUE:
            closing = OPAQUE[name].search(text, at)
            if name == "title":
                found.setdefault("title", text[at : closing.start() if closing else len(text)][:TEXT_MOST])
            if closing is None:
                break
            at = closing.end()
    named = {"title": TITLES, "description": DESCRIPTIONS, "site": ("og:site_name",)}
    texts = {kind: next((found[key] for key in keys if found.get(key)), "") for kind, keys in named.items()}
    return {kind: html.unescape(text) for kind, text in texts.items() if text}


def read_attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """Return the attributes of a tag, whose values are cut, and the position behind them."""
    found: dict[str, str] = {}
    while True:
        if pair := ATTRIBUTE.match(text, at):
            value = pair[2] or pair[3] or pair[4] or ""
            found.setdefault(pair[1][:40].lower(), value[:TEXT_MOST])
            at = pair.end()
        elif text.startswith("=", at):
            at += 1
        else:
            end = TAG_END.match(text, at)
            return found, end.end() if end else at


def main() -> None:
    """Run the worker."""
    layers = confine()
    page = sys.stdin.buffer.read(PAGE_MOST)
    preview = parse_head(decode(page, sys.argv[1] if len(sys.argv) > 1 else ""))
    sys.stdout.buffer.write(json.dumps({**preview, "layers": layers}).encode())


if __name__ == "__main__":
    main()
