"""`oto analyse`, `oto mix`, `oto master`: on a session through the job queue, on plain files right here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import paths
from core.cli.command import Answer, Command
from core.cli.console import level, table
from core.cli.inputs import Files, InLibrary, existing_file, resolve
from core.cli.outputs import chosen_out, copy, keep_plan, partial
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

SESSION_HELP = "a session by name, or audio files, or a folder of them"


def _take_option(parser: ArgumentParser) -> None:
    parser.add_argument("--take", type=int, metavar="N", help="of a session: which take (default: the newest good one)")


def _report_option(parser: ArgumentParser) -> None:
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="also write a report to read in a browser")


def _report_file(options: Namespace) -> Path | None:
    """Where the report goes, if one is wanted."""
    wanted: Path | None = options.report
    if wanted is not None and wanted.suffix.lower() not in (".html", ".htm"):
        raise OtoError("usage", "--report wants a file that ends in .html.", "", Exit.USAGE)
    return None if wanted is None else wanted.absolute()


def _take_report_along(value: dict[str, Any], report: Path | None) -> None:
    """Write a bounce's report again where a person wants it."""
    if report is not None and value["report"] is not None:
        from core.report.make import copy_report

        value["report"] = str(copy_report(Path(value["report"]), report))


def _where_report(value: dict[str, Any]) -> str:
    return f"\n  report {value['report']}" if value["report"] else ""


def _resolve(words: list[str]) -> Files | InLibrary:
    """Files or session, asking the library on disk only where a word could be either."""
    return resolve(words, is_session=len(words) == 1 and _is_session(words[0]))


def _is_session(word: str) -> bool:
    from core.cli.link import engine_if_any
    from core.protocol import ListSessions, SessionSummary

    client = engine_if_any()
    if client is not None:
        with client:
            known = client.call(ListSessions(), type=list[SessionSummary])
        return any(word in (session.id, session.name) for session in known)
    if not paths.library().is_dir():
        return False
    from sessions.store import Library

    return any(word in (session.id, session.name) for session in Library(paths.library()).sessions())


def _only_files(options: Namespace) -> None:
    if options.take is not None:
        raise OtoError("usage", "--take goes with a session, not with files.", "", Exit.USAGE)


# ---------------------------------------------------------------- analyse


def _analyse_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", metavar="SESSION|FILE", help=SESSION_HELP)
    _take_option(parser)


def _analyse(options: Namespace, console: Console) -> Answer:
    found = _resolve(options.what)
    if isinstance(found, InLibrary):
        from core.cli.link import do

        value = do("analyse", found.session, options.take, {}, console)
    else:
        _only_files(options)
        from core.desk.sources import file_sources
        from core.jobs.work import analyse

        tracks = analyse(file_sources(found.paths), console.progress)
        value = {
            "tracks": [{"file": str(file), **track} for file, track in zip(found.paths, tracks, strict=True)],
        }
    rows = [
        (
            track["track"],
            track["role"],
            f"{track['confidence']:.0%}",
            level(track["integrated_lufs"], "LUFS"),
            level(track["sample_peak_dbfs"], "dBFS"),
            track["why"],
        )
        for track in value["tracks"]
    ]
    return Answer(value, table(("track", "role", "sure", "loudness", "peak", "why"), rows))


# ---------------------------------------------------------------- mix


def _mix_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", metavar="SESSION|FILE", help=SESSION_HELP)
    _take_option(parser)
    parser.add_argument("--plan", type=Path, metavar="FILE", help="render this plan instead of proposing one")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the mix goes (replaced if it exists)")
    parser.add_argument("--stems", type=Path, metavar="FOLDER", help="also write each strip's part of the mix there")
    parser.add_argument("--engineer", choices=("rules",), default="rules", help="who proposes (default: %(default)s)")
    parser.add_argument("--style", help="natural, or another style the engineer knows")
    parser.add_argument("--hands", type=float, metavar="0..1", help="how much of the proposal to apply (default: all)")
    parser.add_argument("--propose", action="store_true", help="of a session: propose anew, keeping what you set")
    _report_option(parser)


def _mix(options: Namespace, console: Console) -> Answer:
    if options.hands is not None and not 0.0 <= options.hands <= 1.0:
        raise OtoError("usage", "--hands is between 0 (untouched) and 1 (the whole proposal).", "", Exit.USAGE)
    if options.plan is not None and (options.propose or options.style is not None or options.hands is not None):
        raise OtoError("usage", "--plan is rendered as it is: no --propose, --style or --hands.", "", Exit.USAGE)
    found = _resolve(options.what)
    value = (
        _mix_session(found, options, console) if isinstance(found, InLibrary) else _mix_files(found, options, console)
    )
    text = f"Mixed to {value['out']}\n  {_loudness(value)}\n  plan {value['plan']}{_where_report(value)}"
    return Answer(value, text)


def _mix_files(files: Files, options: Namespace, console: Console) -> dict[str, Any]:
    _only_files(options)
    from core.desk.sources import file_sources
    from core.jobs import work
    from core.jobs.reports import Drawn, draw_mix

    out, report = chosen_out(options.out, Path("mix.wav"), files.paths), _report_file(options)
    sources = file_sources(files.paths)
    plan = _given_plan(options.plan)
    with partial(out) as making:
        plan, result = work.mix(
            sources,
            making,
            plan=plan,
            style=options.style or "natural",
            hands=1.0 if options.hands is None else options.hands,
            stems=None if options.stems is None else options.stems.absolute(),
            progress=console.progress,
        )
    plan_file = options.plan.absolute() if options.plan else keep_plan(work.plan_bytes(plan), out)
    drawn = Drawn(None)
    if report is not None:
        made = f"from {len(sources)} files"
        drawn = draw_mix(plan, sources, out, report, title=out.stem, made=made, progress=console.progress)
    value = {**work.mix_value(result, plan_file), "out": str(out)}
    return {**value, "report": drawn.path, "notes": [*plan.notes, *drawn.notes]}


def _given_plan(path: Path | None) -> Any:
    """The mix plan in a file that the person named."""
    if path is None:
        return None
    from core.jobs.work import read_plan
    from core.plans.document import MixPlan

    plan = read_plan(existing_file(path).read_bytes(), str(path))
    if not isinstance(plan, MixPlan):
        raise OtoError("bad_input", f"{path} is the plan of a master, not of a mix.", "", Exit.BAD_INPUT)
    return plan


def _mix_session(found: InLibrary, options: Namespace, console: Console) -> dict[str, Any]:
    from core.cli.link import do

    take = options.take
    if options.plan is not None:
        take = _put_plan(found.session, take, _given_plan(options.plan))
    wanted = {
        "propose": options.propose or options.style is not None or options.hands is not None,
        "stems": options.stems is not None,
        "style": options.style,
        "hands": options.hands,
    }
    report = _report_file(options)
    value = do("mix", found.session, take, wanted, console)
    _take_report_along(value, report)
    if options.out is not None:
        value["out"] = str(copy(Path(value["out"]), options.out.absolute()))
    if options.stems is not None:
        folder = options.stems.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("stems", "returns"):
            value[kind] = {name: str(copy(Path(file), folder / Path(file).name)) for name, file in value[kind].items()}
    return value


def _put_plan(session: str, take: int | None, plan: Any) -> int:
    """Make a plan the take's own, through the engine when one runs; returns the take's number."""
    from core.cli.link import engine_if_any
    from core.jobs.choice import newest_take
    from core.protocol import ListTakes, ReplacePlan
    from sessions.model import Take

    client = engine_if_any()
    if client is not None:
        with client:
            number = take or newest_take(client.call(ListTakes(session=session), type=list[Take]), session).number
            client.call(ReplacePlan(take=number, plan=plan, session=session))
            return number
    from core.jobs.work import plan_bytes
    from sessions.store import Library

    library = Library(paths.library())
    session_id = library.session(session).id
    number = take or newest_take(library.takes(session_id), session_id).number
    library.save_plan(session_id, "mix", number, plan_bytes(plan))
    return number


# ---------------------------------------------------------------- master


def _master_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="SESSION|FILE", help="a session by name, or a stereo file")
    _take_option(parser)
    parser.add_argument("--target", help="streaming, cd, club or broadcast (default: streaming)")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="a song to come close to")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the master goes (replaced if it exists)")
    _report_option(parser)


def _master(options: Namespace, console: Console) -> Answer:
    reference = None if options.reference is None else existing_file(options.reference)
    found = _resolve([options.what])
    if isinstance(found, InLibrary):
        from core.cli.link import do

        wanted = {"target": options.target, "reference": None if reference is None else str(reference)}
        report = _report_file(options)
        value = do("master", found.session, options.take, wanted, console)
        _take_report_along(value, report)
        if options.out is not None:
            value["out"] = str(copy(Path(value["out"]), options.out.absolute()))
    else:
        value = _master_file(found, reference, options, console)
    target = value["target"]
    aim = f"{target['name']}: {target['integrated_lufs']:+.1f} LUFS, {target['true_peak_dbtp']:+.1f} dBTP at most"
    notes = "".join(f"\n  note: {note}" for note in value["notes"])
    places = f"plan {value['plan']}{_where_report(value)}"
    text = f"Mastered to {value['out']}\n  {_loudness(value)}\n  target {aim}\n  {places}{notes}"
    return Answer(value, text)


def _master_file(files: Files, reference: Path | None, options: Namespace, console: Console) -> dict[str, Any]:
    _only_files(options)
    if len(files.paths) != 1:
        raise OtoError("bad_input", "A master is made of one file.", "'oto mix' makes one of many.", Exit.BAD_INPUT)
    from core.desk.sources import file_sources
    from core.jobs import work
    from core.jobs.reports import Drawn, draw_master

    song, report = files.paths[0], _report_file(options)
    out = chosen_out(options.out, song.with_name(f"{song.stem} master.wav"), files.paths)
    target = work.target_named(options.target or "streaming")
    with partial(out) as making:
        plan, result = work.master(
            file_sources([song])[0], making, target=target, reference=reference, progress=console.progress
        )
    value = work.master_value(result, plan, keep_plan(work.plan_bytes(plan), out))
    drawn = Drawn(None)
    if report is not None:
        made = f"from {song.name}"
        drawn = draw_master(plan, song, out, report, title=out.stem, made=made, progress=console.progress)
    return {**value, "out": str(out), "report": drawn.path, "notes": [*value["notes"], *drawn.notes]}


# ---------------------------------------------------------------- words


def _loudness(value: dict[str, Any]) -> str:
    return f"{level(value['integrated_lufs'], 'LUFS')}, true peak {level(value['true_peak_dbtp'], 'dBTP')}"


COMMANDS = {
    "analyse": Command(
        "what is on each track",
        "Listen to a session's take, or to files, and say what each is: its role with how sure OTO is and why, its\n"
        "loudness, peaks, spectrum, noise and hum. Changes nothing. Needs neither session nor engine for files.",
        ("oto analyse Rehearsal", "oto analyse kick.wav bass.wav --json", "oto analyse stems/"),
        _analyse_options,
        _analyse,
    ),
    "mix": Command(
        "mix a take, or files",
        "Mix a session's take into a new bounce, or files into a stereo WAV with its plan beside it.\n\n"
        "A session renders the take's plan; without one (or with --propose) the engineer proposes it first and keeps\n"
        "what you have set or locked. Through the running engine's queue if there is one, else right here.\n"
        "Files need neither session nor engine: the names say what they are ('Kick in.wav'), the sound says the rest.",
        (
            "oto mix Rehearsal --take 3",
            "oto mix kick.wav snare.wav bass.wav vox.wav --out song.wav",
            "oto mix stems/ --stems parts/ --json",
            "oto mix stems/ --plan mix.plan.json --out again.wav",
        ),
        _mix_options,
        _mix,
    ),
    "master": Command(
        "master a mix, or a file",
        "Master a session's newest mix into a new bounce, or a stereo file into '<name> master.wav' beside it.\n"
        "A target fixes loudness and true peak; --reference aims at the sound of a song you like.",
        (
            "oto master Rehearsal",
            "oto master song.wav --target cd --out song-cd.wav",
            "oto master song.wav --reference hit.flac --json",
        ),
        _master_options,
        _master,
    ),
}
