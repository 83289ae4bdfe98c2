"""`oto comp`: stretches of takes by times and markers, as a take that everything else works with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from core.cli.comp import part_of
from core.errors import OtoError
from sessions.model import Marker, Take
from sessions.store import Library

RATE_HZ = 48_000


def take(number: int, seconds: float, *markers: tuple[float, str]) -> Take:
    marks = tuple(Marker(at_samples=round(at_s * RATE_HZ), name=name) for at_s, name in markers)
    return Take(
        number=number, session="s", status="complete", rate_hz=RATE_HZ, sample_format="pcm24", started_utc="",
        tracks=(), frames=round(seconds * RATE_HZ), markers=marks,
    )  # fmt: skip


TAKES = [take(3, 4000.0, (60.0, "Chorus"), (90.0, "Pre-Chorus"), (120.0, "Verse-2")), take(5, 10.0)]


@pytest.mark.parametrize(
    ("text", "start_s", "end_s"),
    [
        ("3:0:00-1:12", 0.0, 72.0),
        ("3:1:12-end", 72.0, 4000.0),
        ("3:0:00-1:00:01.5", 0.0, 3601.5),
        ("3:12.25-13", 12.25, 13.0),
        ("3:start-chorus", 0.0, 60.0),
        ("3:Chorus-Pre-Chorus", 60.0, 90.0),
        ("3:Pre-Chorus-Verse-2", 90.0, 120.0),
        ("3:Verse-2-", 120.0, 4000.0),
        ("5:-2", 0.23, 2.23),
    ],
)
def test_a_part_is_named_by_times_and_markers(text: str, start_s: float, end_s: float) -> None:
    part = part_of(text, TAKES, {})
    shifted = part_of(text, TAKES, {5: 230.0})
    if part.take == 5:
        assert (part.start_samples, shifted.end_samples) == (0, round(end_s * RATE_HZ))
    else:
        assert (part.start_samples, part.end_samples) == (round(start_s * RATE_HZ), round(end_s * RATE_HZ))
        assert shifted == part


@pytest.mark.parametrize("text", ["", "3", "x:0-1", "3:0", "3:Bridge-end", "3:0..1-2"])
def test_a_part_that_is_none_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(OtoError) as caught:
        part_of(text, TAKES, {})
    assert caught.value.code == "usage"
    assert "FROM" in caught.value.hint


def samples(path: Path | str) -> np.ndarray:
    return soundfile.read(path, dtype="int32")[0]


def test_a_comp_of_the_band_is_mixed_like_any_take(oto: Any, stage: Path, home: Path) -> None:
    for _ in range(2):
        assert oto("record", "--device", f"sim:fast:{stage}", "--session", "Band", "--seconds", 2).code == 0
    (session,) = oto("sessions", "--json").json
    one, two = oto("takes", "Band", "--json").json
    ran = oto("comp", "Band", "--part", "1:0-1", "--part", "2:1-end", "--name", "Best", "--json")
    assert ran.code == 0, ran.err
    comp = ran.json
    assert (comp["session"], comp["take"], comp["frames"]) == (session["id"], 3, one["frames"])
    assert [(part["take"], part["at_s"]) for part in comp["parts"]] == [(1, 0.0), (2, 1.0)]
    for first, second, made in zip(one["files"], two["files"], comp["files"], strict=True):
        np.testing.assert_array_equal(samples(made)[:47_000], samples(first)[:47_000])
        np.testing.assert_array_equal(samples(made)[49_000:], samples(second)[49_000:])
    listed = oto("takes", "Band", "--json").json[-1]
    assert (listed["origin"], listed["name"], listed["comp"]["fade_ms"]) == ("comp", "Best", 15.0)
    mix = oto("mix", "Band", "--take", 3, "--json").json
    assert (mix["take"], mix["bounce"], mix["duration_s"] >= 2.0) == (3, "mix-003-01", True)
    assert oto("comp", "Band", "--part", "1:0-9:59", "--json").json["error"]["code"] == "bad_input"
    assert oto("comp", "Band", "--part", "7:0-1", "--json").json["error"]["code"] == "not_found"


def test_without_an_engine_it_is_made_right_here(oto: Any, stage: Path, home: Path) -> None:
    assert oto("import", stage, "--name", "Card", "--json").code == 0
    ran = oto("comp", "Card", "--part", "1:2-3", "--part", "1:0-1", "--json")
    assert ran.code == 0, ran.err
    made = Library(home / "library").takes(ran.json["session"])[1]
    assert (made.number, made.origin, made.frames) == (2, "comp", 2 * RATE_HZ)
    assert msgspec.json.encode(made.comp)
