"""Cutting and joining parts of takes, and finding one take's place in another."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol.topics import Marker, Overview, Take
from tests.tui.harness import take
from tui import splice
from tui.splice import Tape, part_of, taped

FRAMES = 1_000


def short(number: int, *markers: tuple[int, str], **changes: object) -> Take:
    marks = tuple(Marker(at_samples=at, name=name) for at, name in markers)
    return take(number, frames=FRAMES, markers=marks, started_utc=f"2026-11-22T10:{number:02d}:00Z", **changes)


THREE, FIVE = short(3, (400, "Chorus"), (700, "Verse")), short(5, (430, " chorus"), (690, "VERSE"))
PLAIN, OTHER = short(6, (100, "Marker 1")), short(7, (900, "Marker 1"))


def tape_of(*parts: tuple[Take, int, int]) -> Tape:
    found = taped([part_of(*one) for one in parts], [THREE, FIVE, PLAIN, OTHER])
    assert found is not None
    return found


def stretches(parts) -> list[tuple[int, int, int]]:
    return [(part.take, part.start_samples, part.end_samples) for part in parts]


def test_takes_lie_beside_each_other_by_the_nearest_marker_of_one_name() -> None:
    assert splice.corresponding(THREE, 400, FIVE) == 430
    assert splice.corresponding(THREE, 410, FIVE) == 440
    assert splice.corresponding(FIVE, 690, THREE) == 700
    assert splice.corresponding(THREE, 200, PLAIN) == 200


def test_a_name_that_nobody_gave_says_nothing_about_the_song() -> None:
    assert splice.corresponding(PLAIN, 100, OTHER) == 100


def test_a_part_takes_the_place_of_what_was_there() -> None:
    whole = tape_of((PLAIN, 0, 1_000))
    one = splice.with_part(whole, 300, 500, part_of(OTHER, 320, 520))
    assert stretches(one) == [(6, 0, 300), (7, 320, 520), (6, 500, 1_000)]
    longer = splice.with_part(tape_of((PLAIN, 0, 300), (OTHER, 320, 520)), 100, 400, part_of(THREE, 0, 10))
    assert stretches(longer) == [(6, 0, 100), (3, 0, 10), (7, 420, 520)]
    assert stretches(splice.with_part(whole, 1_000, 1_000, part_of(OTHER, 5, 9))) == [(6, 0, 1_000), (7, 5, 9)]


def test_putting_back_what_was_there_heals_the_cut() -> None:
    cut = tape_of((PLAIN, 0, 300), (OTHER, 300, 500), (PLAIN, 500, 1_000))
    assert stretches(splice.with_part(cut, 300, 500, part_of(PLAIN, 300, 500))) == [(6, 0, 1_000)]
    assert stretches(splice.without(cut, 1)) == [(6, 0, 1_000)]


def test_without_a_part_its_neighbour_plays_there() -> None:
    by_marker = tape_of((THREE, 0, 400), (FIVE, 430, 690), (OTHER, 700, 1_000))
    assert stretches(splice.without(by_marker, 1)) == [(3, 0, 700), (7, 700, 1_000)]
    assert stretches(splice.without(by_marker, 0)) == [(5, 30, 690), (7, 700, 1_000)]
    assert splice.without(tape_of((THREE, 0, 400)), 0) == ()


def test_a_part_is_slipped_as_far_as_its_take_goes() -> None:
    tape = tape_of((PLAIN, 0, 300), (OTHER, 320, 520))
    assert stretches(splice.slipped(tape, 1, 5))[1] == (7, 325, 525)
    assert stretches(splice.slipped(tape, 1, -900))[1] == (7, 0, 200)
    assert stretches(splice.slipped(tape, 1, 9_000))[1] == (7, 800, 1_000)


def test_places_go_from_take_to_comp_and_back() -> None:
    tape = tape_of((THREE, 0, 400), (FIVE, 430, 690), (THREE, 700, 1_000))
    assert tape.starts == (0, 400, 660)
    assert splice.in_take(tape, 500, FIVE) == 530
    assert splice.in_take(tape, 500, THREE) == 500
    assert splice.in_take(tape, 400, THREE, last=True) == 400
    assert splice.in_comp(tape, FIVE, 530) == 500
    assert splice.in_comp(tape, THREE, 700) == 660
    assert splice.in_comp(tape, THREE, 400) == 400
    assert splice.in_comp(tape, PLAIN, 5_000) == tape.end
    assert splice.in_comp(tape_of((THREE, 0, 400)), FIVE, 430) == 400


def test_overdubs_keep_the_time_of_the_take_under_them() -> None:
    sung = [short(number, overdub_of=3) for number in (8, 9)]
    tape = taped([part_of(sung[0], 250, 500), part_of(sung[1], 500, 600)], sung)
    assert tape is not None
    assert (tape.begin, tape.end, tape.starts) == (250, 600, (250, 500))


def test_a_comp_whose_take_is_gone_is_none() -> None:
    assert taped([part_of(short(4), 0, 10)], [THREE]) is None
    assert taped([], [THREE]) is None


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_is_put_in_is_what_plays_there_and_nothing_else_changes(data) -> None:
    place = st.integers(0, FRAMES)
    tape = tape_of((PLAIN, 0, FRAMES))
    for owner in data.draw(st.lists(st.sampled_from((PLAIN, OTHER)), max_size=6)):
        begin, end = sorted(data.draw(st.tuples(place, place).filter(lambda pair: pair[0] != pair[1])))
        before = [played(tape, at) for at in range(FRAMES)]
        found = taped(splice.with_part(tape, begin, end, part_of(owner, begin, end)), [PLAIN, OTHER])
        assert found is not None
        assert found.end == FRAMES
        after = [played(found, at) for at in range(FRAMES)]
        expected = [(owner.number, at) if begin <= at < end else before[at] for at in range(FRAMES)]
        assert after == expected
        tape = found


def played(tape: Tape, at: int) -> tuple[int, int]:
    n = tape.index(at)
    return tape.parts[n].take, at - tape.starts[n] + tape.parts[n].start_samples


def test_a_comp_looks_like_its_takes_where_they_play() -> None:
    tape = tape_of((PLAIN, 0, 500), (OTHER, 500, 1_000))
    looks = {
        (number, 0): Overview(frames=FRAMES, rate_hz=48_000, peaks={"t1": bytes([value] * 480)})
        for number, value in ((6, 10), (7, 20))
    }
    peaks = splice.composed(tape, looks).peaks
    assert peaks["t1"] == bytes([10] * 240 + [20] * 240)
    assert set(peaks["t2"]) == {255}
    shown = splice.as_take(tape)
    assert [(marker.at_samples, marker.name) for marker in shown.markers] == [(0, "take 6"), (500, "take 7")]
    assert msgspec.structs.replace(shown, frames=FRAMES) == shown
