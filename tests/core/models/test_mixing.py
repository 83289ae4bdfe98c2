"""What the mix controller is shown, what it advises, and that its words agree with its numbers."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.track import TrackAnalysis, analyse_source
from core.mix.balance import level_lufs, targets_lu
from core.mix.engineer import propose_mix
from core.mix.ensemble import Player, find_companions
from core.mix.presets import STYLE
from core.models import mixing
from core.models.card import read_card
from core.models.mixing import FEATURES, GROUPS, MOST_TRACKS, Advice, Controller, Shown, vectors
from core.models.runtime import FILES, Unusable
from core.plans.document import MixPlan, Setting
from core.plans.roles import Role
from tests.core.mix.band import band, kick, track

changes = st.floats(-12.0, 12.0)
spreads = st.floats(0.1, 10.0)
few = settings(max_examples=50, deadline=None)


@pytest.fixture(scope="module")
def sources() -> Any:
    return band()


@pytest.fixture(scope="module")
def analyses(sources: Any) -> dict[str, TrackAnalysis]:
    return {source.name: analyse_source(source) for source in sources}


@pytest.fixture(scope="module")
def shown(analyses: dict[str, TrackAnalysis]) -> list[Shown]:
    roles: dict[str, Role] = {"Kick": "kick", "Snare": "snare", "Bass": "bass", "Vox": "lead_vocal"}
    players = [Player(name, roles.get(name, "other"), 1.0, "person", heard) for name, heard in analyses.items()]
    find_companions(players)
    return [
        Shown(one.heard, one.role, level_lufs(one.heard), at)
        for one, at in targets_lu(players, STYLE["natural"]).items()
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model that ships, with a card that lets it be used."""
    for suffix in ("onnx", "json"):
        shutil.copy(FILES / f"mixing.{suffix}", tmp_path)
    card = msgspec.structs.replace(read_card(tmp_path / "mixing.json"), in_use=True)
    (tmp_path / "mixing.json").write_bytes(msgspec.json.encode(card))
    return tmp_path


@pytest.fixture
def controller(folder: Path) -> Controller:
    found = mixing.controller(folder)
    assert isinstance(found, Controller), found.why
    return found


def knobs(plan: MixPlan, name: str) -> dict[str, Setting]:
    return next(strip.settings for strip in plan.strips if strip.track == name)


# ---------------------------------------------------------------- what it is shown


def test_every_track_is_as_many_numbers_as_the_network_takes_and_none_is_extreme(shown: list[Shown]) -> None:
    fed = vectors(shown)
    assert fed.shape == (len(shown), FEATURES)
    assert fed.dtype == np.float32
    assert np.isfinite(fed).all()
    assert np.abs(fed).max() <= 3.0


def test_the_gain_at_which_a_track_was_recorded_is_not_seen(shown: list[Shown]) -> None:
    louder = track("Kick", kick(-26.0))
    quiet, loud = (analyse_source(one) for one in (louder, track("Kick", kick(-6.0))))
    others = shown[1:]
    one, other = (
        vectors([Shown(heard, "kick", level_lufs(heard), shown[0].place_lu), *others]) for heard in (quiet, loud)
    )
    assert np.allclose(one, other, atol=0.02)


def test_the_order_of_tracks_only_moves_their_rows(shown: list[Shown]) -> None:
    assert np.allclose(vectors(shown[::-1]), vectors(shown)[::-1], atol=1e-5)


def test_every_column_belongs_to_one_group_that_a_reason_can_name() -> None:
    columns = [column for group in GROUPS.values() for column in group]
    assert sorted(columns) == list(range(FEATURES))


def test_a_track_under_a_louder_one_of_its_register_is_hidden_and_the_louder_one_is_not(shown: list[Shown]) -> None:
    below = replace(shown[0], place_lu=shown[0].place_lu - 12.0)
    louder, softer = mixing.hidden([shown[0], below])[:, 0]
    assert softer > 0.9 > 0.6 > louder
    assert mixing.hidden(shown[:1])[0, 0] == pytest.approx(0.0, abs=1e-6)


# ---------------------------------------------------------------- what it advises


@few
@given(heard=changes, spread=spreads, even=spreads)
def test_advice_never_goes_further_than_what_was_heard_and_less_far_the_more_doubt_there_is(
    heard: float, spread: float, even: float
) -> None:
    advice = Advice(heard, spread, even, ())
    doubtful = Advice(heard, 1.5 * spread, even, ())
    assert abs(doubtful.change_lu) <= abs(advice.change_lu) <= abs(heard)
    assert advice.change_lu * heard >= 0.0


@few
@given(heard=changes, spread=spreads, even=spreads)
def test_the_blend_with_the_rules_is_smooth(heard: float, spread: float, even: float) -> None:
    steps = [Advice(heard, spread * (1.0 + 0.01 * at), even, ()).change_lu for at in range(100)]
    assert max(abs(np.diff(steps)), default=0.0) <= 0.011 * abs(heard) + 1e-12


@few
@given(heard=st.floats(0.2, 12.0), spread=spreads, even=spreads)
def test_confidence_is_how_often_the_change_brings_a_track_nearer(heard: float, spread: float, even: float) -> None:
    advice = Advice(heard, spread, even, ())
    author = np.random.default_rng(2).laplace(heard, spread, 20_000)
    nearer = np.abs(author - advice.change_lu) < np.abs(author)
    assert nearer.mean() == pytest.approx(advice.confidence, abs=0.015)


def test_tracks_in_another_order_get_the_same_advice(controller: Controller, shown: list[Shown]) -> None:
    said = [one.heard_lu for one in controller.advise(shown)]
    turned = [one.heard_lu for one in controller.advise(shown[::-1])]
    assert np.allclose(turned[::-1], said, atol=0.05)
    assert sum(said) == pytest.approx(0.0, abs=1e-6)


def test_nothing_is_said_of_a_single_track_or_of_more_than_it_learned_with(
    controller: Controller, shown: list[Shown]
) -> None:
    assert controller.advise(shown[:1]) == []
    assert controller.advise((shown * MOST_TRACKS)[: MOST_TRACKS + 1]) == []
    assert len(controller.advise((shown * MOST_TRACKS)[:MOST_TRACKS])) == MOST_TRACKS


def test_causes_are_what_is_lost_without_them_the_largest_first(folder: Path, shown: list[Shown]) -> None:
    controller = mixing.controller(folder)
    assert isinstance(controller, Controller)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / "mixing.onnx"), providers=["CPUExecutionProvider"])

    def places(fed: np.ndarray) -> np.ndarray:
        change = session.run(["change_lu"], {"tracks": fed[None]})[0][0]
        return np.asarray(change - change.mean())

    fed = vectors(shown)
    for at, advice in enumerate(controller.advise(shown)):
        lost = {}
        for group, columns in GROUPS.items():
            without = fed.copy()
            without[:, columns] = 0.0
            lost[group] = float((places(fed) - places(without))[at])
        named = [group for group, _, _ in advice.because]
        assert named == sorted(lost, key=lambda group: -abs(lost[group]))[: len(named)]
        for group, moved, _ in advice.because:
            assert moved == pytest.approx(lost[group], abs=0.02)


def test_a_reason_says_the_numbers_that_decided(controller: Controller, shown: list[Shown]) -> None:
    for advice in controller.advise(shown):
        found = re.search(
            r"would have it ([\d.]+) LU (louder|softer), ([\d.]+) more or less, so ([\d.]+) LU", advice.why
        )
        assert found
        heard, way, spread, done = found.groups()
        assert float(heard) == pytest.approx(abs(advice.heard_lu), abs=0.051)
        assert (way == "louder") == (advice.heard_lu >= 0.0)
        assert float(spread) == pytest.approx(advice.spread_lu, abs=0.051)
        assert float(done) == pytest.approx(abs(advice.change_lu), abs=0.051)
        for _, moved, words in advice.because:
            assert f"{words} ({moved:+.1f} LU)" in advice.why


# ---------------------------------------------------------------- in a mix


def test_the_controller_moves_faders_by_what_it_advises_and_says_so(
    controller: Controller, sources: Any, analyses: dict[str, TrackAnalysis]
) -> None:
    ruled = propose_mix(sources, analyses=analyses)
    plan = propose_mix(sources, analyses=analyses, controller=controller)
    moved = [strip for strip in plan.strips if strip.settings["fader_db"].by == "model"]
    assert moved
    for strip in moved:
        fader = strip.settings["fader_db"]
        assert "The mix controller would have it" in fader.why
        assert fader.confidence is not None
        assert 0.5 <= fader.confidence < 1.0
    for strip, before in zip(plan.strips, ruled.strips, strict=True):
        assert strip.settings["trim_db"] == before.settings["trim_db"]
        assert strip.settings["pan"].by == "rules"


def test_a_fader_that_a_person_set_stays_and_so_does_a_locked_one(
    controller: Controller, sources: Any, analyses: dict[str, TrackAnalysis]
) -> None:
    first = propose_mix(sources, analyses=analyses, controller=controller)
    given_db, (one, other, *rest) = -7.5, first.strips
    mine = msgspec.structs.replace(one.settings["fader_db"], value=given_db, by="person")
    locked = msgspec.structs.replace(other.settings["fader_db"], locked=True)
    before = msgspec.structs.replace(
        first,
        strips=(
            msgspec.structs.replace(one, settings={**one.settings, "fader_db": mine}),
            msgspec.structs.replace(other, settings={**other.settings, "fader_db": locked}),
            *rest,
        ),
    )
    again = propose_mix(sources, analyses=analyses, controller=controller, previous=before)
    assert knobs(again, one.track)["fader_db"] == mine
    assert knobs(again, other.track)["fader_db"] == locked


def test_hands_scale_what_the_controller_proposes(
    controller: Controller, sources: Any, analyses: dict[str, TrackAnalysis]
) -> None:
    nothing = propose_mix(sources, analyses=analyses, controller=controller, hands=0.0)
    assert all(strip.settings["fader_db"].value == 0.0 for strip in nothing.strips if "fader_db" in strip.settings)

    def moved_db(hands: float) -> np.ndarray:
        """Each fader against the rules', the mean removed."""
        with_it, without = (
            [float(one.settings["fader_db"].value) for one in plan.strips]
            for plan in (
                propose_mix(sources, analyses=analyses, controller=controller, hands=hands),
                propose_mix(sources, analyses=analyses, hands=hands),
            )
        )
        moved = np.subtract(with_it, without)
        return np.asarray(moved - moved.mean())

    assert moved_db(0.5) == pytest.approx(0.5 * moved_db(1.0), abs=0.3)


def test_a_network_that_fails_leaves_the_rules_balance_and_tells_why(
    controller: Controller, sources: Any, analyses: dict[str, TrackAnalysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, "vectors", lambda tracks: np.zeros((len(tracks), FEATURES + 1), np.float32))
    plan = propose_mix(sources, analyses=analyses, controller=controller)
    assert plan.strips == propose_mix(sources, analyses=analyses).strips
    assert mixing.took_part(controller) == ()
    (note,) = mixing.missing(controller)
    assert "failed while it was asked" in note
    assert note.endswith("The rules found the balance.")


# ---------------------------------------------------------------- the file


def test_a_damaged_file_means_rules_and_a_note(folder: Path) -> None:
    (folder / "mixing.onnx").write_bytes((folder / "mixing.onnx").read_bytes()[:-1])
    found = mixing.controller(folder)
    assert isinstance(found, Unusable)
    assert "another hash" in mixing.missing(found)[0]


def test_a_missing_file_means_rules_and_a_note(tmp_path: Path) -> None:
    found = mixing.controller(tmp_path)
    assert isinstance(found, Unusable)
    assert "mixing.json is missing" in mixing.missing(found)[0]


def test_a_model_that_its_card_keeps_out_of_use_is_no_news(folder: Path) -> None:
    card = msgspec.structs.replace(read_card(folder / "mixing.json"), in_use=False)
    (folder / "mixing.json").write_bytes(msgspec.json.encode(card))
    assert mixing.missing(mixing.controller(folder)) == ()


def test_it_is_in_use_only_if_it_beats_every_baseline() -> None:
    card = read_card(FILES / "mixing.json")
    baselines = {name for metric in card.metrics for name in metric.baselines}
    assert not card.in_use or set(card.beats()) == baselines >= {"unity sum", "equal loudness", "role medians", "rules"}
