"""Kept strips: the mix is the same with them as without them, whatever happens to their files."""

import os
import shutil
import subprocess
import sys

import msgspec
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.desk import stripcache, toned, wiring
from core.desk.render import render_mix
from core.desk.sources import file_sources
from core.desk.stripcache import StripCache
from core.errors import OtoError
from core.plans.document import Ride, RidePoint, Span
from tests.core.desk.test_render import BUSES, BUSY, plan_of, to_settings
from tests.core.desk.test_sources import noise

RATE_HZ = 48_000
ROOM = 100_000_000


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Three tracks, one of them stereo and one at another rate."""
    folder = tmp_path_factory.mktemp("songs")
    for seed, (name, channels, rate_hz) in enumerate((("Kick", 1, 48_000), ("Vocal", 1, 44_100), ("Keys", 2, 48_000))):
        soundfile.write(folder / f"{name}.wav", noise(channels, 14_000, seed).T, rate_hz, subtype="PCM_24")
    return [folder / f"{name}.wav" for name in ("Kick", "Vocal", "Keys")]


@pytest.fixture(autouse=True)
def disk_with_room(monkeypatch):
    """The machine that tests run on may have little; short tails make quick tests."""
    monkeypatch.setattr(toned, "TAIL_S", 0.2)
    monkeypatch.setattr(stripcache, "LEAST_FREE_BYTES", 0)
    monkeypatch.setattr(stripcache, "LEAST_FREE_SHARE", 0.0)


def rendered(plan, songs, out, cache=None, **more) -> bytes:
    return render_mix(plan, file_sources(songs), out, cache=cache, **more).out.read_bytes()


def files(folder):
    return sorted(folder.glob("*.strip"))


def with_values(plan, track, **values):
    strips = tuple(
        msgspec.structs.replace(strip, settings={**strip.settings, **to_settings(**values)})
        if strip.track == track
        else strip
        for strip in plan.strips
    )
    return msgspec.structs.replace(plan, strips=strips)


PLAN = plan_of(BUSY, BUSES)
STRIPS, RETURNS = 3, 2
"""What is kept of it: Vocal feeds the plate, Keys the room and a delay, which is rendered as fast as read."""
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["Kick", "Vocal", "Keys"]),
        st.one_of(
            st.fixed_dictionaries({"fader_db": st.floats(-30.0, 6.0)}),
            st.fixed_dictionaries({"pan": st.floats(-1.0, 1.0), "width": st.floats(0.0, 2.0)}),
            st.fixed_dictionaries({"mute": st.booleans()}),
            st.fixed_dictionaries({"send_plate_db": st.floats(-60.0, 0.0)}),
            st.fixed_dictionaries({"eq2_gain_db": st.floats(-6.0, 6.0)}),
            st.fixed_dictionaries({"comp_ratio": st.floats(1.0, 6.0)}),
            st.fixed_dictionaries({"bus": st.sampled_from(["drums", "music", "vocals", "master"])}),
        ),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, block_frames=st.sampled_from([12_000, 131_072]))
def test_whatever_is_changed_a_mix_is_the_same_to_the_bit_with_and_without_what_was_kept(
    songs, tmp_path, changes, block_frames
):
    cache = StripCache(tmp_path / "strips", ROOM)
    plan = PLAN
    for track, values in changes:
        plan = with_values(plan, track, **values)
        kept = rendered(plan, songs, tmp_path / "kept.wav", cache, block_frames=block_frames)
        assert kept == rendered(plan, songs, tmp_path / "fresh.wav", block_frames=block_frames)


def no_rendering(*_):
    raise AssertionError("it was rendered again")


def test_faders_pans_sends_rides_buses_and_effects_render_no_strip_again(songs, tmp_path, monkeypatch):
    cache = StripCache(tmp_path / "strips", ROOM)
    rendered(PLAN, songs, tmp_path / "mix.wav", cache)
    plan = with_values(PLAN, "Vocal", fader_db=-7.0, pan=0.3, send_plate_db=-3.0, send_delay_db=-12.0, bus="music")
    ride = Ride(points=(RidePoint(at_s=0.0, gain_db=0.0), RidePoint(at_s=0.2, gain_db=-6.0)))
    plan = msgspec.structs.replace(
        plan,
        strips=tuple(msgspec.structs.replace(strip, ride=ride) for strip in plan.strips),
        buses=plan_of({}, {**BUSES, "plate": {"decay_s": 1.9}}).buses,
    )
    fresh = rendered(plan, songs, tmp_path / "fresh.wav")
    monkeypatch.setattr("core.desk.toned.Toned.read", no_rendering)
    assert rendered(plan, songs, tmp_path / "mix.wav", cache) == fresh


def test_a_return_is_rendered_again_when_what_feeds_it_has_changed(songs, tmp_path, monkeypatch):
    cache = StripCache(tmp_path / "strips", ROOM)
    rendered(PLAN, songs, tmp_path / "mix.wav", cache)
    plan = with_values(PLAN, "Kick", fader_db=-7.0, pan=0.3, eq2_gain_db=1.0, bus="music")
    plan = with_values(plan, "Vocal", bus="music")
    plan = with_values(plan, "Keys", send_delay_db=-12.0)
    fresh = rendered(plan, songs, tmp_path / "fresh.wav")
    fed = rendered(with_values(plan, "Keys", fader_db=-3.0), songs, tmp_path / "fresh.wav")
    before = len(files(tmp_path / "strips"))
    with monkeypatch.context() as patched:
        patched.setattr("core.dsp.reverb.Reverb.process", no_rendering)
        assert rendered(plan, songs, tmp_path / "mix.wav", cache) == fresh
    assert len(files(tmp_path / "strips")) == before + 1
    assert rendered(with_values(plan, "Keys", fader_db=-3.0), songs, tmp_path / "mix.wav", cache) == fed
    assert len(files(tmp_path / "strips")) == before + 2


def test_stems_hold_a_return_that_was_kept(songs, tmp_path):
    cache = StripCache(tmp_path / "strips", ROOM)
    for folder in ("first", "again"):
        rendered(PLAN, songs, tmp_path / folder / "mix.wav", cache, stems=tmp_path / folder)
    first, again = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("first", "again")
    )
    assert first == again


def test_only_the_strip_whose_tone_changed_is_rendered_again(songs, tmp_path):
    folder = tmp_path / "strips"
    cache = StripCache(folder, ROOM)
    rendered(PLAN, songs, tmp_path / "mix.wav", cache)
    before = files(folder)
    assert len(before) == STRIPS + RETURNS
    rendered(with_values(PLAN, "Kick", eq3_gain_db=2.0), songs, tmp_path / "mix.wav", cache)
    assert len(set(files(folder)) - set(before)) == 1


@pytest.mark.parametrize("change", ["file", "span", "desk"])
def test_what_a_strip_is_made_of_is_in_its_name(songs, tmp_path, monkeypatch, change):
    own = [shutil.copy(song, tmp_path) and tmp_path / song.name for song in songs]
    folder, plan = tmp_path / "strips", PLAN
    rendered(plan, own, tmp_path / "mix.wav", StripCache(folder, ROOM))
    if change == "file":
        soundfile.write(own[0], noise(1, 14_000, 77).T, RATE_HZ, subtype="PCM_24")
    elif change == "span":
        plan = msgspec.structs.replace(plan, span=Span(start_s=0.01, end_s=0.25))
    else:
        monkeypatch.setattr(wiring, "desk_version", lambda: "another")
    before = files(folder)
    kept = rendered(plan, own, tmp_path / "mix.wav", StripCache(folder, ROOM))
    assert len(set(files(folder)) - set(before)) == (1 if change == "file" else STRIPS + RETURNS)
    assert kept == rendered(plan, own, tmp_path / "fresh.wav")


def spoilt_in_the_middle(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def zeroed_at_the_end(path):
    size = path.stat().st_size
    os.truncate(path, size // 3)
    os.truncate(path, size)


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [spoilt_in_the_middle, zeroed_at_the_end, cut])
def test_a_spoilt_file_is_not_heard_and_made_anew(songs, tmp_path, damage):
    folder = tmp_path / "strips"
    cache = StripCache(folder, ROOM)
    fresh = rendered(PLAN, songs, tmp_path / "mix.wav", cache, block_frames=4_000)
    whole = {path: path.read_bytes() for path in files(folder)}
    for path in whole:
        damage(path)
    for _ in range(2):
        assert rendered(PLAN, songs, tmp_path / "mix.wav", cache, block_frames=4_000) == fresh
    rendered(PLAN, songs, tmp_path / "mix.wav", cache, block_frames=4_000)
    assert {path: path.read_bytes() for path in files(folder)} == whole


def test_a_cancelled_mix_leaves_no_half_of_a_strip(songs, tmp_path):
    folder = tmp_path / "strips"
    said = iter([True, False])
    with pytest.raises(OtoError):
        rendered(
            PLAN,
            songs,
            tmp_path / "mix.wav",
            StripCache(folder, ROOM),
            block_frames=4_000,
            progress=lambda *_: next(said),
        )
    assert list(folder.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from core.desk.render import render_mix
from core.desk import stripcache, toned
from core.desk.sources import file_sources
from tests.core.desk.test_stripcache import PLAN
stripcache.LEAST_FREE_BYTES = stripcache.LEAST_FREE_SHARE = 0
toned.TAIL_S = 0.2
folder, out, *songs = map(Path, sys.argv[1:])
render_mix(PLAN, file_sources(songs), out, cache=stripcache.StripCache(folder, 10**8), block_frames=4_000,
           progress=lambda done, _: done < 0.5 or os._exit(9))
"""


def test_what_a_killed_worker_left_is_never_used_and_swept_away(songs, tmp_path):
    folder = tmp_path / "strips"
    command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "killed.wav"), *map(str, songs)]
    assert subprocess.run(command, timeout=120, check=False).returncode == 9
    assert len(list(folder.iterdir())) == STRIPS + RETURNS
    assert files(folder) == []
    kept = rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(folder, ROOM))
    assert kept == rendered(PLAN, songs, tmp_path / "fresh.wav")
    assert sorted(folder.iterdir()) == files(folder)


def test_the_folder_keeps_to_its_size_and_the_oldest_makes_room(songs, tmp_path):
    folder = tmp_path / "strips"
    rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(folder, ROOM))
    sizes = {path: path.stat().st_size for path in files(folder)}
    limit = sum(sizes.values())
    for n, path in enumerate(sizes):
        os.utime(path, (n, n))
    other = with_values(PLAN, "Kick", eq3_gain_db=2.0)
    rendered(with_values(other, "Keys", mute=True), songs, tmp_path / "mix.wav", StripCache(folder, limit))
    now = set(files(folder))
    assert sum(path.stat().st_size for path in now) <= limit
    assert now - set(sizes)


def test_a_mix_that_is_larger_than_the_cache_keeps_what_fits_and_keeps_keeping_it(songs, tmp_path):
    folder = tmp_path / "strips"
    one = 4 * (14_000 + round(0.2 * RATE_HZ)) + 64
    for _ in range(3):
        rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(folder, one))
        (only,) = files(folder)
        inode = only.stat().st_ino
    rendered(with_values(PLAN, "Vocal", fader_db=-3.0), songs, tmp_path / "mix.wav", StripCache(folder, one))
    assert [path.stat().st_ino for path in files(folder)] == [inode]


def test_without_a_size_nothing_is_kept_and_what_was_there_goes(songs, tmp_path):
    folder = tmp_path / "strips"
    rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(folder, ROOM))
    assert files(folder)
    rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(folder, 0))
    assert files(folder) == []


def test_what_a_recording_needs_of_the_disk_is_left_free(songs, tmp_path, monkeypatch):
    monkeypatch.setattr(stripcache, "LEAST_FREE_BYTES", shutil.disk_usage(tmp_path).total + 1)
    folder = tmp_path / "strips"
    kept = rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(folder, ROOM))
    assert list(folder.iterdir()) == []
    assert kept == rendered(PLAN, songs, tmp_path / "fresh.wav")


def test_a_folder_that_cannot_be_written_is_no_error(songs, tmp_path):
    (tmp_path / "file").write_text("no folder")
    kept = rendered(PLAN, songs, tmp_path / "mix.wav", StripCache(tmp_path / "file" / "strips", ROOM))
    assert kept == rendered(PLAN, songs, tmp_path / "fresh.wav")


def test_a_strip_that_costs_nothing_is_not_kept(songs, tmp_path):
    folder = tmp_path / "strips"
    plan = plan_of({"Kick": {"trim_db": 3.0, "fader_db": -2.0}, "Keys": {}})
    rendered(plan, [songs[0], songs[2]], tmp_path / "mix.wav", StripCache(folder, ROOM))
    assert files(folder) == []


def test_one_track_that_is_there_twice_is_kept_once(songs, tmp_path):
    folder = tmp_path / "strips"
    plan = plan_of({"Kick": {"eq2_gain_db": 4.0}, "Kick 2": {"eq2_gain_db": 4.0, "pan": 0.5}})
    twice = [songs[0], songs[0]]
    names = [source.name for source in file_sources(twice)]
    plan = msgspec.structs.replace(
        plan, strips=tuple(msgspec.structs.replace(s, track=n) for s, n in zip(plan.strips, names, strict=True))
    )
    kept = {rendered(plan, twice, tmp_path / "mix.wav", StripCache(folder, ROOM)) for _ in range(2)}
    assert kept == {rendered(plan, twice, tmp_path / "fresh.wav")}
    assert len(files(folder)) == 1
