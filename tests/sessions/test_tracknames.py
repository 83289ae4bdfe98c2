from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.tracknames import channel_names, is_telling, track_names


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("01_Kick-In_48k", "Kick In"),
        ("02_Snare Top_24bit", "Snare Top"),
        ("10 - Bass DI", "Bass DI"),
        ("(3) Gtr.L", "Gtr L"),
        ("Keys 44.1 kHz 16-bit", "Keys"),
        ("Lead Vox (dbl)", "Lead Vox (dbl)"),
        ("101530_Keys_2024-05-06", "Keys"),
        ("001-Vox_take3", "Vox"),
        ("Tom1", "Tom1"),
        ("2nd Guitar", "2nd Guitar"),
        ("808", "808"),
        ("808 Kick", "Kick"),
        ("Drums_120bpm", "Drums"),
        ("ZOOM0012_Tr1", "Track 1"),
        ("ZOOM0001", "ZOOM0001"),
        ("TASCAM_0007_Vox", "Vox"),
        ("___", "Track"),
    ],
)
def test_names_lose_what_machines_added_and_keep_what_people_wrote(stem: str, name: str) -> None:
    assert track_names([stem]) == [name]


def test_what_all_names_begin_with_is_the_song() -> None:
    stems = ["Blue Monday_Kick", "Blue Monday_Snare", "Blue Monday_Bass", "Blue Monday_Lead Vox"]
    assert track_names(stems) == ["Kick", "Snare", "Bass", "Lead Vox"]


def test_a_word_stays_when_without_it_the_names_would_say_nothing() -> None:
    assert track_names(["Guitar_L", "Guitar_R", "Guitar_3", "Guitar_4"]) == [
        "Guitar L",
        "Guitar R",
        "Guitar 3",
        "Guitar 4",
    ]
    assert track_names(["Snare Top", "Snare Bottom"]) == ["Snare Top", "Snare Bottom"]


@given(st.lists(st.text("aKick 0123456789_-.()[]ZOMtrTR", max_size=20), max_size=12))
def test_every_recording_gets_a_name_of_its_own(stems: list[str]) -> None:
    names = track_names(stems)
    assert len(names) == len(stems)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name.strip() == name and name for name in names)


def test_channels_are_named_by_the_file_itself_where_it_knows_better() -> None:
    assert channel_names("Keys", {}, 2) == ["Keys L", "Keys R"]
    assert channel_names("ZOOM0001", {}, 3) == ["ZOOM0001 1", "ZOOM0001 2", "ZOOM0001 3"]
    assert channel_names("ZOOM0001", {1: "Kick", 2: "Tr2", 3: "Vox"}, 3) == ["Kick", "ZOOM0001 2", "Vox"]
    assert channel_names("Kick", {1: "Tr1"}, 1) == ["Kick"]
    assert channel_names("Track 1", {1: "Kick"}, 1) == ["Kick"]


def test_numbers_of_channels_tell_nothing() -> None:
    assert [is_telling(name) for name in ("Kick", "OH L", "Tr1", "Track 3", "ZOOM0012", "Ch 04", "7", "")] == [
        True,
        True,
        *[False] * 6,
    ]
