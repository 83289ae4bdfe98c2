"""What an export would write is known, and refused in time, before anything is written."""

from __future__ import annotations

import msgspec
import pytest

from core.export.export import STEMS
from core.export.formats import FORMATS as EXPORTER_FORMATS
from core.master.targets import TARGETS as MASTER_TARGETS
from core.mix.presets import STYLES as MIX_STYLES
from core.protocol.topics import Drive
from tests.tui.harness import RATE_HZ, bounce
from tui.export_offer import BYTES_PER_FRAME, FORMATS, file_bytes, offer
from tui.listening import matched_gain_db
from tui.screens.mastering import TARGETS
from tui.screens.mix import HANDS, STYLES

STICK = Drive(
    path="/media/stick", label="STICK", file_system="vfat", size_bytes=10**10, free_bytes=10**9,
    removable=True, writable=True, max_file_bytes=2**32 - 1,
)  # fmt: skip
MASTER, MIX = bounce("master-002-01", integrated_lufs=-14.0), bounce("mix-002-01")


def test_the_formats_offered_are_those_that_can_be_written() -> None:
    assert set(FORMATS) == {*EXPORTER_FORMATS, STEMS}
    assert set(BYTES_PER_FRAME) == set(FORMATS)


def test_the_targets_offered_are_those_the_mastering_engineer_knows() -> None:
    assert set(TARGETS) <= set(MASTER_TARGETS)


def test_styles_and_hands_are_what_the_engineer_knows() -> None:
    assert set(STYLES) == set(MIX_STYLES)
    assert max(HANDS) == 1.0
    assert min(HANDS) == 0.0


def test_wav_sizes_are_exact_but_for_the_header() -> None:
    assert file_bytes(MIX, "wav16") == MIX.frames * 2 * 2
    assert file_bytes(MIX, "wav24") == MIX.frames * 2 * 3


def test_sizes_add_up_over_bounces_and_formats() -> None:
    now = offer([MASTER, MIX], [MASTER, MIX], ["wav24", "wav16"], STICK, "")
    assert now.bytes == 2 * MIX.frames * 10
    assert now.refusal == ""


def test_stems_of_a_master_are_those_of_its_mix() -> None:
    now = offer([MASTER], [MASTER, MIX], ["stems"], STICK, "")
    assert now.bytes == len(MIX.stems) * MIX.frames * 8


@pytest.mark.parametrize(
    ("bounces", "formats", "drive", "folder", "said"),
    [
        ([], ["flac"], STICK, "", "bounce"),
        ([MIX], [], STICK, "", "format"),
        ([MIX], ["flac"], None, "", "drive"),
        ([msgspec.structs.replace(MIX, stems={})], ["stems"], STICK, "", "stems"),
        ([MIX], ["flac"], msgspec.structs.replace(STICK, writable=False), "", "write-protected"),
        ([MIX], ["flac"], msgspec.structs.replace(STICK, free_bytes=1000), "", "free"),
        ([msgspec.structs.replace(MIX, frames=RATE_HZ * 20_000)], ["wav24"],
         msgspec.structs.replace(STICK, free_bytes=10**11), "", "vfat"),
        ([MIX], ["flac"], None, "/srv/music", ""),
    ],
)  # fmt: skip
def test_what_can_not_be_written_is_said_first(bounces, formats, drive, folder, said) -> None:
    refusal = offer(bounces, [MASTER, MIX], formats, drive, folder).refusal
    assert said in refusal
    assert bool(refusal) == bool(said)


def test_bounces_are_heard_as_loud_as_the_quietest_of_them() -> None:
    heard = {b.id: (b.integrated_lufs or 0.0) + matched_gain_db(b, [MASTER, MIX]) for b in (MASTER, MIX)}
    assert heard == {"master-002-01": -20.0, "mix-002-01": -20.0}


def test_nothing_is_ever_turned_up_and_a_whisper_does_not_silence_the_rest() -> None:
    whisper = bounce("mix-001-01", integrated_lufs=-50.0)
    assert matched_gain_db(whisper, [MASTER, MIX, whisper]) == 0.0
    assert matched_gain_db(MASTER, [MASTER, MIX, whisper]) == -6.0
    silent = bounce("mix-001-02", integrated_lufs=None)
    assert matched_gain_db(silent, [silent, MASTER]) == 0.0
