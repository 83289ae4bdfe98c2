"""A person's own keys: granted where they can be, told about where they can't, never a failure."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.binding import BindingsMap

from core.protocol import requests
from tests.tui.harness import Recorder, band_picture, screen_lines, topics_of
from tui.actions import ACTIONS, BY_ID, KEY_NAMES
from tui.app import Studio
from tui.look import Look
from tui.wishes import RESERVED, Wishes, key_named, keys_from, read


def written(folder: Path, text: str) -> Wishes:
    path = folder / "studio.toml"
    path.write_text(text, encoding="utf-8")
    return read(path, {})


def effective(keys: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {action.id: keys.get(action.id, action.keys) for action in ACTIONS}


NAMES = st.one_of(
    st.sampled_from([*KEY_NAMES, *KEY_NAMES.values(), "F5", "f2", "Esc", "ctrl+g", "q", "Q", "7", "hyper+x", "", "é"]),
    st.text(max_size=3),
)
TABLES = st.dictionaries(
    st.one_of(st.sampled_from(sorted(BY_ID)), st.text(max_size=5)),
    st.one_of(NAMES, st.lists(NAMES, max_size=3), st.integers(), st.lists(st.integers(), max_size=1)),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_whatever_is_wished_no_key_has_two_meanings_and_recording_keeps_its_keys(table) -> None:
    granted, problems = keys_from(table)
    every = [key for keys in effective(granted).values() for key in keys]
    assert sorted(every) == sorted(set(every))
    for key, owner in RESERVED.items():
        assert key in effective(granted)[owner]
    assert all(sentence.endswith(".") for sentence in problems)


def test_no_file_changes_nothing(tmp_path) -> None:
    assert read(tmp_path / "studio.toml", {}) == Wishes()


def test_vim_moves_with_its_four_letters_and_nothing_loses_its_key(tmp_path) -> None:
    wishes = written(tmp_path, "vim = true\n")
    assert wishes.problems == ()
    keys = effective(dict(wishes.keys))
    assert [keys[id][0] for id in ("less", "down", "up", "more")] == list("hjkl")
    assert all(keys.values())
    every = [key for owned in keys.values() for key in owned]
    assert sorted(every) == sorted(set(every))


def test_a_persons_own_key_comes_before_vims(tmp_path) -> None:
    wishes = written(tmp_path, 'vim = true\n[keys]\nmark = "Y"\n')
    assert wishes.keys["mark"] == ("Y",)
    assert wishes.keys["down"] == ("j", "down")
    assert wishes.problems == (
        "Y is Mark, so Keep does not have it.",
        "k is Up now, so Keep (keep_last) has no key.",
    )


def test_keys_are_named_as_they_are_printed_or_as_textual_calls_them(tmp_path) -> None:
    wishes = written(tmp_path, '[keys]\nmark = ["F5", "%"]\nsolo = "full_stop"\nplay = "Space"\nseek_on = ";"\n')
    assert wishes.problems == ()
    assert wishes.keys == {
        "mark": ("f5", "percent_sign"),
        "solo": ("full_stop",),
        "play": ("space",),
        "seek_on": ("semicolon",),
    }


def test_two_actions_can_swap_their_keys(tmp_path) -> None:
    wishes = written(tmp_path, '[keys]\nsolo = "-"\nmute = "o"\n')
    assert (wishes.keys, wishes.problems) == ({"solo": ("minus",), "mute": ("o",)}, ())


def test_what_cannot_be_granted_is_told_and_the_rest_holds(tmp_path) -> None:
    wishes = written(
        tmp_path,
        'colour = "pink"\n[keys]\nmark = "F5"\nstop = "F5"\nfly = "F6"\nsolo = "F2"\nmute = "Hyper+M"\n'
        'star = 7\nundo = "x"\n',
    )
    assert wishes.keys == {"mark": ("f5",), "undo": ("x",), "compare": ()}
    told = " ".join(wishes.problems)
    for part in ("colour", "F5 is Mark", "fly", "F2 is Rec on every keyboard", "Hyper+M", "Keys of star", "(compare)"):
        assert part in told, (part, told)


def test_a_file_that_cannot_be_read_leaves_every_key_as_it_was(tmp_path) -> None:
    wishes = written(tmp_path, "[keys\n")
    assert wishes.keys == {}
    assert "studio.toml can't be read" in wishes.problems[0]


def test_every_name_of_a_key_is_one_that_the_terminal_library_knows() -> None:
    for key, shown in KEY_NAMES.items():
        assert key_named(shown) == key_named(key) == key
        if len(shown) == 1 and shown != ",":  # which parts keys
            assert list(BindingsMap([(shown, "x", "")]).key_to_bindings) == [key]


async def test_a_key_of_ones_own_acts_is_shown_and_leaves_the_one_that_had_it(tmp_path) -> None:
    picture, recorder = band_picture(), Recorder()
    for topic in topics_of(picture):
        recorder.fed.put_nowait(topic)
    wishes = written(tmp_path, '[keys]\nrecord = "s"\narm_all = "f7"\nfly = "x"\n')
    app = Studio(recorder.connect, Look(), wishes)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert "no action called fly" in text
        assert "s Rec" in text
        assert "F3 Stop" in text
        await pilot.press("r", "s", "f3", "f2", "f7", "A")
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert "s F2" in text
        assert "no action called fly" in text
    assert recorder.requests == [requests.Record(), requests.Record(), requests.ArmAll(armed=True)]


def test_a_screen_reader_is_wished_for_in_the_file_or_by_the_environment(tmp_path) -> None:
    path = tmp_path / "studio.toml"
    path.write_text("screen_reader = true\n")
    assert read(path, {}).screen_reader
    assert not read(path, {"OTO_SCREEN_READER": "0"}).screen_reader
    assert read(tmp_path / "none.toml", {"OTO_SCREEN_READER": "1"}).screen_reader
    assert written(tmp_path, 'screen_reader = "loud"\n').problems == ("screen_reader is true or false.",)
