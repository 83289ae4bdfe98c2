"""The best parts of several takes as one: every sample where it belongs, the takes untouched, nothing left half."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import journal
from sessions.comping import lay_out
from sessions.errors import LibraryError
from sessions.files import sha256_file
from sessions.layout import JOURNAL_FILE, clip_file_name, clip_info
from sessions.model import Comp, CompPart, Gap, Marker, Session, Take, TakeTrack
from sessions.splicing import make_comp
from sessions.store import Library
from sessions.verify import check_library
from sessions.wav import WavWriter
from tests.sessions.helpers import new_take, pack, samples
from tests.sessions.test_full_disk import fill_up, small_disk  # noqa: F401 - a fixture

RATE_HZ = 48_000
FADE = 720
"""15 ms."""
KICK, SNARE, VOICE = (TakeTrack(id=f"t{n}", name=name, input=n) for n, name in enumerate(("Kick", "Snare", "Voice"), 1))


def noise(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-(1 << 22), 1 << 22, frames)


def record(library: Library, session: Session, seed: int, frames: int = 48_000, **changes: object) -> Take:
    """A finished take whose tracks are noise that only it has."""
    tracks = changes.pop("tracks", (KICK, SNARE))
    gap = changes.pop("gap", None)
    number = library.next_take_number(session.id)
    take = new_take(session, number, tracks=tracks, started_utc=f"2026-11-22T10:{number:02d}:00+00:00", **changes)
    folder = library.begin_take(take)
    lines = journal.Journal(folder / JOURNAL_FILE)
    for order, track in enumerate(take.tracks):
        spans = [(0, frames)] if gap is None else [(0, gap[0]), (gap[1], frames)]
        for clip, (start, end) in enumerate(spans, start=1):
            file = clip_file_name(take, track.id, clip)
            info = clip_info(take, track, session.name, start)
            writer = WavWriter(folder / file, rate_hz=take.rate_hz, sample_format=take.sample_format, info=info)
            audio = noise(frames, 100 * seed + order)[start:end]
            writer.append(pack(audio / (1 << 23) if take.sample_format == "float32" else audio, take.sample_format))
            writer.close()
            lines.append(journal.ClipStarted(track=track.id, file=file, start_samples=start))
            lines.append(journal.ClipEnded(file=file, frames=end - start))
    lines.close()
    library.finish_take(session.id, number)
    return library.take(session.id, number)


def on_timeline(library: Library, take: Take, track: str) -> np.ndarray:
    """A track as 24-bit integers from the take's start to its end."""
    out = np.zeros(take.frames, np.int64)
    for clip in take.clips:
        if clip.track == track:
            path = library.take_path(take.session, take.number, take.false_number) / clip.file
            audio = np.rint(soundfile.read(path, dtype="float64")[0] * (1 << 23)).astype(np.int64)
            out[clip.start_samples : clip.start_samples + clip.frames] = audio
    return out


def part(take: Take, start: int, end: int) -> CompPart:
    return CompPart(take=take.number, false_number=take.false_number, start_samples=start, end_samples=end)


def seams_of(comp: Comp) -> list[int]:
    lengths = [one.end_samples - one.start_samples for one in comp.parts]
    return [0, *np.cumsum(lengths).tolist()]


# ------------------------------------------------------------------ what is heard


@settings(max_examples=15)
@given(data=st.data())
def test_outside_the_fades_every_sample_is_the_one_of_its_take(tmp_path_factory, data) -> None:
    library = Library(tmp_path_factory.mktemp("comp"))
    session = library.create_session("Gig")
    takes = [record(library, session, seed, frames) for seed, frames in ((1, 6_000), (2, 4_000), (3, 5_000))]
    parts = []
    for _ in range(data.draw(st.integers(1, 5))):
        take = data.draw(st.sampled_from(takes))
        start, end = sorted(data.draw(st.lists(st.integers(0, take.frames), min_size=2, max_size=2, unique=True)))
        parts.append(part(take, start, end))
    comp = Comp(parts=tuple(parts), fade_ms=data.draw(st.sampled_from((0.0, 2.0, 15.0))))
    made, _ = make_comp(library, session.id, comp)
    fade = round(comp.fade_ms * 48)
    assert made.frames == seams_of(comp)[-1]
    by_number = {take.number: take for take in takes}
    for track in ("t1", "t2"):
        heard = on_timeline(library, made, track)
        for one, at in zip(parts, seams_of(comp), strict=False):
            take = by_number[one.take]
            said = on_timeline(library, take, track)[one.start_samples : one.end_samples]
            reach = min(fade, len(said) // 2 + 1)
            inner = slice(reach, len(said) - reach)
            np.testing.assert_array_equal(heard[at : at + len(said)][inner], said[inner])


def test_a_seam_goes_over_at_equal_power_and_no_longer_than_the_fade(library: Library, session: Session) -> None:
    one, two = record(library, session, 1), record(library, session, 2)
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 20_000), part(two, 20_000, 48_000))))
    left, right = on_timeline(library, one, "t1"), on_timeline(library, two, "t1")
    heard = on_timeline(library, made, "t1")
    begin, end = 20_000 - FADE // 2, 20_000 + FADE // 2
    np.testing.assert_array_equal(heard[:begin], left[:begin])
    np.testing.assert_array_equal(heard[end:], right[end:])
    angle = (np.arange(FADE) + 0.5) / FADE * np.pi / 2
    expected = left[begin:end] * np.cos(angle) + right[begin:end] * np.sin(angle)
    np.testing.assert_allclose(heard[begin:end], expected, atol=0.51)


def test_parts_that_run_on_in_one_take_are_a_plain_copy(library: Library, session: Session) -> None:
    take = record(library, session, 1)
    comp = Comp(parts=(part(take, 0, 10_000), part(take, 10_000, 30_000), part(take, 30_000, 48_000)))
    made, _ = make_comp(library, session.id, comp)
    np.testing.assert_array_equal(on_timeline(library, made, "t2"), on_timeline(library, take, "t2"))


def test_a_take_that_begins_at_the_seam_lets_the_one_before_fade_out_under_it(
    library: Library, session: Session
) -> None:
    one, two = record(library, session, 1), record(library, session, 2)
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 20_000), part(two, 0, 20_000))))
    heard = on_timeline(library, made, "t1")
    np.testing.assert_array_equal(heard[:20_000], on_timeline(library, one, "t1")[:20_000])
    np.testing.assert_array_equal(heard[20_000 + FADE : 39_000], on_timeline(library, two, "t1")[FADE:19_000])


def test_takes_that_end_and_begin_at_the_seam_are_put_side_by_side(library: Library, session: Session) -> None:
    one, two = record(library, session, 1), record(library, session, 2)
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 48_000), part(two, 0, 48_000))))
    both = np.concatenate([on_timeline(library, take, "t1") for take in (one, two)])
    np.testing.assert_array_equal(on_timeline(library, made, "t1"), both)


def test_two_loud_takes_are_held_at_full_scale(library: Library, session: Session) -> None:
    folder = []
    for seed in (1, 2):
        take = record(library, session, seed)
        path = library.take_path(session.id, take.number) / take.clips[0].file
        path.unlink()
        writer = WavWriter(path, rate_hz=RATE_HZ, sample_format="pcm24")
        writer.append(pack(np.full(48_000, (1 << 23) - 1)))
        writer.close()
        folder.append(take)
    comp = Comp(parts=(part(folder[0], 0, 20_000), part(folder[1], 20_000, 48_000)))
    heard = on_timeline(library, make_comp(library, session.id, comp)[0], "t1")
    assert (heard[1_000:47_000] == (1 << 23) - 1).all()


# ------------------------------------------------------------------ takes that are not alike


def test_a_track_that_one_take_lacks_is_silent_there_and_a_note_says_so(library: Library, session: Session) -> None:
    one = record(library, session, 1)
    two = record(library, session, 2, tracks=(KICK, VOICE))
    comp = Comp(parts=(part(one, 0, 20_000), part(two, 20_000, 40_000), part(one, 40_000, 48_000)))
    made, layout = make_comp(library, session.id, comp)
    assert [track.name for track in made.tracks] == ["Kick", "Snare", "Voice"]
    snare, voice = (on_timeline(library, made, track) for track in ("t2", "t3"))
    assert not snare[20_000 + FADE : 40_000 - FADE].any()
    assert snare[19_000:19_200].any()
    assert not voice[: 20_000 - FADE].any()
    np.testing.assert_array_equal(
        voice[20_000 + FADE : 39_000], on_timeline(library, two, "t3")[20_000 + FADE : 39_000]
    )
    assert [clip.start_samples > 19_000 for clip in made.clips] == [False, False, True]
    assert layout.notes == (
        "Snare is silent from 0:00.4 to 0:00.8: take 2 has no such track.",
        "Voice is silent from 0:00.0 to 0:00.4: take 1 has no such track.",
        "Voice is silent from 0:00.8 to 0:01.0: take 1 has no such track.",
    )


def test_markers_and_gaps_come_along_to_where_they_are_now(library: Library, session: Session) -> None:
    one, two = record(library, session, 1), record(library, session, 2, gap=(15_000, 25_000))
    lost = Gap(at_samples=15_000, frames=10_000, cause="device_lost")
    marks = (Marker(at_samples=12_000, name="Chorus"), Marker(at_samples=40_000, name="End"))
    library.save_take(msgspec.structs.replace(two, gaps=(lost,), markers=marks))
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 5_000), part(two, 10_000, 30_000))))
    assert made.markers == (Marker(at_samples=7_000, name="Chorus"),)
    assert [(gap.at_samples, gap.frames) for gap in made.gaps] == [(10_000, 10_000)]
    heard = on_timeline(library, made, "t1")
    assert not heard[10_000:20_000].any()
    np.testing.assert_array_equal(heard[20_000:24_000], on_timeline(library, two, "t1")[25_000:29_000])


def test_overdubs_of_one_take_are_cut_and_the_take_under_them_is_not(library: Library, session: Session) -> None:
    band = record(library, session, 1)
    sung = [record(library, session, seed, tracks=(VOICE,), overdub_of=band.number) for seed in (2, 3)]
    made, _ = make_comp(library, session.id, Comp(parts=(part(sung[0], 9_000, 20_000), part(sung[1], 20_100, 48_000))))
    assert made.overdub_of == band.number
    assert [track.name for track in made.tracks] == ["Voice"]
    heard = on_timeline(library, made, "t3")
    assert made.clips[0].start_samples == 9_000
    np.testing.assert_array_equal(heard[10_000:19_000], on_timeline(library, sung[0], "t3")[10_000:19_000])
    np.testing.assert_array_equal(heard[21_000:], on_timeline(library, sung[1], "t3")[21_100:])


def test_an_overdub_beside_a_take_of_its_own_brings_what_is_under_it_along(library: Library, session: Session) -> None:
    band, other = record(library, session, 1), record(library, session, 2)
    sung = record(library, session, 3, tracks=(VOICE,), overdub_of=band.number)
    comp = Comp(parts=(part(band, 0, 10_000), part(sung, 10_000, 20_000), part(other, 20_000, 48_000)))
    made, _ = make_comp(library, session.id, comp)
    assert made.overdub_of is None
    np.testing.assert_array_equal(on_timeline(library, made, "t1")[:19_000], on_timeline(library, band, "t1")[:19_000])
    np.testing.assert_array_equal(
        on_timeline(library, made, "t3")[11_000:19_000], on_timeline(library, sung, "t3")[11_000:19_000]
    )


def test_what_is_partly_float_becomes_float_without_a_sample_changed(library: Library, session: Session) -> None:
    one, two = record(library, session, 1), record(library, session, 2, sample_format="float32")
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 20_000), part(two, 20_000, 48_000))))
    assert made.sample_format == "float32"
    heard = on_timeline(library, made, "t1")
    np.testing.assert_array_equal(heard[:19_000], on_timeline(library, one, "t1")[:19_000])
    np.testing.assert_array_equal(heard[21_000:], on_timeline(library, two, "t1")[21_000:])


# ------------------------------------------------------------------ what it is made of


def test_a_comp_is_a_take_like_any_with_its_recipe_and_its_takes_untouched(library: Library, session: Session) -> None:
    takes = [record(library, session, seed) for seed in (1, 2)]
    before = {path: sha256_file(path) for path in library.session_path(session.id).rglob("*") if path.is_file()}
    comp = Comp(parts=(part(takes[0], 0, 20_000), part(takes[1], 20_000, 48_000)), fade_ms=10.0)
    made, _ = make_comp(library, session.id, comp, name="Best")
    assert {path: sha256_file(path) for path in before} == before
    assert library.take(session.id, 3) == made
    assert (made.number, made.origin, made.status, made.name, made.frames) == (3, "comp", "complete", "Best", 48_000)
    assert made.comp is not None
    assert [(one.take, one.start_samples) for one in made.comp.parts] == [(1, 0), (2, 20_000)]
    assert check_library(library) == []
    again, _ = make_comp(library, session.id, made.comp)
    assert again.number == 4
    for first, second in zip(made.clips, again.clips, strict=True):
        one, two = (
            samples(library.take_path(session.id, take) / clip.file) for take, clip in ((3, first), (4, second))
        )
        np.testing.assert_array_equal(one, two)


def test_a_recipe_follows_its_takes_when_their_numbers_change(library: Library, session: Session) -> None:
    one, two = record(library, session, 1), record(library, session, 2)
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 20_000), part(two, 20_000, 48_000))))
    assert made.comp is not None
    library.mark_false(session.id, 2)
    record(library, session, 9)
    library.mark_false(session.id, 1)
    layout = lay_out(made.comp, library.takes(session.id))
    assert [(one.take, one.false_number) for one in layout.parts] == [(1, 1), (2, 1)]


def test_a_take_that_is_gone_is_named(library: Library, session: Session) -> None:
    one, two = record(library, session, 1), record(library, session, 2)
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 20_000), part(two, 20_000, 48_000))))
    library.trash_take(session.id, 2)
    assert made.comp is not None
    with pytest.raises(LibraryError, match="needs take 2, which this session no longer has") as caught:
        make_comp(library, session.id, made.comp)
    assert caught.value.code == "not_found"


def test_what_cannot_be_put_together_is_refused_in_a_sentence(library: Library, session: Session) -> None:
    one, slow = record(library, session, 1), record(library, session, 2, rate_hz=44_100)
    for comp, said in (
        (Comp(), "no parts yet"),
        (Comp(parts=(part(one, 0, 9_000), part(slow, 0, 9_000))), "48000 Hz and take 2 at 44100 Hz"),
        (Comp(parts=(part(one, 9_000, 9_000),)), "no stretch from 0:00.2 to 0:00.2"),
        (Comp(parts=(part(one, 0, 48_001),)), "it is 0:01.0 long"),
        (Comp(parts=(part(one, 0, 9_000),), fade_ms=200.0), "within 0 to 100 ms"),
    ):
        with pytest.raises(LibraryError, match=said):
            make_comp(library, session.id, comp)
    assert [take.number for take in library.takes(session.id)] == [1, 2]


# ------------------------------------------------------------------ nothing half


def left_over(library: Library) -> list[str]:
    return [path.name for path in library.root.iterdir() if path.name.startswith(".")]


def test_a_cancelled_comp_leaves_nothing(library: Library, session: Session) -> None:
    one = record(library, session, 1)
    with pytest.raises(LibraryError, match="cancelled"):
        make_comp(library, session.id, Comp(parts=(part(one, 0, 48_000),)), progress=lambda *_: False)
    assert left_over(library) == []
    assert [take.number for take in library.takes(session.id)] == [1]


def test_a_take_that_ends_too_early_is_named_and_nothing_is_made(library: Library, session: Session) -> None:
    one = record(library, session, 1)
    long = msgspec.structs.replace(
        one, frames=50_000, clips=tuple(msgspec.structs.replace(clip, frames=50_000) for clip in one.clips)
    )
    library.save_take(long)
    with pytest.raises(LibraryError, match=r"'01 Kick.wav' can't be read \(it ends too early\)"):
        make_comp(library, session.id, Comp(parts=(part(long, 0, 50_000),)))
    assert left_over(library) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from sessions.model import Comp, CompPart
from sessions.splicing import make_comp
from sessions.store import Library

def progress(fraction, doing):
    if fraction > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
    return True

parts = (CompPart(take=1, start_samples=0, end_samples=48000),)
make_comp(Library(Path(sys.argv[1])), sys.argv[2], Comp(parts=parts), progress=progress)
"""


def test_a_killed_worker_leaves_no_take_and_the_next_one_clears_up(library: Library, session: Session) -> None:
    one = record(library, session, 1)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(library.root), session.id], cwd=Path(__file__).parents[2], timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert left_over(library) != []
    assert [path.name for path in (library.session_path(session.id) / "takes").iterdir()] == ["001"]
    made, _ = make_comp(library, session.id, Comp(parts=(part(one, 0, 48_000),)))
    assert (made.number, left_over(library)) == (2, [])


@pytest.mark.rig
def test_a_disk_that_fills_up_meanwhile_leaves_no_take(small_disk: Path) -> None:  # noqa: F811
    library = Library(small_disk / "library")
    session = library.create_session("Gig")
    one = record(library, session, 1, frames=15_000)
    comp = Comp(parts=(part(one, 0, 15_000),))

    def progress(_fraction: float, _doing: str) -> bool:
        fill_up(small_disk / "ballast")
        return True

    with pytest.raises(LibraryError, match="The disk became full") as caught:
        make_comp(library, session.id, comp, progress=progress)
    assert caught.value.code == "no_space"
    assert left_over(library) == []
    assert [take.number for take in library.takes(session.id)] == [1]


def test_the_comp_that_is_being_put_together_can_be_undone_to_nothing(library: Library, session: Session) -> None:
    assert library.load_comp(session.id) == Comp()
    first = Comp(parts=(CompPart(take=1, start_samples=0, end_samples=9),))
    second = Comp(parts=(*first.parts, CompPart(take=2, start_samples=9, end_samples=20)))
    library.save_comp(session.id, first)
    library.save_comp(session.id, second)
    assert library.step_comp(session.id, forward=False) == first
    assert library.step_comp(session.id, forward=False) == Comp()
    assert library.step_comp(session.id, forward=False) is None
    assert library.step_comp(session.id, forward=True) == first
    assert library.load_comp(session.id) == first
