"""A folder of files as an interface."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.base import StreamRequest, open_stream
from devices.errors import DeviceError
from devices.simulated import render
from devices.simulated.folder import READ_AHEAD_FRAMES
from devices.simulated.stream import LOOP_FRAMES
from tests.rig import signals

RATE = 48_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three files: mono, stereo and shorter, mono in 24-bit FLAC; and what is no audio."""
    folder = tmp_path_factory.mktemp("stage")
    signals.write_noise(folder / "2 Overheads.wav", channels=2, seconds=0.5, seed=2)
    signals.write_noise(folder / "1 Kick.wav", channels=1, seconds=1.0, seed=1)
    deep = np.random.default_rng(9).integers(-(2**23), 2**23, RATE, np.int32) << 8
    soundfile.write(folder / "10 Keys.flac", deep, RATE, subtype="PCM_24")
    (folder / "notes.txt").write_text("tuning down half a step")
    (folder / ".hidden.wav").write_text("")
    return folder


@pytest.fixture(scope="module")
def song(folder):
    kick, _ = soundfile.read(folder / "1 Kick.wav", dtype="float32", always_2d=True)
    overheads, _ = soundfile.read(folder / "2 Overheads.wav", dtype="float32", always_2d=True)
    keys, _ = soundfile.read(folder / "10 Keys.flac", dtype="float32", always_2d=True)
    overheads = np.concatenate([overheads, np.zeros((len(kick) - len(overheads), 2), np.float32)])
    return np.hstack([kick, overheads, keys])


def read_all(stream, sizes):
    return np.concatenate([stream.read(size).audio for size in sizes])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 3 * READ_AHEAD_FRAMES), min_size=1, max_size=8), st.integers(1, 4))
def test_the_files_samples_come_in_the_order_of_their_names_over_and_over(folder, song, sizes, inputs):
    with closing(open_stream(f"sim:fast:{folder}", StreamRequest(RATE, inputs))) as stream:
        heard = read_all(stream, sizes)
    endless = np.tile(song, (len(heard) // len(song) + 1, 1))
    np.testing.assert_array_equal(heard, endless[: len(heard), :inputs])


def test_played_once_it_ends_in_silence(folder, song):
    with closing(open_stream(f"sim:fast:once:{folder}", StreamRequest(RATE, 4))) as stream:
        heard = read_all(stream, [RATE, RATE])
    np.testing.assert_array_equal(heard[: len(song)], song)
    assert not heard[len(song) :].any()


def test_real_time_is_not_ahead_of_the_clock(folder):
    started = time.monotonic()
    with closing(open_stream(f"sim:{folder}", StreamRequest(RATE, 1))) as stream:
        read_all(stream, [2_400] * 10)
    assert time.monotonic() - started >= 0.5


@settings(max_examples=15, deadline=None)
@given(st.integers(64, 4_096), st.integers(3, 40))
def test_a_cable_brings_back_what_was_played_after_a_fixed_time(folder, block_frames, blocks):
    request = StreamRequest(RATE, 3, outputs=2, block_frames=block_frames)
    signal = np.random.default_rng(4).standard_normal((block_frames * blocks, 2)).astype(np.float32)
    with closing(open_stream(f"sim:fast:loop:{folder}", request)) as stream:
        heard = []
        for at in range(0, len(signal), block_frames):
            heard.append(stream.read(block_frames).audio)
            assert not stream.write(signal[at : at + block_frames])
        round_trip = stream.output_latency_frames + LOOP_FRAMES
    heard = np.concatenate(heard)[:, :2]
    assert not heard[:round_trip].any()
    np.testing.assert_array_equal(heard[round_trip:], signal[: max(len(heard) - round_trip, 0)])


@pytest.mark.parametrize(
    ("identity", "request_", "code", "says"),
    [
        ("sim:{folder}", StreamRequest(44_100, 1), "bad_input", "48000 Hz"),
        ("sim:{folder}", StreamRequest(RATE, 5), "bad_input", "4 inputs"),
        ("sim:{folder}", StreamRequest(RATE, 1, outputs=3), "bad_input", "2 outputs"),
        ("sim:{folder}/nowhere", StreamRequest(RATE, 1), "not_found", "nowhere"),
        ("sim:slow:{folder}", StreamRequest(RATE, 1), "not_found", "sim:slow"),
        ("simulation", StreamRequest(RATE, 1), "not_found", "simulation"),
    ],
)
def test_a_refusal_names_what_is_possible(folder, identity, request_, code, says):
    with pytest.raises(DeviceError) as caught:
        open_stream(identity.format(folder=folder), request_)
    assert caught.value.code == code
    assert says in caught.value.message


def test_a_file_that_is_no_audio_is_named(tmp_path):
    (tmp_path / "01 Kick.wav").write_bytes(b"RIFF but no more")
    with pytest.raises(DeviceError, match=r"01 Kick\.wav"):
        open_stream(f"sim:{tmp_path}", StreamRequest(RATE, 1))


class TestRendering:
    """The band is rendered once, by whoever needs it first."""

    BAND = (
        "import sys, time, pathlib; folder = pathlib.Path(sys.argv[1]); time.sleep(0.3); "
        "(folder / '01 Kick.wav').write_bytes(b'audio'); "
        "open(folder.parent / 'runs.txt', 'a').write('run ')"
    )

    def test_two_processes_that_need_it_at_once_share_one_rendering(self, tmp_path, monkeypatch):
        code = f"import sys; from devices.simulated.render import band_folder; \
print(band_folder(48000, command=[sys.executable, '-c', {self.BAND!r}]))"
        monkeypatch.setenv("OTO_HOME", str(tmp_path))
        both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
        folders = {process.communicate(timeout=60)[0].strip() for process in both}
        assert len(folders) == 1
        assert (tmp_path / "cache" / folders.pop() / "01 Kick.wav").read_bytes() == b"audio"
        assert (tmp_path / "cache/runs.txt").read_text() == "run "

    def test_a_rendering_that_fails_leaves_nothing_that_looks_like_one(self, tmp_path, monkeypatch):
        monkeypatch.setenv("OTO_HOME", str(tmp_path))
        fails = [sys.executable, "-c", self.BAND + "; sys.exit(1)"]
        with pytest.raises(DeviceError) as caught:
            render.band_folder(48_000, command=fails)
        assert caught.value.code == "device_lost"
        assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []

    def test_a_folder_that_a_killed_process_left_half_done_is_swept_away(self, tmp_path, monkeypatch):
        monkeypatch.setenv("OTO_HOME", str(tmp_path))
        (tmp_path / "cache/band-partial-dead").mkdir(parents=True)
        folder = render.band_folder(48_000, command=[sys.executable, "-c", self.BAND])
        assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == [folder.name]
