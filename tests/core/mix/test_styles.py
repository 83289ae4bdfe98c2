"""A style is heard: what its name says is measured in the rendered mix."""

import numpy as np
import pytest
import soundfile

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import SpectrumMeter
from core.analysis.track import analyse_source
from core.desk.render import render_mix
from core.mix.engineer import propose_mix
from core.mix.presets import STYLES
from tests.core.analysis.sounds import RATE_HZ
from tests.core.mix.band import bass, guitar, kick, singer, snare, track

HZ = np.array(BAND_HZ)


def features(path, snare_path, returns):
    audio, _ = soundfile.read(path, dtype="float32", always_2d=True)
    meter = SpectrumMeter(RATE_HZ, 2)
    meter.add(np.ascontiguousarray(audio.T))
    spectrum = meter.result()
    power = 10.0 ** (spectrum.levels_db() / 10.0)
    stroke, _ = soundfile.read(snare_path, dtype="float32", always_2d=True)

    def share_db(low_hz, high_hz):
        return 10.0 * np.log10(power[(low_hz <= HZ) & (high_hz >= HZ)].sum())

    def energy(file):
        return float(np.square(soundfile.read(file, dtype="float32")[0]).sum())

    step = RATE_HZ // 100
    strokes = np.square(stroke[: len(stroke) // step * step]).sum(axis=1).reshape(-1, step).sum(axis=1)
    return {
        "body": share_db(60, 300) - share_db(2_000, 16_000),
        "top": share_db(5_000, 16_000),
        "width": spectrum.side_db(100, 16_000),
        "wet": 10.0 * np.log10(sum(map(energy, returns)) / energy(path)),
        # Two 10 ms steps of every stroke against all of it.
        "stick": 10.0 * np.log10(np.sort(strokes)[-16:].sum() / strokes.sum()),
        "drums": 10.0 * np.log10(np.square(stroke).sum() / np.square(audio).sum()),
    }


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    takes = [guitar(seed=4), guitar(seed=5)]
    sources = [
        track("Kick", kick()),
        track("Snare", snare()),
        track("Bass", bass()),
        track("Gtr 1", takes[0]),
        track("Gtr 2", takes[1]),
        track("Lead Vox", singer()),
    ]
    analyses = {source.name: analyse_source(source) for source in sources}
    found = {}
    for style in STYLES:
        out = tmp_path_factory.mktemp(style)
        plan = propose_mix(sources, analyses=analyses, style=style)
        result = render_mix(plan, sources, out / "mix.wav", stems=out / "stems")
        found[style] = features(result.out, result.stems["Snare"], result.returns.values())
    return found


@pytest.mark.parametrize(
    ("style", "feature", "sign"),
    [
        ("punchy", "drums", 1),
        ("punchy", "stick", 1),
        ("punchy", "wet", -1),
        ("warm", "body", 1),
        ("warm", "top", -1),
        ("big", "width", 1),
        ("big", "wet", 1),
        ("vintage", "width", -1),
        ("vintage", "top", -1),
        ("vintage", "stick", -1),
    ],
)
def test_a_style_moves_what_its_name_says(heard, style, feature, sign):
    assert sign * (heard[style][feature] - heard["natural"][feature]) > 0.2, heard


def test_no_two_styles_sound_alike(heard):
    for at, one in enumerate(STYLES):
        for other in STYLES[at + 1 :]:
            assert max(abs(heard[one][name] - heard[other][name]) for name in heard[one]) > 1.0, (one, other)
