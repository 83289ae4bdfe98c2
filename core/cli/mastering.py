"""`oto master`: a session's mix through the job queue, a file or an album of files right here."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, number, place
from core.cli.common import (
    files_or_session,
    loudness,
    only_files,
    report_file,
    report_option,
    take_option,
    take_report_along,
    where_report,
)
from core.cli.console import clock, level, table
from core.cli.inputs import Files, InLibrary, existing_file
from core.cli.outputs import chosen_out, copy, fresh, keep_plan, partial
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

LONGEST_GAP_S = 600.0
"""Silence between two songs; more is a slip of the finger that fills the disk."""

ASPECTS = ("tone", "dynamics", "width", "loudness")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("what", nargs="*", metavar="SESSION|FILE", help="a session by name, or a stereo file")
    take_option(parser)
    parser.add_argument("--target", metavar="T", help="where it goes; --list-targets shows them (default: streaming)")
    parser.add_argument(
        "--reference", type=place, metavar="FILE", action="append", help="a song to come close to; may be repeated"
    )
    for aspect in ASPECTS:
        parser.add_argument(
            f"--{aspect}",
            type=number,
            metavar="PERCENT",
            help=f"how far the references' {aspect} is followed: 0 to 100",
        )
    parser.add_argument("--style", help="any, orchestral, electronic or band: whose balance counts without a reference")
    parser.add_argument(
        "--engineer", choices=("rules", "model"), help="who decides on tone and width without a reference"
    )
    parser.add_argument("--hands", type=number, metavar="0..1", help="how much of the proposal to apply (default: all)")
    parser.add_argument("--out", type=place, metavar="FILE", help="where the master goes (replaced if it exists)")
    parser.add_argument("--codecs", action="store_true", help="also check what MP3, Ogg, Opus and AAC make of it")
    parser.add_argument(
        "--album", action="store_true", help="master the files so that they sit together, in this order"
    )
    parser.add_argument(
        "--gap", type=number, metavar="SECONDS", help="silence between the songs of an album (default: 2)"
    )
    parser.add_argument(
        "--list-targets", action="store_true", help="show the targets, and where their figures are from"
    )
    report_option(parser)


def _master(options: Namespace, console: Console) -> Answer:
    if options.list_targets:
        return _targets()
    _check(options)
    wanted = {
        "target": options.target,
        "references": [str(existing_file(path)) for path in options.reference or ()],
        "style": options.style,
        "engineer": options.engineer,
        "hands": options.hands,
        "codecs": options.codecs,
        **{aspect: getattr(options, aspect) for aspect in ASPECTS},
    }
    found = files_or_session(options)
    if options.album:
        return _album(found, wanted, options, console)
    if isinstance(found, InLibrary):
        from core.cli.link import do

        report = report_file(options)
        if options.out is not None:
            chosen_out(options.out, Path("master.wav"), ())
        value = do("master", found.session, options.take, wanted, console)
        take_report_along(value, report)
        if options.out is not None:
            value["out"] = str(copy(Path(value["out"]), options.out.absolute()))
    else:
        value = _master_file(found, wanted, options, console)
    target = value["target"]
    aim = f"{target['name']}: {target['integrated_lufs']:+.1f} LUFS, {target['true_peak_dbtp']:+.1f} dBTP at most"
    notes = "".join(f"\n  note: {note}" for note in value["notes"])
    places = f"plan {value['plan']}{where_report(value)}"
    text = f"Mastered to {value['out']}\n  {loudness(value)}\n  target {aim}\n  {places}{_delivery(value)}{notes}"
    return Answer(value, text)


def _check(options: Namespace) -> None:
    if not options.what:
        raise OtoError("usage", "What shall be mastered? Name a session or a file.", "", Exit.USAGE)
    if len(options.what) > 1 and not options.album:
        raise OtoError("bad_input", "A master is made of one file.", "'oto mix' makes one of many.", Exit.BAD_INPUT)
    if options.gap is not None and not options.album:
        raise OtoError("usage", "--gap goes with --album.", "", Exit.USAGE)
    if options.gap is not None and not 0.0 <= options.gap <= LONGEST_GAP_S:
        raise OtoError(
            "bad_input", f"A gap of {options.gap:g} s is none: 0 to {LONGEST_GAP_S:g} s are.", "", Exit.BAD_INPUT
        )
    if any(getattr(options, aspect) is not None for aspect in ASPECTS) and not options.reference:
        names = ", ".join(f"--{aspect}" for aspect in ASPECTS)
        raise OtoError("usage", f"{names} say how far a --reference is followed.", "", Exit.USAGE)
    if options.hands is not None and not 0.0 <= options.hands <= 1.0:
        raise OtoError("usage", "--hands is between 0 (untouched) and 1 (the whole proposal).", "", Exit.USAGE)
    if options.album and (options.engineer or options.hands is not None):
        raise OtoError("usage", "An album is mastered by the rules: no --engineer and no --hands.", "", Exit.USAGE)
    if options.album and (options.reference or options.report):
        raise OtoError("usage", "An album has no --reference and no --report.", "", Exit.USAGE)


def _targets() -> Answer:
    from core.master.targets import TARGETS

    value = [
        {
            "name": target.name,
            "integrated_lufs": target.integrated_lufs,
            "true_peak_dbtp": target.true_peak_dbtp,
            "why": target.why,
        }
        for target in TARGETS.values()
    ]
    rows = [
        (target.name, f"{target.integrated_lufs:g} LUFS", f"{target.true_peak_dbtp:g} dBTP", target.why)
        for target in TARGETS.values()
    ]
    return Answer(value, table(("target", "loudness", "true peak", "why"), rows))


def _master_file(files: Files, wanted: dict[str, Any], options: Namespace, console: Console) -> dict[str, Any]:
    only_files(options)
    if len(files.paths) != 1:
        raise OtoError(
            "bad_input", "A master is made of one file.", "--album masters several, 'oto mix' mixes.", Exit.BAD_INPUT
        )
    from core.desk.sources import file_sources
    from core.jobs import mastering, work
    from core.jobs.reports import Drawn, draw_master

    song, report = files.paths[0], report_file(options)
    out = chosen_out(options.out, song.with_name(f"{song.stem} master.wav"), files.paths)
    wish = mastering.wish_from(wanted)
    with partial(out) as making:
        plan, result = mastering.master(file_sources([song])[0], making, wish, progress=console.progress)
        delivery = mastering.delivery_of(making, plan, wish, progress=console.progress)
    value = work.master_value(result, plan, keep_plan(work.plan_bytes(plan), out))
    drawn = Drawn(None)
    if report is not None:
        made = f"from {song.name}"
        drawn = draw_master(
            plan, song, out, report, meter=result.meter, title=out.stem, made=made, delivery=delivery,
            style=wish.style, progress=console.progress,
        )  # fmt: skip
    return {
        **value,
        "out": str(out),
        "delivery": mastering.delivery_value(delivery),
        "report": drawn.path,
        "notes": [*value["notes"], *drawn.notes],
    }


def _delivery(value: dict[str, Any]) -> str:
    """Whether it may leave, and if not, why."""
    delivery = value["delivery"]
    faults = [judged["says"] for judged in (*delivery["checks"], *delivery["copies"]) if not judged["passes"]]
    return "\n  delivery: passes" if not faults else "".join(f"\n  delivery: {fault}" for fault in faults)


# ---------------------------------------------------------------- album


def _album(found: Files | InLibrary, wanted: dict[str, Any], options: Namespace, console: Console) -> Answer:
    only_files(options)
    if isinstance(found, InLibrary):
        raise OtoError(
            "bad_input",
            "An album is made of files.",
            "'oto export' writes the mixes of sessions as files.",
            Exit.BAD_INPUT,
        )
    from core.jobs import mastering, work

    folder = options.out.absolute() if options.out is not None else fresh(Path("album").absolute())
    if folder.is_file():
        raise OtoError("bad_input", f"{folder} is a file; an album goes into a folder.", "", Exit.BAD_INPUT)
    folder.mkdir(parents=True, exist_ok=True)
    wide = max(len(str(len(found.paths))), 2)
    outs = [fresh(folder / f"{n:0{wide}} {song.stem}.wav") for n, song in enumerate(found.paths, start=1)]
    gap_s = 2.0 if options.gap is None else options.gap
    wish = mastering.wish_from(wanted)
    try:
        album = mastering.album(found.paths, outs, wish, gap_s=gap_s, progress=console.progress)
    except BaseException:
        with contextlib.suppress(OSError):
            folder.rmdir()  # succeeds only while it is empty
        raise
    songs = []
    for song, out, made in zip(found.paths, outs, album.songs, strict=True):
        plan_file = keep_plan(work.plan_bytes(made.plan), out)
        delivery = mastering.delivery_of(out, made.plan, wish, progress=console.progress)
        value = work.master_value(made.result, made.plan, plan_file)
        delivered = mastering.delivery_value(delivery)
        songs.append({"file": str(song), **value, "start_s": made.start_s, "delivery": delivered})
    target = wish.target
    value = {
        "album": songs,
        "folder": str(folder),
        "gap_s": gap_s,
        "integrated_lufs": album.loudness.integrated_lufs,
        "loudness_range_lu": album.loudness.loudness_range_lu,
        "true_peak_dbtp": album.loudness.true_peak_dbtp,
        "duration_s": album.loudness.duration_s,
        "target": target.name,
    }
    rows = [
        (
            clock(song["start_s"]),
            Path(song["out"]).name,
            level(song["integrated_lufs"], "LUFS"),
            level(song["true_peak_dbtp"], "dBTP"),
            "passes" if song["delivery"]["passes"] else "see --json",
        )
        for song in songs
    ]
    heads = ("at", "song", "loudness", "true peak", "delivery")
    text = f"{table(heads, rows)}\nAlbum in {folder}\n  {loudness(value)}, {clock(value['duration_s'])}"
    return Answer(value, text)


COMMANDS = {
    "master": Command(
        "master a mix, a file, or an album",
        "Master a session's newest mix into a new bounce, or a stereo file into '<name> master.wav' beside it.\n"
        "A target fixes loudness and true peak. --reference aims at the sound of songs you like, each aspect as far\n"
        "as you say. --album masters files so that they sit together: the loudest at the target, the others as far\n"
        "below as they were, tone towards the middle of all, numbered files in a folder.",
        (
            "oto master Rehearsal",
            "oto master song.wav --target cd --out song-cd.wav",
            "oto master song.wav --reference hit.flac --tone 70 --width 0 --json",
            "oto master --album opener.wav ballad.wav closer.wav --gap 3 --out record",
            "oto master --list-targets",
        ),
        _options,
        _master,
    ),
}
