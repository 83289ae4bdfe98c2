"""Songs that are none, or hardly: what the controller says of one track, of noise, of the same track thrice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis
from core.mix.balance import level_lufs, targets_lu
from core.mix.presets import STYLE
from core.models.mixing import Shown
from training.mix.examples import players
from training.mix.songs import Track, measured, songs

Audio = NDArray[np.float32]

RATE_HZ: Final = 48_000
SECONDS: Final = 8
_LEVELS: Final = ("sample_peak_dbfs", "rms_dbfs", "integrated_lufs", "active_lufs", "loud_lufs", "noise_floor_dbfs")


def shown_of(tracks: Sequence[Track], muted: Sequence[int] = ()) -> list[Shown]:
    """Tracks as the product shows them to the controller; what is silent or muted is not among them."""
    band = players(tracks, [True] * len(tracks))
    for at in muted:
        band[at].muted = True
    places = targets_lu(band, STYLE["natural"])
    return [Shown(one.heard, one.role, level_lufs(one.heard), place) for one, place in places.items()]


def as_recorded(track: Shown, gain_db: float) -> Shown:
    """The same track, recorded with another gain."""
    heard = track.heard
    changes: dict[str, object] = {
        name: value + gain_db for name in _LEVELS if (value := getattr(heard, name)) is not None
    }
    for name in ("loudness_curve", "peak_curve_dbfs"):
        changes[name] = tuple(value + gain_db for value in getattr(heard, name))
    levels = np.frombuffer(heard.ear_levels, np.uint8).astype(int)
    changes["ear_levels"] = np.clip(np.where(levels, levels + round(gain_db), 0), 0, 255).astype(np.uint8).tobytes()
    louder: TrackAnalysis = msgspec.structs.replace(heard, **changes)
    return Shown(louder, track.role, track.level_lufs + gain_db, track.place_lu, track.set_lu)


def made(
    *named: tuple[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]], rate_hz: int = RATE_HZ
) -> list[Track]:
    """Tracks from functions of time, each with its name."""
    time_s = np.arange(SECONDS * rate_hz) / rate_hz
    made = [measured(name, form(time_s)[None].astype(np.float32), rate_hz) for name, form in named]
    return [track for track in made if track is not None]


def _noise(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(3).standard_normal(time_s.size)


def _beat(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * 60 * time_s) * np.exp(-(time_s % 0.5) / 0.08)


def _tone(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.3 * np.sin(2 * np.pi * 440 * time_s) * (1 + 0.5 * np.sin(2 * np.pi * 0.7 * time_s))


def _words(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    pulses = np.sign(np.sin(2 * np.pi * 120 * time_s)) * (np.sin(2 * np.pi * 3.1 * time_s) > 0)
    return 0.2 * pulses * (np.sin(2 * np.pi * 0.4 * time_s) > -0.5)


def _click(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(time_s % 0.5 < 0.005, np.sin(2 * np.pi * 1_000 * time_s), 0.0)


BAND: Final = (("kick", _beat), ("keys", _tone), ("speech", _words))


def _song() -> list[Track]:
    return list(songs("validation", "multitrack")[0].tracks)


ODD: Final[dict[str, Callable[[], list[Shown]]]] = {
    "one track": lambda: shown_of(_song()[:1]),
    "two tracks": lambda: shown_of(_song()[:2]),
    "32 tracks of three songs": lambda: shown_of(
        [track for song in songs("validation", "multitrack") for track in song.tracks][:32]
    ),
    "noise on three tracks": lambda: shown_of(made(*((f"noise {at}", _noise) for at in range(3)))),
    "one mono track three times": lambda: shown_of([_song()[0]] * 3),
    "a click beside a band": lambda: shown_of(made(*BAND, ("click", _click))),
    "speech only": lambda: shown_of(made(("speech 1", _words), ("speech 2", _words))),
    "a band of tones at 44.1 kHz": lambda: shown_of(made(*BAND, rate_hz=44_100)),
    "at 48 kHz": lambda: shown_of(made(*BAND)),
    "at 96 kHz": lambda: shown_of(made(*BAND, rate_hz=96_000)),
    "a song with its first three tracks muted": lambda: shown_of(_song(), muted=range(3)),
}
"""A silent track is never shown: the rules set nothing on it."""
