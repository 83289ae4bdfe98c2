"""`oto models` and the commands that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import Exit
from core.models import runtime

TOY = Path(__file__).parents[1] / "models" / "toy"


@pytest.fixture
def with_toy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    monkeypatch.setattr(runtime, "FILES", TOY)


def test_models_are_listed_with_what_they_are_worth_and_why_not(oto: Any, with_toy: None) -> None:
    listed = oto("models", "--json").json
    roles, mixing, mastering = listed["models"]
    assert (roles["name"], roles["version"], roles["usable"], roles["why"]) == ("roles", "0.0.1", True, None)
    assert roles["beats"] == ["largest class"]
    assert (mastering["usable"], mastering["bytes"]) == (False, None)
    assert "mastering.json is missing" in mastering["why"]
    assert "mixing.json is missing" in mixing["why"]
    assert listed["onnxruntime"]
    text = oto("models").out
    assert roles["sha256"][:12] in text
    assert mastering["why"] in text


def test_a_card_is_shown_with_its_licences_limits_and_figures(oto: Any, with_toy: None) -> None:
    shown = oto("models", "show", "roles", "--json").json
    assert shown["fault"] is None
    text = oto("models", "show", "roles").out
    for said in (shown["card"]["sha256"], *shown["card"]["limits"], "none needed", "0.1 to 0.3", "largest class 0.1"):
        assert said in text


def test_a_model_that_is_not_there_has_no_card(oto: Any, with_toy: None) -> None:
    assert oto("models", "show", "mastering").code == Exit.NOT_FOUND
    assert oto("models", "show", "magic").code == Exit.NOT_FOUND
    assert oto("models", "show").code == Exit.NOT_FOUND


def test_who_told_a_role_is_told(oto: Any, stage: Path, with_toy: None) -> None:
    audio = stage / "3 Bass.wav"
    audio = audio.rename(audio.with_name("Audio 7.wav"))
    (track,) = oto("analyse", audio, "--json").json["tracks"]
    assert track["by"] == "model"
    assert track["why"].startswith("Sounds like ")
    assert f"{track['confidence']:.0%}  model" in oto("analyse", audio).out


def test_a_mix_by_rules_names_rules_alone(oto: Any, stage: Path, with_toy: None) -> None:
    bass = stage / "3 Bass.wav"
    by_rules = oto("mix", bass, "--engineer", "rules", "--json").json
    assert '"engineer": "rules",' in Path(by_rules["plan"]).read_text()
    by_model = oto("mix", bass, "--json").json
    assert '"engineer": "rules, roles 0.0.1",' in Path(by_model["plan"]).read_text()


def test_a_given_plan_has_no_engineer(oto: Any, stage: Path) -> None:
    assert oto("mix", stage, "--plan", "x.json", "--engineer", "rules").code == Exit.USAGE
