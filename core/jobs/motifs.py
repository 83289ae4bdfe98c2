"""The job that proposes a motif: it listens to a take, composes, and keeps notes, a sketch with the band, and why."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import numpy as np

from core.analysis.loudness import LoudnessMeter
from core.desk.sources import FileSource, Source, take_sources
from core.desk.wavfile import FloatWav
from core.dsp.audio import Audio
from core.errors import Exit, OtoError
from core.jobs.bouncing import new_bounce, now_utc, whose
from core.jobs.listening import Listening, listen
from core.jobs.options import option, roles_of, take_of
from core.models.roles import decide_role
from core.muse.compose import best_bar, compose
from core.muse.harmony import Key, key_named, note_name
from core.muse.midifile import write_midi
from core.muse.motif import MARK, MOODS, PARTS, Mood, Motif, Part
from core.muse.sketch import sketch
from core.muse.song import MOST_S, Heard, Song, hear_song
from core.muse.stretch import FEELS, Wish
from core.plans.roles import Role
from core.progress import Progress, part, report
from core.protocol.topics import Job
from core.version import VERSION
from sessions.files import sha256_file, write_atomic
from sessions.model import Bounce, Take
from sessions.store import Library

MOTIF_FILE: Final = "motif.json"
SKETCH_FILE: Final = "motif.wav"
MIDI_FILE: Final = "motif.mid"
ALONE: Final = "Motif"
BAND: Final = "Band"
BARS: Final = range(1, 17)
MOST_SEED: Final = 2**32 - 1
USUAL: Final[dict[str, float]] = {"bars": 4, "density": 0.4, "seed": 0}
"""A seed of 0 is the next one that this take has not had."""
TEMPOS_BPM: Final = (40.0, 240.0)
UNDER_BAND_LU: Final = 3.0
"""How much softer the sketch is than the band."""
PEAK: Final = 0.89
"""-1 dBFS."""
HEARD_LUFS: Final = -18.0
"""How loud both are together, where the peaks let them."""


def make_motif(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    """Propose a motif for a take; raises as `tasks.run_job` does."""
    wish = _wish(job)
    bpm, key, at_s = _said(job)
    take = take_of(library, job)
    sources = take_sources(library, job.session, take.number)
    heard = listen(sources, "model", part(progress, 0.0, 0.6))
    tracks = _tracks(sources, heard, roles_of(take))
    if all(track.analysis.silent or track.role == "click" for track in tracks):
        raise OtoError(
            "bad_input",
            f"Nothing is played on take {take.number}, so there is nothing for a motif to go with.",
            "Choose another take.",
            Exit.BAD_INPUT,
        )
    song = hear_song(tracks, bpm=bpm, key=key, progress=part(progress, 0.6, 0.3))
    if song.key is None and wish.part != "rhythm":
        raise OtoError(
            "bad_input",
            f"Nothing on take {take.number} has a pitch, so there is no key to write a {wish.part} in.",
            "Say one (--key 'A minor'), or ask for a rhythm.",
            Exit.BAD_INPUT,
        )
    report(progress, 0.9, "composing")
    seed = wish.seed or _next_seed(library, take)
    wish = dataclasses.replace(wish, bars=min(wish.bars, song.bars), seed=seed)
    first_bar = _first_bar(song, wish.bars, at_s)
    motif = _document(take, song, first_bar, wish, heard.notes)
    with new_bounce(library, job.session, "motif", take.number) as (bounce_id, folder):
        bounce = _keep(library, tracks, motif, bounce_id, folder)
        library.save_bounce(bounce)
    return {**whose(bounce), **motif_value(motif, folder)}


def read_motif(data: bytes, where: str) -> Motif:
    """Decode a motif document. Raises OtoError("bad_input") naming what is wrong in it."""
    try:
        return msgspec.json.decode(data, type=Motif)
    except ValueError as error:
        raise OtoError("bad_input", f"The motif in {where} can't be read: {error}.", "", Exit.BAD_INPUT) from error


def motif_value(motif: Motif, folder: Path) -> dict[str, Any]:
    """A motif as scripts read it."""
    return {
        "out": str(folder / SKETCH_FILE),
        "midi": str(folder / MIDI_FILE),
        "motif": str(folder / MOTIF_FILE),
        "ai_generated": motif.ai_generated,
        "made_by": motif.made_by,
        "part": motif.part,
        "key": motif.key,
        "bpm": motif.bpm,
        "bars": motif.bars,
        "start_s": motif.beats_s[0],
        "end_s": motif.beats_s[-1],
        "chords": [{"at_beats": chord.at_beats, "name": chord.name, "heard": chord.heard} for chord in motif.chords],
        "notes": [msgspec.to_builtins(note) for note in motif.notes],
        "notes_in_words": "" if motif.part == "rhythm" else in_words(motif),
        "seed": motif.seed,
        "why": list(motif.why),
    }


def _wish(job: Job) -> Wish:
    wanted, mood = option(job, "part", str, "melody"), option(job, "mood", str, "plain")
    for name, known in ((wanted, PARTS), (mood, MOODS)):
        if name not in known:
            raise OtoError(
                "bad_input", f"There is no {name!r} for a motif.", f"Say {', '.join(known)}.", Exit.BAD_INPUT
            )
    bars, density, seed = (option(job, name, (int, float), usual) for name, usual in USUAL.items())
    if bars not in BARS or not 0 <= density <= 1 or not 0 <= seed <= MOST_SEED or seed != int(seed):
        raise OtoError(
            "bad_input",
            f"A motif has 1 to 16 bars, a density of 0 to 1 and a whole seed from 0 to {MOST_SEED}.",
            "Leave out what needs no wish.",
            Exit.BAD_INPUT,
        )
    return Wish(
        part=cast("Part", wanted), bars=int(bars), density=float(density), mood=cast("Mood", mood), seed=int(seed)
    )


def _said(job: Job) -> tuple[float | None, Key | None, float | None]:
    """Tempo, key and place as a person says them."""
    bpm, at_s = option(job, "bpm", (int, float, type(None)), None), option(job, "at_s", (int, float, type(None)), None)
    if bpm is not None and not TEMPOS_BPM[0] <= bpm <= TEMPOS_BPM[1]:
        raise OtoError(
            "bad_input", f"{bpm:g} is no tempo for a motif.", "Say 40 to 240 beats a minute.", Exit.BAD_INPUT
        )
    name = option(job, "key", str, "")
    key = key_named(name) if name else None
    if name and key is None:
        raise OtoError("bad_input", f"{name!r} is no key.", "Write it as 'A minor' or 'Bb major'.", Exit.BAD_INPUT)
    return (None if bpm is None else float(bpm)), key, (None if at_s is None else float(at_s))


def _next_seed(library: Library, take: Take) -> int:
    """One more than there are motifs of the take, or the first after it that none of them has."""
    had: list[int] = []
    for bounce in library.bounces(take.session):
        if bounce.kind == "motif" and bounce.take == take.number:
            had.append(0)
            with contextlib.suppress(OSError, OtoError):
                file = library.bounce_path(bounce.session, bounce.id) / bounce.plan
                had[-1] = read_motif(file.read_bytes(), bounce.id).seed
    return next(seed for seed in itertools.count(len(had) + 1) if seed not in had)


def _tracks(sources: list[Source], heard: Listening, roles: dict[str, str]) -> list[Heard]:
    tracks: list[Heard] = []
    for source in sources:
        analysis = heard.analyses[source.name]
        given = roles.get(source.name)
        role = (
            cast("Role", given) if given else decide_role(source.name, analysis, heard.recognised.get(source.name)).role
        )
        tracks.append(Heard(source, role, analysis))
    return tracks


def _first_bar(song: Song, bars: int, at_s: float | None) -> int:
    if at_s is None:
        return best_bar(song, bars)
    starts = song.beats_s[: -1 : song.beats_per_bar]
    bar = int(np.searchsorted(starts, at_s + 1e-6, side="right")) - 1
    return min(max(bar, 0), song.bars - bars)


def _document(take: Take, song: Song, first_bar: int, wish: Wish, notes: tuple[str, ...]) -> Motif:
    composed = compose(song, first_bar, wish)
    first, count = first_bar * song.beats_per_bar, wish.bars * song.beats_per_bar
    beats_s = tuple(round(float(at), 4) for at in song.beats_s[first : first + count + 1])
    why = (_why_beat(song), *_why_key(song), _why_here(song, first_bar, wish.bars), *composed.why, *notes)
    if song.heard_s >= MOST_S:
        why = (*why, f"Only the first {MOST_S / 60:.0f} minutes were listened to.")
    return Motif(
        made_by=f"OTO {VERSION}, muse (rules)",
        part=wish.part,
        mood=wish.mood,
        density=round(min(max(wish.density + FEELS[wish.mood].density, 0.0), 1.0), 2),
        seed=wish.seed,
        session=take.session,
        take=take.number,
        bpm=round(60.0 * count / (beats_s[-1] - beats_s[0]), 1),
        beats_per_bar=song.beats_per_bar,
        bars=wish.bars,
        beats_s=beats_s,
        key=song.key.name if song.key else "",
        tuning_cents=song.tuning_cents,
        chords=composed.chords,
        notes=composed.notes,
        why=why,
    )


def _why_beat(song: Song) -> str:
    if song.tempo is None:
        return f"No steady beat is heard, so the bars are counted at {song.bpm:.0f} beats a minute; say one with --bpm."
    if song.tempo.confidence == 1.0:
        apart = abs(song.bpm / song.tempo.bpm - 1.0) > 0.01
        return (
            f"You said {song.tempo.bpm:g} beats a minute{f'; as it is played it is {song.bpm:.1f}' if apart else ''}."
        )
    return f"The beat is {song.tempo.bpm:g} a minute ({song.tempo.confidence:.0%} sure), counted in bars of four."


def _why_key(song: Song) -> list[str]:
    if song.key is None:
        return []
    if song.key.next_name:
        key = f"The key is {song.key.name}: what sounds resembles it most ({song.key.likeness:.2f} of 1; next " + (
            f"{song.key.next_name} with {song.key.next_likeness:.2f})."
        )
    else:
        key = f"You said {song.key.name}."
    if abs(song.tuning_cents) < 10.0:
        return [key]
    up = "above" if song.tuning_cents > 0 else "below"
    return [key, f"The band is tuned {abs(song.tuning_cents):.0f} cents {up} 440 Hz, and so is the sketch."]


def _why_here(song: Song, first_bar: int, bars: int) -> str:
    start_s = float(song.beats_s[first_bar * song.beats_per_bar])
    names = [chord.name_in(song.key) for chord in song.chords[first_bar * 2 : (first_bar + bars) * 2]]
    told = [name for n, name in enumerate(names) if not n or names[n - 1] != name]
    over = f" over {' '.join(told)}" if told else ""
    return f"It is made for bars {first_bar + 1} to {first_bar + bars}, from {start_s:.1f} s on{over}."


def _keep(library: Library, tracks: list[Heard], motif: Motif, bounce_id: str, folder: Path) -> Bounce:
    """Write the motif's files and return its bounce."""
    rate_hz = tracks[0].source.rate_hz
    start, end = (round(motif.beats_s[at] * rate_hz) for at in (0, -1))
    start = max(start, 0)
    alone = np.tile(sketch(motif, rate_hz, end - start), (2, 1))
    band = _band(library, motif, tracks, start, end - start)
    levels = [_lufs(audio, rate_hz) for audio in (alone, band)]
    if None not in levels:
        alone *= np.float32(10.0 ** ((cast("float", levels[1]) - UNDER_BAND_LU - cast("float", levels[0])) / 20.0))
    highest = max(float(np.abs(audio).max(initial=0.0)) for audio in (alone, band, alone + band))
    together_lufs = _lufs(alone + band, rate_hz)
    gain = PEAK / max(highest, 1e-9)
    if together_lufs is not None:
        gain = min(gain, 10.0 ** ((HEARD_LUFS - together_lufs) / 20.0))
    alone, band = alone * np.float32(gain), band * np.float32(gain)
    stems = {ALONE: (f"{ALONE}.wav", alone), BAND: (f"{BAND}.wav", band)}
    together = alone + band
    for name, audio in ((SKETCH_FILE, together), *stems.values()):
        about = "" if name == f"{BAND}.wav" else f"{MARK}. {motif.made_by}"
        with FloatWav(folder / name, rate_hz=rate_hz, channels=2, start_samples=start, description=about) as file:
            file.append(audio)
    write_midi(motif, folder / MIDI_FILE)
    write_atomic(folder / MOTIF_FILE, msgspec.json.format(msgspec.json.encode(motif), indent=2) + b"\n")
    meter = LoudnessMeter(rate_hz, 2)
    meter.add(together)
    loudness = meter.result()
    return Bounce(
        id=bounce_id,
        kind="motif",
        session=motif.session or "",
        take=motif.take or 0,
        file=SKETCH_FILE,
        plan=MOTIF_FILE,
        stems={name: file for name, (file, _) in stems.items()},
        beside=(MIDI_FILE,),
        created_utc=now_utc(),
        rate_hz=rate_hz,
        frames=end - start,
        start_samples=start,
        integrated_lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
        sha256=sha256_file(folder / SKETCH_FILE),
        oto_version=VERSION,
        about=f"{motif.part}, {motif.key}" if motif.key and motif.part != "rhythm" else motif.part,
        why=(f"{motif.mark}.", *motif.why),
    )


def _band(library: Library, motif: Motif, tracks: list[Heard], start: int, frames: int) -> Audio:
    """These bars of the take's newest mix; where there is none that can be read, of its tracks, added up."""
    rate_hz = tracks[0].source.rate_hz
    for bounce in library.bounces(motif.session or ""):
        if bounce.kind == "mix" and bounce.take == motif.take and bounce.start_samples <= start:
            first = start - bounce.start_samples
            with contextlib.suppress(OtoError):
                mix = FileSource(library.bounce_path(bounce.session, bounce.id) / bounce.file)
                if mix.rate_hz == rate_hz and first + frames <= mix.frames:
                    return mix.read(first, frames)
    band = [track.source for track in tracks if track.role != "click"]
    added = np.zeros((2, frames), np.float32)
    for source in band:
        added += source.read(start, frames)
    return added / np.float32(max(len(band), 1) ** 0.5)


def _lufs(audio: Audio, rate_hz: int) -> float | None:
    meter = LoudnessMeter(rate_hz, audio.shape[0])
    meter.add(np.ascontiguousarray(audio))
    return meter.result().integrated_lufs


def in_words(motif: Motif) -> str:
    """The notes, bar by bar, as musicians read them."""
    key = key_named(motif.key)
    bars: dict[int, list[str]] = {}
    for note in sorted(motif.notes, key=lambda one: (one.at_beats, one.pitch)):
        bars.setdefault(int(note.at_beats // motif.beats_per_bar), []).append(note_name(note.pitch, key))
    return " | ".join(" ".join(names) for _, names in sorted(bars.items()))
