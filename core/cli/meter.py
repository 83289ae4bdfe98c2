"""`oto meter`: loudness and peaks of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import Answer, Command
from core.cli.console import clock, level

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

KEYS = (
    "integrated_lufs",
    "loudness_range_lu",
    "momentary_max_lufs",
    "short_term_max_lufs",
    "true_peak_dbtp",
    "sample_peak_dbfs",
    "duration_s",
)


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="any audio file that libsndfile reads")


def _meter(options: Namespace, console: Console) -> Answer:
    from core.analysis.loudness import measure_file
    from core.cli.inputs import existing_file

    loudness = measure_file(existing_file(options.file), progress=console.progress)
    value = {key: getattr(loudness, key) for key in KEYS}
    text = "\n".join(
        (
            f"integrated      {level(loudness.integrated_lufs, 'LUFS')}",
            f"range           {'-' if loudness.loudness_range_lu is None else f'{loudness.loudness_range_lu:.1f} LU'}",
            f"momentary max   {level(loudness.momentary_max_lufs, 'LUFS')}",
            f"short-term max  {level(loudness.short_term_max_lufs, 'LUFS')}",
            f"true peak       {level(loudness.true_peak_dbtp, 'dBTP')}",
            f"sample peak     {level(loudness.sample_peak_dbfs, 'dBFS')}",
            f"duration        {clock(loudness.duration_s)}",
        )
    )
    return Answer(value, text)


COMMANDS = {
    "meter": Command(
        "loudness and peaks of a file",
        "Measure a file's loudness (ITU-R BS.1770, EBU R 128) and its peaks. Silence has no loudness: null in JSON.",
        ("oto meter song.wav", "oto meter song.flac --json | jq .integrated_lufs"),
        _options,
        _meter,
    ),
}
