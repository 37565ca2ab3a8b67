"""Talk: messages as people might write them, in several scripts, words as often as they are in real talk. Pure.

The most used word of a language comes twice as often as the second and three times as often as the third (Zipf), and
each language has thousands. The same seed says the same again.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

WORDS = 20_000  # that a language has
SHORTEST, LONGEST = 1, 20
LINKED, TICKETED = 0.02, 0.1  # of all messages: with a link, with the number of a ticket


@dataclass(frozen=True, slots=True)
class Tongue:
    """How its words are made: an onset, a vowel, perhaps an end, some times over; `between` stands between words."""

    onsets: str
    vowels: str
    ends: str = ""
    between: str = " "
    longest: int = 4


TONGUES = {
    "latin": Tongue("bcdfghjklmnprstvwz", "aeiou", "nrslt"),
    "accents": Tongue("bcçdfgjlmnñprst", "aáäeéèiíoóöuúü", "nrs"),
    "cyrillic": Tongue("бвгджзклмнпрстфхцчш", "аеиоуыэюя", "йнрст"),
    "arabic": Tongue("بتجدرسشعفقكلمنه", "اوي", ""),
    "hangul": Tongue("가나다라마바사아자차카타파하", "고노도로모보소오조초코토포호", "", longest=2),
    "kana": Tongue("あかさたなはまやらわ", "いうえおきくけこ", "ん", between="", longest=2),
    "han": Tongue(
        "我你他这那有没不是来去看说想知道东京都会时间问题", "的了在和大小好多人天年月日上下", "", between="", longest=1
    ),
}
SHARES = {"latin": 60, "accents": 12, "cyrillic": 10, "arabic": 4, "hangul": 4, "kana": 4, "han": 6}


def make_words(tongue: Tongue, number: int, luck: random.Random) -> list[str]:
    """As many different words, the most used first, which are short as they are in life."""
    found: dict[str, None] = {}
    length = 1
    while len(found) < number:
        tries = len(found)
        for _ in range(number):
            found[make_word(tongue, length, luck)] = None
            if len(found) >= min(number, 8 ** (length + 1)):
                break
        length += length < tongue.longest or len(found) == tries
    return list(found)


def make_word(tongue: Tongue, length: int, luck: random.Random) -> str:
    """One of so many syllables."""
    syllables = [luck.choice(tongue.onsets) + luck.choice(tongue.vowels) for _ in range(length)]
    return "".join(syllables) + (luck.choice(tongue.ends) if tongue.ends and luck.random() < 0.5 else "")


class Talk:
    """Every language's words, and sentences of them."""

    def __init__(self, seed: int = 1) -> None:
        self._luck = random.Random(seed)
        self.words = {name: make_words(tongue, WORDS, self._luck) for name, tongue in TONGUES.items()}
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))

    def sentences(self, number: int) -> Iterator[str]:
        """As many messages, each in one language."""
        for name in self._luck.choices(list(SHARES), [*SHARES.values()], k=number):
            size = min(LONGEST, SHORTEST + int(self._luck.expovariate(1 / 7)))
            words = self._luck.choices(self.words[name], cum_weights=self._weights, k=size)
            yield self._finish(TONGUES[name].between.join(words))

    def _finish(self, sentence: str) -> str:
        luck = self._luck.random()
        if luck < LINKED:
            return f"{sentence} https://example.org/{self._luck.choice(self.words['latin'])}"
        return sentence + "?" if luck < 0.1 else sentence.capitalize() + "." if luck < 0.4 else sentence


def ticket_named(number: int) -> str:
    """As tickets are called: all as long, so that the beginning of one says as much where little was said."""
    return f"t{number:05}"


def spread(shares: Sequence[int], luck: random.Random) -> Iterator[int]:
    """Which place comes next, over and over, until each has had its share; they are mixed as in life."""
    left = list(shares)
    total = sum(left)
    while total > 0:
        for place in luck.choices(range(len(left)), left, k=min(total, 1_000)):
            if left[place]:
                left[place] -= 1
                total -= 1
                yield place
