"""Search in every script: endings, widths, accents, invisible characters, emoji; also during re-indexing."""

from collections.abc import Sequence

import psycopg
import pytest

from chat.search.lexemes import quote
from chat.search.query import cut_formerly
from tests.cast import Person
from tests.search.asking import asks, finds, indexed
from tests.search.test_windows import READY, talks
from tests.verbs import begins

# what was said, what is asked, whether it is found
ENDINGS = [
    ("학교에서 공부합니다", "학교", True),
    ("학교에서 공부합니다", "공부", True),
    ("학교에서 공부합니다", "학교는", False),
    ("서울대학교에 갔다", "대학교", True),
    ("집에서 놀아요", "집", True),
    ("집에서 놀아요", "집*", True),
    ("제5층에서 만나요", "5층", True),
    ("evlerimizden geliyorum", "evler", True),
    ("İstanbul'da buluşalım", "istanbul", True),
    ("kitaplarımı okudum", "kitap", True),
    ("talossa on kylmä", "talo", True),
    ("házban vagyok", "ház", True),
    ("megcsináltam a feladatot", "csinál", True),
    ("holnap elküldtem, hogy lásd", "küld", True),
    ("a legnagyobb ház", "nagy", True),
    ("a legnagyobb ház", '"legnagyobb ház"', True),
    ("the elephant", "phant", False),
    ("قرأت الكتاب أمس", "كتاب", True),
    ("قرأت الكتاب أمس", '"الكتاب أمس"', True),
    ("والمدرسة بعيدة", "مدرسة", True),
    ("والمدرسة بعيدة", "المدرسة", True),
    ("ذهبنا بسيارة حمراء", "سيارة", True),
    ("үйде отырмын", "үй", True),
    ("કામ made todo", "to", False),
    ("კომპიუტერებისთვის", "კომპიუტერ", True),
    ("பள்ளிக்கூடத்தில் படிக்கிறேன்", "பள்ளி", True),
    ("see www.example.organic", "example.org", True),
    ("internationalization", "internationalis", False),
    ("internationalization", "international", True),
    ("ticket 1234", "123", False),
    ("talossa on kylmä", '"talo"', False),
    ("the cat", "category", False),
]
FORMS = [
    ("ｶﾒﾗを買う", "カメラ", True),
    ("ｶﾒﾗを買う", "ｶﾒ", True),
    ("はん\u304b\u3099く", "はんがく", True),
    ("ﾊﾝｶｸ ﾊﾞﾅﾅ", "バナナ", True),
    ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글", True),
    ("Łódź", "Lodz", True),
    ("Lodz", "Łódź", True),
    ("Đà Nẵng", "Da Nang", True),
    ("Ærøskøbing", "Aeroskobing", True),
    ("smørrebrød på Öland", "smorrebrod pa oland", True),
    ("Straße", "strasse", True),
    ("ﬁne ＡＢＣ", "fine abc", True),
    ("Þingvellir", "thingvellir", True),
    ("كـــتاب", "كتاب", True),
    ("مدرسة", "مدرسه", True),
    ("غرفة ١٢٣", "123", True),
    ("اتاق ۴۵۶", "456", True),
    ("कमरा ७८९", "789", True),
    ("ดื่มนํ้า", "น้ำ", True),
    ("เเม่มา", "แม่", True),
    ("می\u200cخواهم", "میخواهم", True),
    ("foo\u00adbar", "foobar", True),
    ("foo\u200bbar", "foobar", True),
    ("\ufefffoo\u2060bar", "foobar", True),
    ("東\u200b京", "東京", True),
    ("ދިވެހި", "ދިވެހި", True),
    ("ދިވެހި", "ދވހ", False),
]
SYMBOLS = [
    ("⭐ starred", "⭐", True),
    ("⏰ alarm", "⏰", True),
    ("go 🇩🇪!", "🇩🇪", True),
    ("go 🇩🇪!", "🇪🇨", False),
    ("🇩🇪🇫🇷", "🇫🇷", True),
    ("🇩🇪🇫🇷", "🇪🇫", False),
    ("love ❤️", "❤", True),
    ("love ❤", "❤️", True),
    ("👍🏽 fine", "👍", True),
    ("👍 fine", "👍🏽", False),
    ("step 1️⃣", "1️⃣", True),
    ("step 1", "1️⃣", False),
    ("👩‍👩‍👧 home", "👩‍👩‍👧", True),
    ("🏴󠁧󠁢󠁥󠁮󠁧󠁿 scored", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", True),
    ("🏴󠁧󠁢󠁥󠁮󠁧󠁿 scored", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", False),
    ("© 2026 ⌚️", "⌚ ©", True),
]


@pytest.mark.parametrize("cases", [ENDINGS, FORMS, SYMBOLS], ids=["endings", "forms", "symbols"])
async def test_words_are_found_in_every_script(
    ana: Person, cases: Sequence[tuple[str, str, bool]], database_url: str
) -> None:
    """Each text is found by what a reader would type, and marked in the excerpt."""
    room = await begins(ana, "channel", "babel")
    said = list(dict.fromkeys(text for text, _, _ in cases))
    await talks(ana, *[(room, text) for text in said])
    await indexed(database_url)
    for text, q, found in cases:
        results = {one["message"]["seq"]: one["highlight"] for one in (await asks(ana, q))["results"]}
        excerpt = results.get(said.index(text) + 1)
        assert (excerpt is not None) == found, (text, q)
        assert excerpt is None or any(hit for _, hit in excerpt), (text, q, excerpt)


async def test_a_mark_covers_what_was_typed(ana: Person, database_url: str) -> None:
    """Matches are shown in the message's own characters, with what belongs to them."""
    room = await begins(ana, "channel", "marks")
    await talks(ana, (room, "ｶﾒﾗを買う"), (room, "a soft\u00adhyphen"), (room, "i ❤️ it"), (room, "서울대학교에서"))
    await indexed(database_url)
    for q, marked in (("カメラ", "ｶﾒﾗ"), ("softhyphen", "soft\u00adhyphen"), ("❤", "❤️"), ("대학교", "대학교")):
        (result,) = (await asks(ana, q))["results"]
        assert [text for text, hit in result["highlight"] if hit] == [marked]


FORMER = """
alter table search_documents add constraint unready check (seq < 0) not valid;
update search_state set conversation_id = 0, seq = 0, terms_only = true
"""
REPLACE = """
update search_documents set vector = %s::tsvector ||
       array_to_tsvector(array(select lexeme from unnest(vector) where lexeme like '@%%'))
 where conversation_id = %s and seq = %s
"""


def former_words(body: str) -> str:
    """Return the words of a vector as the version before wrote it."""
    terms = [(term.name, 2 + term.name.isascii()) for term in cut_formerly(body) if not term.sign]
    words = [f"{quote(name)}:{number}" for number, (name, _) in enumerate(terms, 1)]
    grams = [quote(name[:size] + "~") for name, least in terms for size in {least, 3, 5} if len(name) >= size]
    return " ".join(words + grams + [quote(term.name) for term in cut_formerly(body, True) if term.sign])


async def test_former_terms_are_found_during_reindexing(ana: Person, database_url: str) -> None:
    """What was found before the upgrade is found while its messages are indexed again; the rest afterwards."""
    said = ["Łódź was fun", "학교 앞", "tomatoes here", "brød nu", "foo\u00adbar", "北京 นำ"]
    before = ["Łódź", "학교", "tomat*", '"brød nu"', "foo\u00adbar", "北京", "นำ", "Łód*"]
    room = await begins(ana, "channel", "older")
    await talks(ana, *[(room, body) for body in said])
    await indexed(database_url)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        async with connection.transaction():
            for seq, body in enumerate(said, 1):
                await connection.execute(REPLACE, [former_words(body), room, seq])
            await connection.execute(FORMER)
        assert [len(await finds(ana, q)) for q in before] == [1] * len(before)
        assert await finds(ana, "lodz") == await finds(ana, "foobar") == []
        await connection.execute(READY)
        await indexed(database_url)
        state = await (await connection.execute("select terms_only from search_state")).fetchone()
    assert state == (False,)
    for q in (*before, "lodz", "foobar"):
        assert len(await finds(ana, q)) == 1, q
