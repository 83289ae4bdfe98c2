"""`oto meter`: loudness and peaks of a file, and whether it may leave for a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from core.cli.command import Answer, Command, place
from core.cli.console import clock, level
from core.errors import Exit, OtoError

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
    parser.add_argument("file", type=place, help="any audio file that libsndfile reads")
    parser.add_argument("--target", metavar="T", help="also check whether the file may be delivered there")
    parser.add_argument("--codecs", action="store_true", help="with --target: try MP3, Ogg, Opus and AAC as well")


def _meter(options: Namespace, console: Console) -> Answer:
    from core.analysis.loudness import measure_file
    from core.cli.inputs import existing_file

    if options.codecs and options.target is None:
        raise OtoError("usage", "--codecs goes with --target.", "", Exit.USAGE)
    loudness = measure_file(existing_file(options.file), progress=console.progress)
    value: dict[str, Any] = {key: getattr(loudness, key) for key in KEYS}
    told = ""
    if options.target is not None:
        from core.jobs.codecs import round_trips
        from core.master.delivery import check_delivery
        from core.master.targets import target_named

        target = target_named(options.target)
        codecs = round_trips() if options.codecs else None
        delivery = check_delivery(options.file, target, codecs=codecs, progress=console.progress)
        value["delivery"] = msgspec.to_builtins(delivery)
        told = "\n" + "\n".join(
            f"{'passes' if judged['passes'] else 'FAILS '}  {judged['says']}"
            for judged in (*value["delivery"]["checks"], *value["delivery"]["copies"])
        )
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
    return Answer(value, text + told)


COMMANDS = {
    "meter": Command(
        "loudness and peaks of a file",
        "Measure a file's loudness (ITU-R BS.1770, EBU R 128) and its peaks. Silence has no loudness: null in JSON.\n"
        "--target says whether it may be delivered there, and why not.",
        (
            "oto meter song.wav",
            "oto meter song.flac --json | jq .integrated_lufs",
            "oto meter song.wav --target spotify",
        ),
        _options,
        _meter,
    ),
}
