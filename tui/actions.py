"""Everything a person can do, once: key map, footer, help, palette and docs/keys.md are all derived from here.

A key means one thing everywhere. Letters act where no text is being typed; function keys act even there. Nothing needs
a key that the Linux console does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from core.protocol import requests
from tui import words
from tui.picture import Picture

ScreenName = Literal["record", "takes", "mix", "master", "export", "box", "sessions", "help"]
SCREENS: Final[tuple[ScreenName, ...]] = get_args(ScreenName)
Group = Literal["Transport", "Studio", "Lists", "Record", "Takes", "Mix", "Master", "Export", "Box"]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)

Rank = Literal["no", "wide", "always"]
"""Whether the footer shows an action: where there is room for it, or even on 80 columns."""

Reason = Callable[[Picture], str]
"""Why an action can't be done now, as a sentence; "" when it can."""


def _always(_: Picture) -> str:
    return ""


def _linked(picture: Picture) -> str:
    return "" if picture.link == "up" else "The engine is away; this studio is reconnecting."


def _session(picture: Picture) -> str:
    return _linked(picture) or ("" if picture.session.session else "No session is open: N makes one, O opens one.")


def _hears(picture: Picture) -> str:
    device = picture.device
    if reason := _linked(picture):
        return reason
    if device.current is None and device.problem is not None:
        return words.clean(f"{device.problem.message} {device.problem.hint}").strip()
    return "" if device.current else "No interface is in use: d chooses one."


def _can_record(picture: Picture) -> str:
    if reason := _hears(picture):
        return reason
    if picture.tracks and not any(track.armed for track in picture.tracks):
        return "No track is armed: a arms one, A all."
    return ""


def _can_stop(picture: Picture) -> str:
    return _linked(picture) or ("" if picture.recording or picture.playing else "Nothing is running.")


def _can_play(picture: Picture) -> str:
    return _session(picture) or ("Recording goes on; s stops it." if picture.recording else "")


def _rolling(picture: Picture) -> str:
    if picture.transport.state in ("recording", "playing"):
        return _linked(picture)
    return "A marker needs a take that is being recorded or played."


def _playing(picture: Picture) -> str:
    return _linked(picture) or ("" if picture.playing else "Nothing is playing.")


def _has_take(picture: Picture) -> str:
    return _session(picture) or ("" if picture.recording or picture.takes.takes else "There is no take yet.")


def _has_finished_take(picture: Picture) -> str:
    return _session(picture) or ("" if picture.finished_takes else "There is no finished take yet: r records one.")


def _has_comp(picture: Picture) -> str:
    if reason := _session(picture):
        return reason
    return "" if picture.comp.comp.parts else "No comp is begun: + puts the selected take into one."


def _not_recording(picture: Picture) -> str:
    return _linked(picture) or ("This waits until recording stops." if picture.recording else "")


def _can_arm(picture: Picture) -> str:
    return _session(picture) or ("Arming waits until recording stops." if picture.recording else "")


def _has_bounce(picture: Picture) -> str:
    return _session(picture) or ("" if picture.bounces.bounces else "There is no bounce yet: b on Mix makes one.")


def _has_song(picture: Picture) -> str:
    return _session(picture) or ("" if picture.songs else "There is no mix yet: b on Mix makes one.")


def _has_job(picture: Picture) -> str:
    return _linked(picture) or ("" if picture.running_jobs else "No work is in progress.")


@dataclass(frozen=True)
class Action:
    """One thing to do. Where `request` is None, a screen or the app has a method `do_<id>`."""

    id: str
    keys: tuple[str, ...]
    """Textual's names; the first is the one that is shown."""
    label: str
    """One or two words for the footer."""
    tip: str
    """One sentence for help and palette."""
    group: Group
    screens: tuple[ScreenName, ...] = SCREENS
    footer: Rank = "no"
    when: Reason = _always
    request: Callable[[Picture], requests.Request] | None = None

    def keys_now(self, picture: Picture) -> tuple[str, ...]:
        """Its keys on this studio: a person may have given it others."""
        return picture.keys.get(self.id, self.keys)

    def shown_key(self, picture: Picture) -> str:
        """Its first key as it is printed on a keyboard; "" when it has none."""
        keys = self.keys_now(picture)
        return shown_key(keys[0]) if keys else ""


KEY_NAMES: Final = {
    "space": "Space",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "backspace": "Bksp",
    "delete": "Del",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "asterisk": "*",
    "minus": "-",
    "colon": ":",
    "semicolon": ";",
    "slash": "/",
    "backslash": "\\",
    "equals_sign": "=",
    "plus": "+",
    "underscore": "_",
    "apostrophe": "'",
    "quotation_mark": '"',
    "number_sign": "#",
    "exclamation_mark": "!",
    "at": "@",
    "dollar_sign": "$",
    "percent_sign": "%",
    "ampersand": "&",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "vertical_line": "|",
    "tilde": "~",
    "circumflex_accent": "^",
    "grave_accent": "`",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}
"""Textual's names of keys that are no letter, digit or function key, and what is printed on them."""


def shown_key(key: str) -> str:
    """A Textual key name as it is printed on a keyboard; capitals mean shift."""
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    if key.startswith("ctrl+"):
        return "Ctrl+" + key[5:].upper()
    return key.upper() if key.startswith("f") and key[1:].isdigit() else key


_RECORD: Final = ("record",)
_TAKES: Final = ("record", "takes")
_SHELVES: Final = ("record", "takes", "sessions")
_MIX: Final = ("mix",)
_EXPORT: Final = ("export",)
_SLIDING: Final = ("takes", "mix", "master")
_MASTER: Final = ("mix", "master")
_COMPARING: Final = ("takes", "mix", "master")
_HEARING: Final = ("record", "takes", "mix", "master", "export", "box", "sessions")

ACTIONS: Final[tuple[Action, ...]] = (
    # Transport: everywhere.
    Action(
        "record", ("r", "f2"), "Rec", "Start a take; while recording, go on with the next one without a gap.",
        "Transport", footer="always", when=_can_record, request=lambda _: requests.Record(),
    ),
    Action(
        "stop", ("s", "f3"), "Stop", "Stop recording or playing.",
        "Transport", footer="always", when=_can_stop, request=lambda _: requests.Stop(),
    ),
    Action(
        "play", ("space",), "Play", "Play what is selected, or stop playing. Never stops a recording.",
        "Transport", footer="always", when=_can_play,
    ),
    Action(
        "mark", ("m",), "Mark", "Set a marker now.",
        "Transport", footer="always", when=_rolling, request=lambda _: requests.Mark(),
    ),
    Action(
        "mark_named", ("M",), "Named mark", "Type a name; the marker is set when Enter is pressed.",
        "Transport", footer="wide", when=_rolling,
    ),
    Action(
        "false_take", ("f",), "False", "Call this take, or the last one, false: it is kept, its number is free again.",
        "Transport", footer="always", when=_has_take,
    ),
    Action(
        "keep_last", ("k",), "Keep", "Make a take of what was just played, though nobody pressed record.",
        "Transport", footer="always", when=_hears,
    ),
    Action(
        "overdub", ("v",), "Overdub", "Record onto the armed tracks while the selected take plays.",
        "Transport", screens=_RECORD, footer="wide", when=_can_record,
    ),
    Action("seek_back", ("comma",), "Back", "Play from 5 seconds earlier.", "Transport",
           when=_playing, request=lambda picture: requests.Seek(at_s=max(picture.position_s - 5.0, 0.0))),
    Action("seek_on", ("full_stop",), "Forward", "Play from 5 seconds later.", "Transport",
           when=_playing, request=lambda picture: requests.Seek(at_s=picture.position_s + 5.0)),
    # Record.
    Action("arm", ("a",), "Arm", "Arm or disarm the selected track.", "Record",
           screens=_RECORD, footer="always", when=_can_arm),
    Action("arm_all", ("A",), "Arm all", "Arm every track, or disarm all when all are armed.", "Record",
           screens=_RECORD, footer="wide", when=_can_arm,
           request=lambda picture: requests.ArmAll(armed=not all(track.armed for track in picture.tracks))),
    Action("rename", ("n",), "Name", "Give what is selected a name: a track, a take, a marker, a session.", "Takes",
           screens=_SHELVES, footer="always", when=_session),
    Action("role", ("i",), "Role", "Say which instrument the selected track is.", "Record",
           screens=_RECORD, footer="always", when=_session),
    Action("clear_clips", ("c",), "Clear clips", "Forget clip counts and peak holds.", "Record",
           screens=_RECORD, footer="wide", when=_linked, request=lambda _: requests.ClearClips()),
    # Takes.
    Action("star", ("asterisk",), "Star", "Mark the selected take as a good one, or no longer.", "Takes",
           screens=_TAKES, footer="wide", when=_has_take),
    Action("notes", ("w",), "Notes", "Write about the selected take or session.", "Takes",
           screens=("takes", "sessions"), footer="wide", when=_linked),
    Action("motif", ("W",), "Motif", "Let OTO propose a motif that goes with the selected take: a melody, a bass line, "
           "chords or hand percussion.", "Takes", screens=("takes",), footer="wide", when=_has_finished_take),
    Action("trash", ("delete",), "Trash", "Move what is selected to the trash, or take a marker, a part of the comp or "
           "a song of the album away.", "Takes", screens=(*_SHELVES, "master"), footer="wide", when=_linked),
    Action("restore", ("R",), "Restore", "Bring something back out of the trash, or empty it.", "Takes",
           screens=("takes", "sessions"), footer="wide", when=_linked),
    Action("find", ("slash",), "Find", "Show only the lines with these words, or all of them again.", "Takes",
           screens=("takes", "sessions"), footer="wide", when=_linked),
    Action("part_start", ("left_parenthesis",), "From", "A stretch begins here, where it plays or where the cursor is.",
           "Takes", screens=("takes",), footer="always", when=_has_finished_take),
    Action("part_end", ("right_parenthesis",), "To", "The stretch ends here.",
           "Takes", screens=("takes",), footer="always", when=_has_finished_take),
    Action("put_part", ("plus",), "Put", "The selected take plays in this stretch of the comp; on Master, the selected "
           "mix is the next song of the album.", "Takes", screens=("takes", "master"), footer="always",
           when=_has_finished_take),
    Action("make_take", ("T",), "Make take", "Make a take of the comp; the takes that it is made of stay as they are.",
           "Takes", screens=("takes",), footer="always", when=_has_comp),
    Action("seam_fade", ("V",), "Fade", "Say how long the seams of the comp take.",
           "Takes", screens=("takes",), footer="wide", when=_has_comp),
    Action("offset", ("equals_sign",), "Offset", "Say by how much the selected part's take is late in the comp.",
           "Takes", screens=("takes",), when=_has_comp),
    Action("edit_comp", ("E",), "Edit comp", "Take the selected comp up again as it was put together.",
           "Takes", screens=("takes",), when=_has_finished_take),
    # Mix.
    Action("less", ("left",), "Less", "Turn the selected setting down a little (on a strip, its fader; on an album, "
           "the gap after the song); in a take, earlier.", "Lists", screens=_SLIDING, when=_linked),
    Action("more", ("right",), "More", "Turn the selected setting up a little (on a strip, its fader; on an album, "
           "the gap after the song); in a take, later.", "Lists", screens=_SLIDING, when=_linked),
    Action("less_much", ("less_than_sign",), "Much less", "The same ten times as far down, or earlier.", "Lists",
           screens=_SLIDING, when=_linked),
    Action("more_much", ("greater_than_sign",), "Much more", "The same ten times as far up, or later.", "Lists",
           screens=_SLIDING, when=_linked),
    Action("neutral", ("backspace",), "Neutral", "Put the selected setting back to where it was at first.", "Lists",
           screens=("mix", "box"), when=_linked),
    Action("lock", ("l",), "Lock", "Accept the selected setting: it stays when OTO proposes again; again lets it go.",
           "Mix", screens=_MIX, footer="wide", when=_linked),
    Action("undo", ("u",), "Undo", "Take the last change of the plan, the comp or the album back, again and again; "
           "set a marker again that was taken away.",
           "Mix", screens=_SLIDING, footer="always", when=_session),
    Action("redo", ("U",), "Redo", "Put back what was undone.", "Mix", screens=_SLIDING, footer="wide", when=_session),
    Action("knobs", ("z",), "All knobs", "Show every knob of the strip, or only those that are set.", "Mix",
           screens=_MIX),
    Action("propose", ("p",), "Propose", "Let OTO propose the mix; what a person set or locked stays.", "Mix",
           screens=_MIX, footer="always", when=_has_finished_take),
    Action("style", ("P",), "Style", "Let OTO propose the mix in a style to choose.", "Mix",
           screens=_MIX, footer="wide", when=_has_finished_take),
    Action("hands", ("h",), "Hands", "Choose how much of the proposal is applied, from nothing to all.", "Mix",
           screens=_MIX, footer="wide", when=_has_finished_take),
    Action("solo", ("o",), "Solo", "Hear the selected strip alone, out of the stems of the newest mix.", "Mix",
           screens=_MIX, footer="wide", when=_can_play),
    Action("mute", ("minus",), "Mute", "Leave the selected strip out of what is heard.", "Mix",
           screens=_MIX, footer="wide", when=_can_play),
    Action("console", ("Z",), "Console", "Show the strips side by side with their curves, or as a table.", "Mix",
           screens=_MIX, footer="wide"),
    Action("priority", ("j",), "Priority", "Make the selected track a lead, normal, or background; heeded when OTO "
           "proposes.", "Mix", screens=_MIX, footer="wide", when=_linked),
    Action("keep_plan", ("K",), "Keep plan", "Keep the plan that stands as A, B or C, or go on with a kept one.", "Mix",
           screens=_MIX, when=_has_finished_take),
    Action("next_plan", ("X",), "A/B/C", "Hear the next of the kept plans, from the same place and as loud.", "Mix",
           screens=_MIX, when=_can_play),
    Action("bounce", ("b",), "Bounce", "Render the mix with the plan as it stands.", "Mix",
           screens=_MIX, footer="always", when=_has_finished_take),
    Action("bounce_stems", ("t",), "Stems", "Render the mix, and every strip of it as a file of its own.", "Mix",
           screens=_MIX, footer="wide", when=_has_finished_take),
    Action("master", ("B",), "Master", "Make a master of the mix, for a target to choose; while the album is shown, of "
           "all its songs.", "Master", screens=_MASTER, footer="always", when=_has_song),
    Action("reference", ("L",), "Like", "Master towards the sound of a reference song on this box.", "Master",
           screens=("master",), footer="always", when=_has_song),
    Action("album", ("D",), "Album", "Show the album's songs in their order, or the song that is selected.", "Master",
           screens=("master",), footer="always", when=_session),
    Action("song_before", ("left_curly_bracket",), "Earlier", "The selected song comes one earlier on the album.",
           "Master", screens=("master",), when=_session),
    Action("song_after", ("right_curly_bracket",), "Later", "The selected song comes one later on the album.",
           "Master", screens=("master",), when=_session),
    Action("compare", ("x",), "A/B", "Hear the selected bounce or take from where the other one is.", "Transport",
           screens=_COMPARING, footer="always", when=_can_play),
    Action("take_before", ("left_square_bracket",), "Take before", "Mix the take before this one.", "Mix",
           screens=_MIX, when=_has_finished_take),
    Action("take_after", ("right_square_bracket",), "Take after", "Mix the take after this one.", "Mix",
           screens=_MIX, footer="wide", when=_has_finished_take),
    # Export.
    Action("export", ("e",), "Export", "Write what is chosen to the drive, read it back and compare.", "Export",
           screens=_EXPORT, footer="always", when=_has_bounce),
    Action("folder", ("g",), "Folder", "Export into a folder of this box instead of a drive.", "Export",
           screens=_EXPORT, footer="always", when=_linked),
    Action("look_again", ("y",), "Look again", "Look for drives again.", "Export",
           screens=_EXPORT, footer="wide", when=_linked, request=lambda _: requests.ListDrives()),
    # Box.
    Action("controls", ("F",), "Foot switch", "Teach pedals, buttons and MIDI controllers what to do, or forget it.",
           "Box", screens=("box",), footer="wide", when=_linked),
    Action("power_off", ("Q",), "Power off", "Switch the box off; asks first.", "Box",
           screens=("box",), footer="always", when=_not_recording),
    # Lists.
    Action("choose", ("enter",), "Choose", "Choose, play, change or type in what the line stands for.", "Lists",
           screens=_HEARING, footer="wide"),
    Action("up", ("up",), "Up", "One line up.", "Lists"),
    Action("down", ("down",), "Down", "One line down.", "Lists"),
    Action("page_up", ("pageup",), "Page up", "One page up.", "Lists"),
    Action("page_down", ("pagedown",), "Page down", "One page down.", "Lists"),
    Action("top", ("home",), "Top", "The first line.", "Lists"),
    Action("bottom", ("end",), "Bottom", "The last line.", "Lists"),
    Action("next_area", ("tab",), "Next area", "To the next area of the screen.", "Lists"),
    Action("area_before", ("shift+tab",), "Area before", "To the area before.", "Lists"),
    # Studio.
    Action("go_record", ("1",), "Record", "The Record screen.", "Studio"),
    Action("go_takes", ("2",), "Takes", "The Takes screen.", "Studio"),
    Action("go_mix", ("3",), "Mix", "The Mix screen.", "Studio"),
    Action("go_master", ("4",), "Master", "The Master screen.", "Studio"),
    Action("go_export", ("5",), "Export", "The Export screen.", "Studio"),
    Action("go_box", ("6",), "Box", "The Box screen.", "Studio"),
    Action("go_sessions", ("S",), "Sessions", "All sessions: open, name, write about, put into the trash.", "Studio"),
    Action("go_help", ("question_mark", "f1"), "Keys", "All keys.", "Studio", footer="always"),
    Action("guide", ("G",), "Guide", "Be guided through a first recording, from the meters to the master.", "Studio"),
    Action("palette", ("colon", "ctrl+p"), "Palette", "Find anything by its name.", "Studio"),
    Action("device", ("d",), "Interface", "Choose the audio interface.", "Studio", when=_not_recording),
    Action("new_session", ("N",), "New session", "Make a session and open it.", "Studio", when=_not_recording),
    Action("open_session", ("O",), "Open session", "Open another session.", "Studio", when=_not_recording),
    Action("cancel_job", ("C",), "Cancel work", "Cancel the mix, master or export in progress.", "Studio",
           when=_has_job),
    Action("redraw", ("ctrl+l",), "Redraw", "Send the whole screen again, when something else wrote on it.", "Studio"),
    Action("leave_place", ("escape",), "Back", "Put a message away, end the guide, else go back to Record.", "Studio"),
    Action("quit", ("q",), "Quit", "Leave the studio. A recording goes on without it.", "Studio", footer="always"),
)  # fmt: skip

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}


def elsewhere(action: Action, picture: Picture) -> str:
    """On which screens an action is done that is none of this one's, and how to get there."""
    there = [BY_ID[f"go_{name}"] for name in action.screens]
    *first, last = (f"{one.label} ({one.shown_key(picture) or '-'})" for one in there)
    return f"{action.label} is done on {' or '.join(filter(None, (', '.join(first), last)))}."


def actions_of(screen: ScreenName) -> tuple[Action, ...]:
    """What can be done on a screen, in the order of the registry."""
    return tuple(action for action in ACTIONS if screen in action.screens)
