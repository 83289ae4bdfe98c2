"""The first start of a box from an image: a few plain questions on its screen, or a file on its boot partition.

It runs as root, once, before the studio takes the screen, and writes what was answered. The engine runs already: who
presses the foot switch before anyone has answered records all the same.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from getpass import getpass
from pathlib import Path
from typing import Final, NamedTuple

from core.appliance.install import Box, Step
from core.appliance.release import HOME
from core.errors import OtoError

WANTED: Final = "/etc/oto/first-start"
"""There on a box from an image until its first start is done."""

BOOT: Final = ("/boot/firmware", "/boot/efi")
ANSWERS: Final = "oto-setup.json"
"""On the boot partition it answers every question; it is removed once it has, for passwords are in it."""

KEYS: Final = "authorized_keys"
"""Keys of who may come by SSH, on the boot partition."""

PATIENCE_S: Final = 90.0
"""How long a program may take; then the questions and the other steps go on without it."""

HOST_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
COUNTRY: Final = re.compile(r"[A-Z]{2}|")
KEY: Final = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+( [^\n]*)?")


@dataclass(frozen=True)
class Answers:
    """What a first start asks. Empty means: leave it as it is."""

    name: str = "oto"
    """Host name: lower-case letters, digits and hyphens."""
    password: str = ""
    """For `oto` by SSH, and for root on the box's own screen; without one nobody can log in by password."""
    wifi_country: str = ""
    """Two letters (ISO 3166): which channels may be used."""
    wifi_name: str = ""
    wifi_password: str = ""
    device: str = ""
    """The interface, as `oto devices` names it."""

    def __post_init__(self) -> None:
        """Raise OtoError("bad_input") for what can't be, and say what could."""
        for text in asdict(self).values():
            if not (isinstance(text, str) and text.isprintable()):
                raise _bad("That has characters that can't be typed.", "Letters, digits and signs.")
        if not HOST_NAME.fullmatch(self.name):
            raise _bad(f"{self.name!r} can't be a box's name.", "Lower-case letters, digits and hyphens.")
        if not COUNTRY.fullmatch(self.wifi_country):
            raise _bad(f"{self.wifi_country!r} is no country.", "Two capital letters, as DE or US.")
        if self.wifi_name and not self.wifi_country:
            raise _bad("Wi-Fi needs the country that the box is in.", "Two capital letters, as DE or US.")
        if len(self.wifi_name.encode()) > 32:
            raise _bad("That is too long for a network's name.", "At most 32 bytes.")
        if self.wifi_password and not 8 <= len(self.wifi_password) <= 63:
            raise _bad("A password of Wi-Fi has 8 to 63 characters.", "Leave it empty for an open network.")


def _bad(message: str, hint: str) -> OtoError:
    return OtoError("bad_input", message, hint)


class Terminal(NamedTuple):
    """Who is asked: a line, a line that is not shown, and what is said."""

    ask: Callable[[str], str] = input
    ask_hidden: Callable[[str], str] = getpass
    say: Callable[[str], object] = print


def read_answers(text: str) -> Answers:
    """The answers in a file. Raises OtoError("bad_input") for what is not one."""
    try:
        found = json.loads(text)
        known = {field.name for field in fields(Answers)}
        if not isinstance(found, dict) or not set(found) <= known:
            raise _bad(f"{ANSWERS} is not a list of answers.", f"One object with any of {', '.join(sorted(known))}.")
        return Answers(**found)
    except ValueError as error:
        raise _bad(f"{ANSWERS} can't be read: {error}.", "It is JSON.") from error


def ask(terminal: Terminal, devices: Mapping[str, str]) -> Answers:
    """Ask each question until its answer can be; `devices` are interfaces by id, with their names."""

    def one(question: str, field: str, *, hidden: bool = False, before: Answers) -> Answers:
        while True:
            said = (terminal.ask_hidden if hidden else terminal.ask)(question).strip()
            try:
                return Answers(**{**asdict(before), **({field: said} if said else {})})
            except OtoError as error:
                terminal.say(f"  {error.message} {error.hint}")

    terminal.say("\nOTO: a few questions, once. Enter leaves what is in [brackets].\n")
    answers = one("  Name of this box [oto]: ", "name", before=Answers())
    while True:
        answers = one("  Password, for SSH and this screen [none]: ", "password", hidden=True, before=answers)
        if not answers.password or terminal.ask_hidden("  Once more: ").strip() == answers.password:
            break
        terminal.say("  These differ.")
        answers = Answers(name=answers.name)
    answers = one("  Country for Wi-Fi, two letters [no Wi-Fi]: ", "wifi_country", before=answers)
    if answers.wifi_country:
        answers = one("  Name of the network [none]: ", "wifi_name", before=answers)
    if answers.wifi_name:
        answers = one("  Its password [open]: ", "wifi_password", hidden=True, before=answers)
    names = list(devices)
    for number, name in enumerate(names, start=1):
        terminal.say(f"  {number}  {devices[name]}")
    while True:
        said = terminal.ask("  Interface to record from, by number [later]: ").strip() if names else ""
        if not said or (said.isdecimal() and 1 <= int(said) <= len(names)):
            return Answers(**{**asdict(answers), "device": names[int(said) - 1] if said else ""})
        terminal.say(f"  A number from 1 to {len(names)}.")


def network(answers: Answers) -> str:
    """What wpa_supplicant is told (wpa_supplicant.conf(5)): a name in hexadecimal and a key need no quotes.

    The key is PBKDF2 of password and name, 4096 rounds of HMAC-SHA1, 256 bits (IEEE 802.11-2020, annex J.4.1).
    """
    name, password = answers.wifi_name.encode(), answers.wifi_password.encode()
    secret = f"psk={hashlib.pbkdf2_hmac('sha1', password, name, 4096, 32).hex()}" if password else "key_mgmt=NONE"
    lines = ["ctrl_interface=/run/wpa_supplicant", f"country={answers.wifi_country}"]
    return "\n".join([*lines, *([f"network={{\n    ssid={name.hex()}\n    {secret}\n}}"] if name else []), ""])


def settle(box: Box, answers: Answers) -> list[Step]:
    """Steps that make a box what was answered; the last says that its first start is done."""
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {answers.name}\n::1 localhost ip6-localhost\n"
    steps = [
        Step(f"call the box {answers.name}", lambda: box.at("/etc/hostname").write_text(f"{answers.name}\n")),
        Step("let it find itself", lambda: box.at("/etc/hosts").write_text(hosts)),
    ]
    if box.here:
        steps.append(_run("say so", "hostnamectl", "set-hostname", answers.name))
    if answers.password:
        people = "".join(f"{name}:{answers.password}\n" for name in ("oto", "root"))
        root = [] if box.root == Path("/") else ["--root", str(box.root)]
        steps.append(_run("set the password", "chpasswd", *root, text=people))
    if answers.wifi_country:
        steps.append(Step("write what Wi-Fi needs", lambda: _write_secret(box, network(answers))))
        if box.here:
            steps.append(_run("join it", "systemctl", "enable", "--now", "--no-block", "wpa_supplicant@wlan0.service"))
    if answers.device and box.here:
        steps.append(_run("choose the interface", f"{HOME}/current/bin/oto", "settings", "device", answers.device))
    return [*steps, Step("be done with the first start", lambda: box.at(WANTED).unlink(missing_ok=True))]


def _write_secret(box: Box, text: str) -> None:
    path = box.at("/etc/wpa_supplicant/wpa_supplicant-wlan0.conf")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def _run(words: str, *command: str, text: str = "") -> Step:
    def do() -> None:
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise OtoError("timeout", f"'{command[0]}' took more than {PATIENCE_S:g} s.", "") from error
        if done.returncode:
            raise OtoError("failed", f"'{command[0]}' failed: {(done.stderr or done.stdout).strip()[-300:]}", "")

    return Step(words, do)


def take_keys(box: Box) -> bool:
    """Let in by SSH whose keys lie on the boot partition; says whether there were any. Other lines are left out."""
    for folder in BOOT:
        if (found := box.at(f"{folder}/{KEYS}")).is_file():
            keys = [line.strip() for line in found.read_text(errors="replace").splitlines()]
            good = [line for line in keys if KEY.fullmatch(line)]
            box.at("/etc/oto/authorized_keys").write_text("".join(f"{line}\n" for line in good))
            box.at("/etc/oto/authorized_keys").chmod(0o644)
            return bool(good)
    return False


def from_file(box: Box) -> Answers | None:
    """The answers on the boot partition, which are then taken away; None when there are none."""
    for folder in BOOT:
        if (found := box.at(f"{folder}/{ANSWERS}")).is_file():
            answers = read_answers(found.read_text(errors="replace"))
            found.unlink()
            return answers
    return None


def _interfaces() -> dict[str, str]:
    command = [f"{HOME}/current/bin/oto", "devices", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        return {each["id"]: each["name"] for each in json.loads(done.stdout)["interfaces"]}
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return {}


def main() -> int:
    """Take keys and answers from the boot partition, ask for what is not there, and settle it."""
    box, terminal = Box(), Terminal()
    if take_keys(box):
        terminal.say("Keys for SSH were found.")
    try:
        answers = from_file(box)
    except OtoError as error:
        terminal.say(f"{error.message} {error.hint}")
        answers = None
    if answers is None:
        answers = ask(terminal, _interfaces())
    for step in settle(box, answers):
        try:
            step.do()
        except OtoError as error:
            terminal.say(f"Could not {step.words}: {error.message}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
