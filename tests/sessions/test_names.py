from __future__ import annotations

import string
import subprocess
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions.names import MAX_BYTES, collision_key, safe_name, track_file_name, unique_name

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(string.punctuation + string.whitespace + "aCONu1")
RESERVED = ["CON", "prn", "Aux", "NUL", "COM1", "lpt9", "COM¹", "con.txt", "nul .wav", "CONIN$"]


@given(ANY_TEXT)
@example("\u1fef")
@example("a\u1fefb\u037e")
@example("." * 300)
@example("é" * 300)
def test_a_safe_name_holds_nothing_that_fat_windows_or_a_shell_would_take_amiss(text: str) -> None:
    name = safe_name(text)
    assert name
    assert not set(name) & set('\\/:*?"<>|$`!%')
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name)
    assert name[0] not in ".-~ "
    assert name[-1] not in ". "
    assert unicodedata.is_normalized("NFC", name)
    assert len(name.encode()) <= MAX_BYTES


@given(ANY_TEXT)
@example("CON" + "x" * 200)
@example(" _ con")
def test_making_a_name_safe_twice_changes_nothing(text: str) -> None:
    assert safe_name(safe_name(text)) == safe_name(text)


@pytest.mark.parametrize("text", RESERVED)
def test_device_names_of_windows_are_not_kept(text: str) -> None:
    stem = safe_name(text).split(".")[0].strip().upper()
    assert stem not in {word.split(".")[0].strip().upper() for word in RESERVED}


@pytest.mark.parametrize("text", ["Kick In", "Gitarre über Amp", "鼓 1", "O'Brien (live) & band; #3", "Ré", "_CON_"])
def test_ordinary_names_stay_as_they_were_written(text: str) -> None:
    assert safe_name(text) == text


@given(st.lists(st.text(string.printable) | st.text(), min_size=50, max_size=50))
@settings(max_examples=8, deadline=None)
def test_a_shell_takes_quoted_safe_names_literally(texts: list[str]) -> None:
    names = [safe_name(text) for text in texts]
    script = "\n".join(f'printf "%s\\n" "{name}"' for name in names)
    for shell in ("sh", "bash"):
        said = subprocess.run([shell, "-c", script], capture_output=True, check=True, timeout=10).stdout
        assert said.decode().splitlines() == names


@given(ANY_TEXT, st.lists(ANY_TEXT, max_size=8))
def test_a_unique_name_collides_with_nothing_on_a_case_insensitive_disk(text: str, others: list[str]) -> None:
    taken = [safe_name(other) for other in others] + [safe_name(text).upper(), safe_name(text).lower()]
    name = unique_name(safe_name(text), taken, ".wav")
    assert collision_key(name) not in {collision_key(other) for other in taken}
    assert name.endswith(".wav")


def test_names_that_differ_only_in_case_or_in_how_an_accent_is_written_collide() -> None:
    assert unique_name("rehearsal", ["Rehearsal"]) == "rehearsal (2)"
    assert unique_name("Ré", [unicodedata.normalize("NFD", "ré"), "RÉ (2)"]) == "Ré (3)"


def test_track_files_are_numbered_named_and_told_apart_by_clip() -> None:
    assert track_file_name(1, "Kick") == "01 Kick.wav"
    assert track_file_name(12, "Vox: lead/dbl", 2) == "12 Vox- lead-dbl (2).wav"
    assert track_file_name(3, "???") == "03 Track.wav"
