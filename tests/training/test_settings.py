"""Learning the desk's settings: what is learned from says what it should, the stages learn, and the judge is fair."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="PyTorch is in the environment of training alone: ./oto test training")

from training.desk import filters  # noqa: E402
from training.desk.fit import Distance  # noqa: E402
from training.mix import groups, lessons, rehearsals, settings  # noqa: E402
from training.mix.lessons import EQ, KNOBS, SETTINGS, Lesson, to_places  # noqa: E402
from training.mix.network import Controller  # noqa: E402
from training.mix.rehearsals import FITTED_RATE_HZ  # noqa: E402

pytestmark = pytest.mark.training
RATE_HZ = 48_000


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lesson]:
    """A lesson of three stems of strokes."""
    root = tmp_path_factory.mktemp("training")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTO_TRAINING", str(root / "kept"))
        patch.setenv("OTO_SHARED_DATA", str(root / "data"))
        patch.setattr(rehearsals, "STEPS", 4)
        patch.setattr(lessons, "BENDINGS", 2)
        folder = root / "data" / "multitracks" / "train" / "song"
        folder.mkdir(parents=True)
        random = np.random.default_rng(1)
        time_s = np.arange(4 * RATE_HZ) / RATE_HZ
        stems = []
        for at, name in enumerate(("kick", "snare", "bass")):
            sound = 0.1 * random.standard_normal(time_s.size) * np.exp(-12 * ((time_s * (2 + at)) % 1)) * 0.5**at
            soundfile.write(folder / f"{at}_{name}.wav", np.stack([sound, (0.4 + 0.3 * at) * sound], axis=1), RATE_HZ)
            stems.append({"file": f"{at}_{name}.wav", "name": name, "rel_lu": -6.0 * at})
        (folder / "meta.json").write_text(json.dumps({"stems": stems}))
        assert "3 tracks" in rehearsals.rehearsal(folder, "train", 0)
        (rehearsed,) = rehearsals.rehearsals("train")
        assert "3 tracks" in lessons.keep(rehearsed, 0)
        assert lessons.keep(rehearsed, 0) == "song-0: there"
        assert lessons.lessons("validation") == []
        (made,) = lessons.lessons("train")
        yield made


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> settings.Finished:
    """Twenty finished songs of noise, their sides some 10 dB below the middle."""
    random = np.random.default_rng(2)
    file = tmp_path_factory.mktemp("portraits") / "portraits.npz"
    middle = random.normal(0.0, 3.0, (20, 3, 29)) + np.linspace(-8.0, 8.0, 29)
    side = middle - 10.0 + random.normal(0.0, 2.0, middle.shape)
    np.savez(file, split=np.array(["train"] * 20), middle_db=middle, side_db=side, dynamics=np.full((20, 3, 6), 12.0)
             + random.normal(0.0, 2.0, (20, 3, 6)))  # fmt: skip
    return settings.Finished(file)


def test_a_place_says_how_far_from_the_preset_a_knob_is_and_comes_back_as_the_knob(one: Lesson) -> None:
    centre, spread = np.array(one.centre), np.array(one.spread)
    places = torch.from_numpy(to_places(one.fitted, centre, spread))
    back = settings.values(places, one)
    for at, name in enumerate(SETTINGS):
        wanted = [strip[name] for strip in one.fitted]
        assert back[name][0].tolist() == pytest.approx(wanted, rel=1e-5, abs=1e-5)
        preset = float(settings.values(torch.zeros_like(places), one)[name][0, 0])
        assert preset == pytest.approx(np.clip(centre[0, at], KNOBS[name].low, KNOBS[name].high), abs=1e-6)


def test_how_far_stems_lie_from_the_middle_is_known_from_their_powers(one: Lesson) -> None:
    wanted = [abs(4.0 / np.pi * np.arctan(ratio) - 1.0) for ratio in (0.4, 0.7, 1.0)]
    assert one.pans == pytest.approx(wanted, abs=0.01)


def test_how_much_louder_an_equaliser_makes_noise_is_foretold_from_its_bands() -> None:
    gains = torch.tensor([4.0, -3.0, 2.0, 5.0, -4.0, 3.0])
    knobs = {f"eq{band}_{knob}": float(KNOBS[f"eq{band}_{knob}"].neutral) for band in range(1, 7)
             for knob in ("freq_hz", "q")}  # fmt: skip
    noise = torch.randn(1, 1, 20 * RATE_HZ, generator=torch.Generator().manual_seed(0))
    bent = filters.equalise(noise, RATE_HZ, **knobs, **dict(zip(EQ, gains.tolist(), strict=True)))
    # White noise has as much more in a band as the band is wider.
    bands_db = torch.linspace(0.0, 10.0 * np.log10(2.0) * 28 / 3, 29)
    heard = 10.0 * float(torch.log10(torch.square(bent).mean() / torch.square(noise).mean()))
    assert float(settings.louder_db(gains, bands_db)) == pytest.approx(heard, abs=0.7)


def test_a_mix_on_one_side_is_further_from_finished_songs_than_one_in_the_middle(finished: settings.Finished) -> None:
    noise = torch.randn(2, 3 * FITTED_RATE_HZ, generator=torch.Generator().manual_seed(1))
    wide = torch.stack([noise[0] + 0.3 * noise[1], noise[0] - 0.3 * noise[1]])
    assert float(finished.apart(wide * torch.tensor([[1.0], [0.1]]), FITTED_RATE_HZ)) > float(
        finished.apart(wide, FITTED_RATE_HZ)
    )
    assert float(finished.apart(4.0 * wide, FITTED_RATE_HZ)) == pytest.approx(
        float(finished.apart(wide, FITTED_RATE_HZ)), abs=1e-4
    )


def test_three_stages_come_nearer_to_the_fits_than_the_presets_are(one: Lesson, finished: settings.Finished) -> None:
    brighter = [{**strip, "eq6_gain_db": 9.0, "send_plate_db": -40.0} for strip in one.fitted]
    song = msgspec.structs.replace(one, fitted=brighter)
    untaught = Controller(values=len(SETTINGS))
    told: list[str] = []
    network = settings.train([song], finished, steps=(5, 60, 2), after=lambda stage, _: told.append(stage))
    before, after = (settings.errors(each, [song]) for each in (untaught, network))
    assert told == list(settings.STAGES)
    assert after["equaliser"] < before["equaliser"]
    assert after["send"] < 0.5 * before["send"]


def test_another_order_of_tracks_is_another_order_of_settings() -> None:
    network = Controller(values=len(SETTINGS)).eval()
    torch.nn.init.normal_(network.heads.weight)
    tracks = torch.randn(1, 5, network.first.in_features)
    turn = [3, 0, 4, 1, 2]
    for before, after in zip(network(tracks), network(tracks[:, turn]), strict=True):
        assert torch.allclose(before[:, turn], after, atol=1e-5)


def test_replacing_settings_by_the_same_ones_changes_nothing_and_by_others_no_track_s_loudness(one: Lesson) -> None:
    own, mix = (torch.from_numpy(each) for each in one.audio)
    every = groups.strips(one, Controller(values=len(SETTINGS)).eval())
    same = groups.replaced(every["fit"], every["fit"], tuple(lessons.GROUPS), own)
    distance = Distance(mix, FITTED_RATE_HZ)
    assert float(distance(groups.mix_of(own, same))) == pytest.approx(float(distance(groups.mix_of(own, every["fit"]))))
    bright = [{**strip, "eq6_gain_db": 12.0, "comp_threshold_db": -50.0} for strip in every["fit"]]
    moved = groups.replaced(every["fit"], bright, ("equaliser", "compressor"), own)
    dry = [[{**strip, "send_plate_db": -90.0} for strip in each] for each in (every["fit"], moved)]
    levels = [groups.levels_db(own, each) for each in dry]
    assert torch.allclose(*levels, atol=0.01)


def test_what_says_the_fit_itself_is_not_off_and_what_is_off_says_by_how_much(one: Lesson) -> None:
    network = Controller(values=len(SETTINGS)).eval()
    fit = groups.strips(one, network)["fit"]
    assert groups.off(one, fit, fit) == pytest.approx(dict.fromkeys(lessons.GROUPS, 0.0), abs=1e-9)
    wrong = [{**strip, "pan": 0.0, "send_plate_db": strip["send_plate_db"] - 3.0} for strip in fit]
    off = groups.off(one, fit, wrong)
    assert off["pan"] == pytest.approx(np.mean([abs(strip["pan"]) for strip in fit]))
    assert off["send"] == pytest.approx(3.0, abs=0.01)
    assert off["equaliser"] == pytest.approx(0.0, abs=1e-9)


def test_a_group_beats_the_rules_only_if_it_does_on_songs_and_not_by_chance() -> None:
    def judged(song: str, model: float) -> groups.Judged:
        each = {"presets": 1.0, "rules": 1.0, "model": model}
        return groups.Judged(song, {"pan": each}, {"pan": each}, 0.0, 0.5)

    assert groups.beats([judged(str(at), 0.8) for at in range(5)], "pan")
    assert not groups.beats([judged(str(at), 1.0 + (-1) ** at * 0.2) for at in range(5)], "pan")
    lots = groups.over_songs([judged("a", 0.0), judged("a", 0.0), judged("b", 0.0)], [0.0, 2.0, 5.0])
    assert lots.tolist() == [1.0, 5.0]
