"""Where rendered strips are kept and where they are not; how tracks sounded before they were mixed."""

import os

import numpy as np
import pytest
import soundfile

from core import paths, settings
from core.desk import stripcache
from core.desk.sources import file_sources
from core.jobs import keeping, work
from core.jobs.keeping import on_a_card
from core.jobs.tasks import run_job
from core.plans.document import MixPlan, Setting, Span, Strip
from core.protocol.topics import Job
from core.report.make import tracks_portrait


def disk(folder, name, path, *, kind=None, removable="0", partition=False):
    """A disk as /sys shows it, with `path` on it."""
    where = folder / "devices" / name
    (where / "device").mkdir(parents=True)
    (where / "removable").write_text(removable + "\n")
    if kind is not None:
        (where / "device" / "type").write_text(kind + "\n")
    shown = where / f"{name}1" if partition else where
    shown.mkdir(exist_ok=True)
    number = path.stat().st_dev
    (folder / f"{os.major(number)}:{os.minor(number)}").symlink_to(shown)
    return folder


@pytest.mark.parametrize(
    ("name", "kind", "removable", "card"),
    [
        ("mmcblk0", "SD", "0", True),
        ("mmcblk1", "MMC", "0", False),
        ("sda", "0", "1", True),
        ("sda", "0", "0", False),
        ("nvme0n1", None, "0", False),
    ],
)
@pytest.mark.parametrize("partition", [True, False])
def test_a_card_is_told_from_a_disk_that_stays(tmp_path, name, kind, removable, card, partition):
    shown = disk(tmp_path, name, tmp_path, kind=kind, removable=removable, partition=partition)
    assert on_a_card(tmp_path, shown) is card


def test_a_disk_that_nobody_knows_is_no_card(tmp_path):
    assert not on_a_card(tmp_path, tmp_path)


@pytest.fixture
def mix(library, monkeypatch):
    """Renders the mix of a plan that is there, and says how many strips are kept then."""
    monkeypatch.setattr(stripcache, "LEAST_FREE_BYTES", 0)
    monkeypatch.setattr(stripcache, "LEAST_FREE_SHARE", 0.0)
    (session,) = library.sessions()
    toned = {"eq2_gain_db": Setting(value=3.0)}
    plan = MixPlan(oto_version="test", strips=tuple(Strip(track=name, settings=toned) for name in ("Bass", "Vox")))
    library.save_plan(session.id, "mix", 1, work.plan_bytes(plan))

    def render(wanted: str) -> int:
        settings.save(settings.Settings(strip_cache_mb=wanted), paths.settings_file())
        run_job(Job(id="j", kind="mix", session=session.id, take=1), library, lambda *_: True)
        return len(list((paths.cache() / keeping.FOLDER).glob("*.strip")))

    return render


def test_the_setting_says_whether_a_mix_keeps_its_strips(mix, monkeypatch):
    assert mix("1000") == 2
    assert mix("off") == 0
    monkeypatch.setattr(keeping, "on_a_card", lambda _: False)
    assert mix("auto") == 2
    monkeypatch.setattr(keeping, "on_a_card", lambda _: True)
    assert mix("auto") == 0


@pytest.fixture
def tracks(tmp_path):
    """Two recordings."""
    random = np.random.default_rng(5)
    for name in ("Bass", "Vox"):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * random.standard_normal(48_000), 48_000, subtype="PCM_24")
    return [tmp_path / "Bass.wav", tmp_path / "Vox.wav"]


def deaf(*_, **__):
    raise AssertionError("the tracks were listened to")


def test_tracks_are_listened_to_once_and_remembered_to_the_last_digit(tracks, tmp_path, monkeypatch):
    span, folder = Span(start_s=0.1, end_s=0.9), tmp_path / "portraits"
    heard = keeping.kept_portrait(file_sources(tracks), span, folder=folder)
    assert heard == tracks_portrait(file_sources(tracks), span)
    monkeypatch.setattr(keeping, "tracks_portrait", deaf)
    assert keeping.kept_portrait(file_sources(tracks), span, folder=folder) == heard


@pytest.mark.parametrize("change", ["span", "recording", "spoilt"])
def test_tracks_that_are_not_those_that_were_remembered_are_listened_to(tracks, tmp_path, change):
    folder = tmp_path / "portraits"
    keeping.kept_portrait(file_sources(tracks), None, folder=folder)
    span = Span(start_s=0.0, end_s=0.5) if change == "span" else None
    if change == "recording":
        soundfile.write(tracks[0], np.full(24_000, 0.25), 48_000, subtype="PCM_24")
    elif change == "spoilt":
        (path,) = folder.iterdir()
        path.write_bytes(path.read_bytes()[:-9])
    assert keeping.kept_portrait(file_sources(tracks), span, folder=folder) == tracks_portrait(
        file_sources(tracks), span
    )


def test_only_the_newest_portraits_are_kept(tracks, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_PORTRAITS", 2)
    folder = tmp_path / "portraits"
    for end_s in (0.5, 0.6, 0.7):
        keeping.kept_portrait(file_sources(tracks), Span(start_s=0.0, end_s=end_s), folder=folder)
    assert len(list(folder.iterdir())) == 2


def test_a_folder_that_takes_no_portraits_is_no_error(tracks, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert keeping.kept_portrait(file_sources(tracks), None, folder=tmp_path / "file" / "portraits") == tracks_portrait(
        file_sources(tracks), None
    )
