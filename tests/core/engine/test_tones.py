"""Signals in the headphones: heard at the outputs, off unless wanted, never on a track that is not wired to them."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from core.engine.signals import signal_of
from core.engine.tones import NOTE_S, NOTES, PEAK, Tones, sound_of
from core.protocol.requests import EditSettings, Record, Stop
from core.protocol.topics import Losses, TransportTopic

RATE = 48_000


def transport(state, take=None, **more):
    return TransportTopic(state=state, take=take, **more)


@pytest.mark.parametrize(
    ("before", "now", "signal"),
    [
        (transport("idle"), transport("recording", 1), "started"),
        (transport("counting_in", 1), transport("recording", 1), "started"),
        (transport("recording", 1), transport("recording", 2), "started"),
        (transport("recording", 1), transport("idle"), "ended"),
        (transport("recording", 1), transport("recording", 1, losses=Losses(overflows=1)), "trouble"),
        (transport("recording", 1), transport("recording", 1, position_s=2.0), None),
        (transport("idle"), transport("playing", 1), None),
    ],
)
def test_what_is_worth_a_tone(before, now, signal):
    assert signal_of(before, now) == signal


@pytest.mark.parametrize("block", [64, 1_000, 100_000])
def test_a_tone_comes_out_whole_whatever_the_size_of_a_block(block):
    tones, heard = Tones(), []
    for signal in ("started", "trouble"):
        tones.play(sound_of(signal, RATE))
    for _ in range(-(-40_000 // block)):
        out = np.zeros((block, 2), dtype=np.float32)
        tones.add_to(out)
        heard.append(out)
    audio = np.concatenate(heard)
    wanted = np.concatenate([sound_of("started", RATE), sound_of("trouble", RATE)])
    assert np.array_equal(audio[: len(wanted), 0], wanted)
    assert not audio[len(wanted) :].any()


def test_every_tone_is_short_quiet_and_without_clicks():
    for signal in NOTES:
        sound = sound_of(signal, RATE)
        assert len(sound) < 0.5 * RATE
        assert np.abs(sound).max() <= PEAK
        assert np.abs(np.diff(sound)).max() < 0.02
        assert sound[0] == 0.0


def pitches(audio):
    """The frequencies of the stretches that are not silent, one for each note."""
    frames = round(NOTE_S * RATE)
    loud = np.abs(audio) > 1e-3
    starts, at = [], 0
    while at < len(audio) and loud[at:].any():
        at += int(np.argmax(loud[at:]))
        starts.append(at)
        at += frames + 500
    found = []
    for start in starts:
        spectrum = np.abs(
            np.fft.rfft(audio[start : start + frames] * np.hanning(len(audio[start : start + frames])), 1 << 17)
        )
        found.append(round(float(np.argmax(spectrum)) * RATE / (1 << 17)))
    return found


@pytest.fixture
def looped(start_engine, tmp_path):
    """Outputs 1 and 2 come back on inputs 1 and 2; input 3 is a microphone in a silent room."""
    stage = tmp_path / "silence"
    stage.mkdir()
    for name in ("01 L", "02 R", "03 Room"):
        soundfile.write(stage / f"{name}.wav", np.zeros(RATE), RATE, subtype="PCM_24")
    return start_engine(f"sim:loop:{stage}")


def tracks_of(engine):
    """Record one take, and another a moment later; the tracks of both."""
    for _ in range(2):
        engine.call(Record(preroll_s=0.0))
        engine.wait(lambda status: status.transport.position_s > 1.2, "a second of it")
        engine.call(Stop())
    status = engine.status()
    found = []
    for take in status.takes.takes:
        folder = engine.home / "library" / take.session / "takes" / f"{take.number:03d}"
        found.append([soundfile.read(folder / clip.file)[0] for clip in take.clips])
    return found


def test_a_take_that_starts_is_heard_at_the_outputs_and_only_there(looped):
    looped.call(EditSettings(changes={"tones": True}))
    for left, right, room in tracks_of(looped):
        heard = pitches(left)
        # The end of the take before may still be on its way round.
        assert [round(hz / 10) for hz in heard[-2:]] == [66, 88]
        assert np.array_equal(left, right)
        assert not room.any()


def test_unless_it_is_wanted_there_is_silence(looped):
    assert not any(track.any() for take in tracks_of(looped) for track in take)
