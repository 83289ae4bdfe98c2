"""The keys as `oto keys` tells them: those of this studio, and what could not be granted."""

from __future__ import annotations

from core.cli.main import command
from core.paths import studio_file
from tui.actions import ACTIONS
from tui.keys_now import keys_now
from tui.wishes import Wishes, read


def keys_of(wishes: Wishes) -> dict[str, list[str]]:
    return {action["id"]: action["keys"] for action in keys_now(wishes)["actions"]}


def test_without_wishes_every_action_has_the_keys_it_came_with() -> None:
    listed = keys_now(Wishes())
    assert {action["id"] for action in listed["actions"]} == {action.id for action in ACTIONS}
    assert keys_of(Wishes())["record"] == ["r", "F2"]
    assert not any(action["changed"] for action in listed["actions"])


def test_a_command_prints_the_map_in_use_and_what_was_not_granted() -> None:
    studio_file().parent.mkdir(parents=True)
    studio_file().write_text('[keys]\nmark = "F5"\nsolo = "F2"\n', encoding="utf-8")
    assert keys_of(read(studio_file(), {}))["mark"] == ["F5"]
    answer = command("keys").run(None, None)
    by_id = {action["id"]: action for action in answer.value["actions"]}
    assert (by_id["mark"]["keys"], by_id["mark"]["changed"]) == (["F5"], True)
    assert (by_id["record"]["keys"], by_id["record"]["changed"]) == (["r", "F2"], False)
    assert "F2 is Rec on every keyboard" in answer.text
    assert "mark *" in answer.text
