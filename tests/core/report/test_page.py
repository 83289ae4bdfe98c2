"""The page holds together whatever it is about: its own structure, its words, nothing from elsewhere."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.desk.sources import file_sources
from core.errors import OtoError
from core.plans.document import BusStrip, Ride, RidePoint, Setting, Span, Strip
from core.report.document import Report, ToneBand
from core.report.make import copy_report, mix_report, read_report, write_report
from core.report.page import page
from core.report.text import readable
from tests.core.report.conftest import RATE_HZ, Draw, Write, master_plan, mix_plan, song
from tests.core.report.pages import Page

HOSTILE = [
    "</title><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "&lt;b&gt; &amp; <!-- ",
    "]]></style></svg><h1>",
    "\u202egnp.exe\x00\x1b[2J\udcff",
    "ネオン 🥁 " * 40,
]


def seen(report: Report) -> Page:
    return Page(page(report, "report.json"))


@pytest.fixture
def drawn(draw: Draw) -> Report:
    return draw()


def test_the_page_is_whole_and_says_what_it_is(drawn: Report) -> None:
    found = seen(drawn)
    assert [len(found.all(tag)) for tag in ("html", "title", "h1", "main")] == [1, 1 + len(found.all("desc")), 1, 1]
    assert found.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_drawing_has_a_title_and_a_description_and_every_table_its_headers(drawn: Report) -> None:
    found = seen(drawn)
    ids = {attributes.get("id") for _, attributes in found.tags}
    drawings = [each for each in found.all("svg") if each.get("class") == "plot"]
    assert len(drawings) == 5
    for each in drawings:
        assert each["role"] == "img"
        assert set((each["aria-labelledby"] or "").split()) <= ids
    assert found.all("th")
    assert {each.get("scope") for each in found.all("th")} == {"col", "row"}


def test_nothing_comes_from_elsewhere_and_only_our_own_script_may_run(drawn: Report) -> None:
    text = page(drawn, "report.json")
    found = Page(text)
    assert "//" not in text.replace("</", "")
    assert found.all("link") == found.all("img") == []
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on") or name == "style"]
    policy = found.all("meta")[1]["content"] or ""
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        digest = b64encode(sha256(found.inside[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_words(draw: Draw, write: Write, tmp_path: Path, name: str) -> None:
    def about(word: str) -> Page:
        setting = Setting(value=1.0, by="person", why=word)
        strip = Strip(
            track=word, role=word, settings={"fader_db": setting, word: Setting(value=word, why=word, unit=word)},
            ride=Ride(points=(RidePoint(at_s=0.0, gain_db=1.0),), why=word),
        )  # fmt: skip
        plan = msgspec.structs.replace(mix_plan(strip), engineer=word, notes=(word,))
        sound = write("a.wav", song(0.5))
        return seen(mix_report(plan, file_sources([sound]), sound, tmp_path / "report.html", title=word, made=word))

    hostile, tame = about(name), about("Tame")
    assert hostile.shape == tame.shape
    assert hostile.text.count(readable(name)) >= 6


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_readable_text_is_one_line_that_can_be_written(text: str) -> None:
    shown = readable(text)
    assert shown == readable(shown)
    assert len(shown.splitlines()) <= 1
    shown.encode()


@pytest.mark.parametrize("name", ["a b.wav", "100%.wav", "x:y?#.wav", "javascript:alert(1).wav", "'\"<>&.wav"])
def test_players_find_the_audio_whatever_it_is_called(draw: Draw, name: str) -> None:
    sources = [each["src"] for each in seen(draw(name=name)).all("audio")]
    assert len(sources) == 2
    assert re.fullmatch(r"[\w.%/~-]+", sources[0] or "")


def test_both_players_are_equally_loud(drawn: Report) -> None:
    players = seen(drawn).all("audio")
    gains_db = [20 * math.log10(float(each["data-gain"] or 0)) for each in players]
    levels = [piece.portrait.loudness.integrated_lufs for piece in (drawn.before, drawn.after)]
    assert None not in levels
    assert levels[0] + gains_db[0] == pytest.approx(levels[1] + gains_db[1], abs=0.01)  # type: ignore[operator]
    assert max(gains_db) == 0.0


def test_the_page_shows_the_readings_of_the_data(drawn: Report) -> None:
    text = seen(drawn).text.replace("\N{MINUS SIGN}", "-")
    for piece in (drawn.before, drawn.after):
        loudness = piece.portrait.loudness
        for value in (loudness.integrated_lufs, loudness.true_peak_dbtp, loudness.loudness_range_lu):
            assert f"{value:z.1f}" in text


def test_every_setting_is_there_with_who_made_it_how_sure_and_why(draw: Draw) -> None:
    plan = master_plan(
        eq1_freq_hz=Setting(value=2500.0, by="model", why="Dull.", confidence=0.5),
        eq1_gain_db=Setting(value=-2.5, by="model", why="Dull.", confidence=0.5),
        comp_ratio=Setting(value=2.0, by="rules", why="Uneven.", confidence=0.66),
        limiter_on=Setting(value=True, by="person", why="My taste.", locked=True),
    )
    report = draw(plan=plan)
    text = seen(report).text
    assert report.decided == {"model": 2, "rules": 1, "person": 1}
    for words in (
        "EQ low shelf frequency 2.5 kHz gain −2.5 dB AI 50% Dull.",
        "Compressor ratio 2:1 rules 66% Uneven.",
        "Limiter on you locked My taste.",
        "Settings: 2 by AI , 1 by you , 1 by rules .",
        "AI: 2",
    ):
        assert words in text, text


def test_a_mix_shows_its_strips_rides_and_the_part_that_is_mixed(write: Write, tmp_path: Path) -> None:
    loud = Setting(value=-3.0, by="rules", why="Loud.", confidence=0.8)
    strips = [
        Strip(track="Kick", role="kick", settings={"fader_db": loud, "send_room_db": loud, "pan": Setting(value=-0.5)}),
        Strip(
            track="Vox", role="lead_vocal", role_confidence=0.9, priority="lead",
            ride=Ride(points=(RidePoint(at_s=1.0, gain_db=-2.0), RidePoint(at_s=2.0, gain_db=3.0)), by="rules"),
        ),
    ]  # fmt: skip
    plan = msgspec.structs.replace(
        mix_plan(*strips),
        buses=(BusStrip(name="room", settings={"decay_s": Setting(value=0.8, by="rules")}), BusStrip(name="drums")),
        span=Span(start_s=1.0, end_s=3.0, by="rules", why="A count-in."),
    )
    tracks = [write("Kick.wav", song(4.0, 1)), write("Vox.wav", song(4.0, 1))]
    mix = write("mix.wav", song(2.0))
    report = mix_report(plan, file_sources(tracks), mix, tmp_path / "report.html", title="Song", made="here")
    assert report.before.portrait.loudness.duration_s == 2.0
    assert (report.before.audio, report.after.audio) == (None, "mix.wav")
    text = seen(report).text
    for words in (
        "Kick kick, master −3.0 dB 50% left room",
        "Vox lead vocal (90% sure), lead · 1 setting",
        "Fader ride 2 points, −2.0 to +3.0 dB",
        "Part that is mixed 1.0 s to 3.0 s of the take rules A count-in.",
        "Room effect · 1 setting",
    ):
        assert words in text, text
    assert "Drums" not in text


def test_the_usual_range_is_drawn_where_there_is_one(drawn: Report) -> None:
    band = ToneBand(name="rock", centre_hz=(50.0, 5000.0), low_db=(0, -20), middle_db=(3, -15), high_db=(5, -10))
    assert "usual for rock" in seen(msgspec.structs.replace(drawn, tone=band)).text
    assert "usual for" not in seen(drawn).text


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros((RATE_HZ, 2)),
        np.full((1, 2), 0.5),
        np.full((100, 1), -0.5),
        song(0.3, 1),
        np.concatenate([np.zeros((RATE_HZ, 1)), song(1.0, 1)]),
        np.tile([[1.0], [-1.0]], (RATE_HZ, 1)),
    ],
    ids=["silence", "one sample", "a blip", "a third of a second", "half silence", "full scale"],
)
def test_whatever_it_is_about_there_is_a_page_without_nonsense(draw: Draw, audio: np.ndarray) -> None:
    report = draw(audio)
    text = page(report, "report.json")
    assert not re.search(r"\b(nan|inf|None)\b", text.partition("</style>")[2].partition("<script>")[0])
    assert Page(text).all("svg")
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_page_and_data_are_written_together_and_can_be_read_again(draw: Draw, tmp_path: Path) -> None:
    report = draw()
    data = write_report(report, tmp_path / "report.html")
    assert data == tmp_path / "report.json"
    assert read_report(data) == report
    assert Page((tmp_path / "report.html").read_text()).text.endswith("The same as data: report.json.")


def test_a_copy_elsewhere_plays_the_audio_where_it_stays(draw: Draw, tmp_path: Path) -> None:
    report = draw(name="ä b.wav")
    write_report(report, tmp_path / "report.html")
    copied = copy_report(tmp_path / "report.html", tmp_path / "deep" / "my report.html")
    near = read_report(copied.with_suffix(".json"))
    assert (near.before.audio, near.after.audio) == ("../%C3%A4%20b.wav", "../master.wav")
    far = read_report(copy_report(copied, tmp_path / "a" / "b" / "c.html").with_suffix(".json"))
    assert (far.before.audio, far.after.audio) == (None, None)
    assert Page((tmp_path / "a" / "b" / "c.html").read_text()).all("audio") == []


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(OtoError, match=r"report\.json"):
        read_report(tmp_path / "report.json")
