"""What the engine tells of the computer it runs on and of the models beside it."""

from __future__ import annotations

from core.engine import about
from core.models.card import read_card
from core.protocol.topics import BoxTopic, ModelInfo


def test_every_model_that_is_shipped_is_told_as_its_card_says() -> None:
    cards = [read_card(path) for path in sorted(about.CARDS.glob("*.json"))]
    assert cards
    assert [(one.name, one.version) for one in about.models()] == [(card.name, card.version) for card in cards]
    assert not any(one.used and not card.in_use for one, card in zip(about.models(), cards, strict=True))


def test_a_card_that_cannot_be_read_keeps_nobody_from_the_others(tmp_path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"name": "b", "version": "2.0", "in_use": false}')
    assert about.models(tmp_path) == (ModelInfo(name="b", version="2.0", used=False),)
    assert about.models(tmp_path / "nowhere") == ()


def test_the_box_tells_what_it_runs(engine) -> None:
    box = engine.wait(lambda status: status.box.version, "a look at the box") and engine.status().box
    assert isinstance(box, BoxTopic)
    assert box.models == about.models()
    assert box.system == about.system()
