"""`oto analyse`, `oto mix`: on a session through the job queue, on plain files right here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import paths
from core.cli.command import Answer, Command, number, place
from core.cli.common import (
    SESSION_HELP,
    files_or_session,
    loudness,
    only_files,
    report_file,
    report_option,
    take_option,
    take_report_along,
    where_report,
)
from core.cli.console import level, table
from core.cli.inputs import PLAN_SUFFIX, Files, InLibrary, existing_file
from core.cli.outputs import chosen_out, copy, fresh, keep_plan, partial, stems_folder
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

BLEED_TOLD_DB = -25.0
"""Bleed further below a track's own playing is no news to a person."""

BY_WORDS = {"rules": "rules", "model": "model", "person": "you"}
"""Who told a role."""

# ---------------------------------------------------------------- analyse


def _analyse_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", metavar="SESSION|FILE", help=SESSION_HELP)
    take_option(parser)


def _analyse(options: Namespace, console: Console) -> Answer:
    found = files_or_session(options)
    if isinstance(found, InLibrary):
        from core.cli.link import do

        value = do("analyse", found.session, options.take, {}, console)
    else:
        only_files(options)
        from core.desk.sources import file_sources
        from core.jobs.work import analyse

        heard = analyse(file_sources(found.paths), progress=console.progress)
        value = {
            **heard,
            "tracks": [{"file": str(file), **track} for file, track in zip(found.paths, heard["tracks"], strict=True)],
        }
    rows = [
        (
            track["track"],
            track["role"],
            f"{track['confidence']:.0%}",
            BY_WORDS[track["by"]],
            level(track["integrated_lufs"], "LUFS"),
            level(track["sample_peak_dbfs"], "dBFS"),
            track["why"],
        )
        for track in value["tracks"]
    ]
    heading = ("track", "role", "sure", "by", "loudness", "peak", "why")
    notes = "".join(f"\nnote: {note}" for note in value["notes"])
    return Answer(value, table(heading, rows) + _bleed_words(value["bleed"]) + (f"\n{notes}" if notes else ""))


def _bleed_words(bleed: list[dict[str, Any]]) -> str:
    """Who is heard on whose track, as far as it matters to a mix."""
    told = [one for one in bleed if one["level_db"] > BLEED_TOLD_DB]
    lines = [f"  {one['source']} on {one['onto']}, {one['level_db']:+.0f} dB against its playing" for one in told]
    return "\n".join(["\n\nHeard on other tracks:", *lines]) if lines else ""


# ---------------------------------------------------------------- mix


def _mix_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", metavar="SESSION|FILE", help=SESSION_HELP)
    take_option(parser)
    parser.add_argument("--plan", type=place, metavar="FILE", help="render this plan instead of proposing one")
    parser.add_argument("--out", type=place, metavar="FILE", help="where the mix goes (replaced if it exists)")
    parser.add_argument("--stems", type=place, metavar="FOLDER", help="also write each strip's part of the mix there")
    parser.add_argument(
        "--engineer",
        choices=("model", "rules"),
        help="who tells what is on the tracks: learned models where they can be used, or rules alone (default: model)",
    )
    parser.add_argument("--style", help="natural, punchy, warm, big or vintage (default: natural)")
    parser.add_argument("--hands", type=number, metavar="0..1", help="how much of the proposal to apply (default: all)")
    for priority, meaning in (("lead", "a track that stands in front"), ("background", "a track that stands behind")):
        parser.add_argument(
            f"--{priority}", action="append", default=[], metavar="NAME", help=f"{meaning} (repeatable)"
        )
    parser.add_argument("--propose", action="store_true", help="of a session: propose anew, keeping what you set")
    report_option(parser)


def _mix(options: Namespace, console: Console) -> Answer:
    if options.hands is not None and not 0.0 <= options.hands <= 1.0:
        raise OtoError("usage", "--hands is between 0 (untouched) and 1 (the whole proposal).", "", Exit.USAGE)
    if options.plan is not None and _wants_proposal(options):
        raise OtoError(
            "usage",
            "--plan is rendered as it is: no --propose, --engineer, --style, --hands, --lead or --background.",
            "",
            Exit.USAGE,
        )
    found = files_or_session(options)
    value = (
        _mix_session(found, options, console) if isinstance(found, InLibrary) else _mix_files(found, options, console)
    )
    text = f"Mixed to {value['out']}\n  {loudness(value)}\n  plan {value['plan']}{where_report(value)}"
    return Answer(value, text)


def _wants_proposal(options: Namespace) -> bool:
    """Whether anything was said that only a new proposal can heed."""
    said = options.style is not None or options.hands is not None or options.engineer is not None
    return bool(options.propose or said or options.lead or options.background)


def _mix_files(files: Files, options: Namespace, console: Console) -> dict[str, Any]:
    only_files(options)
    from core.desk.sources import file_sources
    from core.jobs import work
    from core.jobs.reports import Drawn, draw_mix

    files, made_here = files.without_mixes(options.what)
    if not files.paths:
        raise OtoError("not_found", "There is nothing to mix but mixes of OTO's own.", "Name one to mix it.")
    out, report = chosen_out(options.out, Path("mix.wav"), (*files.paths, *made_here)), report_file(options)
    stems = stems_folder(options.stems, files.paths, out)
    left_out = [f"{file.name} was left out: OTO made it, its plan lies beside it." for file in made_here]
    for note in left_out:
        console.say(note)
    sources = file_sources(files.paths)
    plan = _given_plan(options.plan)
    with partial(out) as making:
        plan, result = work.mix(
            sources,
            making,
            plan=plan,
            style=options.style or "natural",
            hands=1.0 if options.hands is None else options.hands,
            priorities=work.priorities(options.lead, options.background),
            engineer=work.engineer_of(options.engineer or "model"),
            stems=stems,
            progress=console.progress,
        )
    plan_file = options.plan.absolute() if options.plan else keep_plan(work.plan_bytes(plan), out)
    beside_inputs = out.parent in {file.parent for file in files.paths}
    if options.plan and beside_inputs and not out.with_suffix(PLAN_SUFFIX).exists():
        keep_plan(work.plan_bytes(plan), out)  # or the next mix of the folder would take this one for a track
    drawn = Drawn(None)
    if report is not None:
        made = f"from {len(sources)} files"
        drawn = draw_mix(
            plan, sources, out, report, meter=result.meter, title=out.stem, made=made, progress=console.progress
        )
    value = {**work.mix_value(result, plan_file), "out": str(out)}
    return {**value, "report": drawn.path, "notes": [*left_out, *plan.notes, *drawn.notes]}


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
        "propose": _wants_proposal(options),
        "stems": options.stems is not None,
        "style": options.style,
        "hands": options.hands,
        "lead": options.lead,
        "background": options.background,
        "engineer": options.engineer,
    }
    report = report_file(options)
    if options.out is not None:
        chosen_out(options.out, Path("mix.wav"), ())
    stems_folder(options.stems, ())
    value = do("mix", found.session, take, wanted, console)
    take_report_along(value, report)
    if options.out is not None:
        value["out"] = str(copy(Path(value["out"]), options.out.absolute()))
    if options.stems is not None:
        folder = options.stems.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("stems", "returns"):
            # Under free names: the folder may be the one that the session was imported from.
            copies = {name: copy(Path(file), fresh(folder / Path(file).name)) for name, file in value[kind].items()}
            value[kind] = {name: str(file) for name, file in copies.items()}
    return value


def _put_plan(session: str, take: int | None, plan: Any) -> int:
    """Make a plan the take's own, through the engine when one runs; returns the take's number."""
    from core.cli.link import engine_if_any
    from core.jobs.choice import newest_take
    from core.protocol.requests import ListTakes, ReplacePlan
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


COMMANDS = {
    "analyse": Command(
        "what is on each track",
        "Listen to a session's take, or to files, and say what each is: its role with how sure OTO is, who told it\n"
        "(you, a learned model, or rules about names and sounds) and why; its loudness, peaks, spectrum, noise and\n"
        "hum. Changes nothing. Needs neither session nor engine for files.",
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
            "oto mix Rehearsal --style warm --lead 'Guitar Amp' --background 'Keys L'",
            "oto mix stems/ --plan mix.plan.json --out again.wav",
        ),
        _mix_options,
        _mix,
    ),
}
