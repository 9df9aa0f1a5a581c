"""What offsets count: every reading there and back, and which one a source supports."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.placing.units import CODE_POINTS, READINGS, Reading, UnitEvidence, base_reading

HINDI = "नदी के पास राम का घर है। राम गाता है। बाद में राम सो गया।"
BYTES, UTF16 = Reading("bytes"), Reading("utf-16")

PIECES = st.sampled_from(
    ["a", "é", "e\u0301", "न", "दी", "𝒳", "🙂", "👩‍🔬", "\r\n", "\r", "\n", " ", "\u3000"]
)
TEXTS = st.tuples(
    st.text(st.sampled_from(" \t\r\n\u00a0"), max_size=4), st.lists(PIECES | st.text(max_size=3))
).map(lambda parts: parts[0] + "".join(parts[1]))


def width(text: str, place: int, reading: Reading) -> int:
    """What the character at a place counts, by the codecs of Python."""
    if reading.joined and text[place : place + 2] == "\r\n":
        return 0
    if reading.stripped and not text[: place + 1].strip():
        return 0
    codec = {"code-points": ("utf-32-le", 4), "utf-16": ("utf-16-le", 2), "bytes": ("utf-8", 1)}
    name, size = codec[reading.unit]
    return len(text[place].encode(name, "surrogatepass")) // size


@given(text=TEXTS, reading=st.sampled_from(READINGS))
def test_every_character_comes_back_from_its_offset(text: str, reading: Reading) -> None:
    offset = 0
    for place in range(len(text)):
        assert reading.offset(text, place) == offset
        wide = width(text, place, reading)
        if wide:  # of characters without width the last one of their offset counts
            assert reading.character(text, offset) == place
            assert all(reading.character(text, offset + k) is None for k in range(1, wide))
        offset += wide
    assert reading.offset(text, len(text)) == offset
    assert reading.character(text, offset) == len(text)
    assert reading.character(text, offset + 1) is None
    assert reading.character(text, -1) is None


@given(text=TEXTS, offsets=st.lists(st.integers(-3, 60)), reading=st.sampled_from(READINGS))
def test_many_offsets_are_read_as_one_by_one(
    text: str, offsets: list[int], reading: Reading
) -> None:
    found = reading.characters(text, np.array(offsets, np.int64)).tolist()
    assert found == [
        -1 if (place := reading.character(text, offset)) is None else place for offset in offsets
    ]


def test_readings_in_words() -> None:
    assert str(Reading("utf-16", joined=True, stripped=True)) == (
        "UTF-16 units, CR LF as one, without leading white space"
    )
    assert len(set(map(str, READINGS))) == 12


def evidence(
    unit: str, *answers: tuple[str, str, int], reading: Reading = CODE_POINTS
) -> UnitEvidence:
    found = UnitEvidence(unit)  # type: ignore[arg-type]
    for context, text, place in answers:
        found.add(context, text, reading.offset(context, place))
    return found


@pytest.mark.parametrize("reading", READINGS[1:])
def test_the_reading_that_offsets_were_made_with_is_supported(reading: Reading) -> None:
    context = "\n  🙂 नदी\r\nके पास राम\r\nका घर"
    words = [(context, word, context.index(word)) for word in ("नदी", "के", "राम", "का", "घर")]
    found = evidence("auto", *words, reading=reading)
    assert found.readings()[0] == reading
    first = found.counts()[1]
    assert (first.fits, first.total) == (5, 5)
    assert str(first) == f"5 of 5 offsets fit when counted in {reading}"


@given(
    text=TEXTS,
    made=st.sampled_from(READINGS),
    places=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3)), max_size=6),
)
def test_support_is_what_counting_every_offset_in_every_reading_says(
    text: str, made: Reading, places: list[tuple[int, int]]
) -> None:
    answers = [(text[at : at + size], made.offset(text, at)) for at, size in places if text[at:]]
    found = UnitEvidence()
    for answer, start in answers:
        found.add(text, answer, start)

    def stands(reading: Reading, answer: str, start: int) -> bool:
        place = reading.character(text, start)
        return place is not None and text.startswith(answer, place)

    plain = [stands(CODE_POINTS, *each) for each in answers]
    base, *supported = found.counts()
    assert (base.fits, base.total) == (sum(plain), len(answers))
    for counts in supported:
        fits = [stands(counts.reading, *each) for each in answers]
        assert counts.fits == sum(fits)
        assert counts.gained - counts.lost == sum(fits) - sum(plain) > 0
    best = max(sum(stands(reading, *each) for each in answers) for reading in READINGS)
    assert best == max(counts.fits for counts in found.counts())


def test_a_coincidence_changes_nothing_where_code_points_fit() -> None:
    right = [(HINDI, "गाता", HINDI.index("गाता")), (HINDI, "घर", HINDI.index("घर"))]
    found = evidence("auto", *right)
    found.add(HINDI, "राम", 27)  # right in bytes
    assert found.readings() == [CODE_POINTS]
    assert [str(each) for each in found.counts()] == [
        "2 of 3 offsets fit when counted in code points"
    ]
    alone = evidence("auto")
    alone.add(HINDI, "राम", 27)
    assert alone.readings() == [BYTES, CODE_POINTS]


def test_offsets_that_fit_in_every_reading_say_nothing() -> None:
    plain = [("All of it is plain.", "plain", 13)] * 9
    found = evidence("auto", *plain)
    found.add(HINDI, "राम", 27)
    assert found.readings()[0] == BYTES


def test_the_unit_that_is_asked_for_is_the_base() -> None:
    assert base_reading("auto") == CODE_POINTS
    found = evidence("bytes", (HINDI, "राम", 11), (HINDI, "घर", HINDI.index("घर")))
    assert found.readings() == [BYTES]
    padded = "\n\n" + HINDI
    shifted = evidence("utf-16", (padded, "राम", 13), reading=Reading("code-points", stripped=True))
    assert shifted.readings() == [Reading("utf-16", stripped=True), UTF16]
