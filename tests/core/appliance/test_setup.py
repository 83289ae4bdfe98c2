"""The first start of a box from an image, on a box that is a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.appliance.install import Box
from core.appliance.setup import (
    ANSWERS,
    WANTED,
    Answers,
    Terminal,
    ask,
    from_file,
    network,
    read_answers,
    settle,
    take_keys,
)
from core.errors import OtoError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 anna"
DEVICES = {"alsa:usb-1": "Eighteen In", "sim": "Simulated band"}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    for folder in ("etc/oto", "boot/firmware", "etc/wpa_supplicant"):
        (tmp_path / folder).mkdir(parents=True)
    found = Box(tmp_path)
    found.at(WANTED).touch()
    return found


class Person:
    """Somebody who types these lines, one for each question, and reads."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.read = list(lines), []

    def terminal(self) -> Terminal:
        def type_(question: str) -> str:
            self.read.append(question)
            return self.lines.pop(0)

        return Terminal(type_, type_, self.read.append)


def test_enter_all_the_way_leaves_a_box_as_it_is() -> None:
    person = Person("", "", "", "")
    assert ask(person.terminal(), DEVICES) == Answers()
    assert person.lines == []


def test_every_answer_arrives() -> None:
    person = Person("cellar", "secret one", "secret one", "DE", "Löwe 5", "eightormore", "1")
    assert ask(person.terminal(), DEVICES) == Answers(
        "cellar", "secret one", "DE", "Löwe 5", "eightormore", "alsa:usb-1"
    )


def test_what_cant_be_is_asked_again_with_a_reason() -> None:
    person = Person("My Box", "cellar", "a", "b", "a", "a", "de", "DE", "", "9", "x", "2")
    assert ask(person.terminal(), DEVICES) == Answers("cellar", "a", "DE", device="sim")
    said = "\n".join(person.read)
    for reason in ("can't be a box's name", "These differ", "is no country", "A number from 1 to 2"):
        assert reason in said


def test_a_file_answers_everything_and_is_taken_away_with_its_passwords(box: Box) -> None:
    path = box.at(f"/boot/firmware/{ANSWERS}")
    path.write_text(json.dumps({"name": "cellar", "password": "secret"}))
    assert from_file(box) == Answers("cellar", "secret")
    assert not path.exists()
    assert from_file(box) is None


@pytest.mark.parametrize(
    "text", ["", "[]", '{"names": "x"}', '{"name": 7}', '{"name": "a b"}', '{"password": "a\\nb"}']
)
def test_a_file_that_is_no_list_of_answers_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(OtoError) as problem:
        read_answers(text)
    assert problem.value.message


def test_keys_on_the_boot_partition_let_in_and_nothing_else_of_that_file_does(box: Box) -> None:
    assert not take_keys(box)
    box.at("/boot/firmware/authorized_keys").write_text(f'# mine\n{KEY}\ncommand="sh" {KEY}\n\x00\n')
    assert take_keys(box)
    assert box.at("/etc/oto/authorized_keys").read_text() == f"{KEY}\n"


def test_settling_writes_what_was_answered_and_says_that_it_is_done(box: Box) -> None:
    for step in settle(box, Answers("cellar", wifi_country="DE", wifi_name="Löwe", wifi_password="eightormore")):
        step.do()
    assert box.at("/etc/hostname").read_text() == "cellar\n"
    assert "127.0.1.1 cellar\n" in box.at("/etc/hosts").read_text()
    secret = box.at("/etc/wpa_supplicant/wpa_supplicant-wlan0.conf")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert "eightormore" not in secret.read_text()
    assert not box.at(WANTED).exists()


def test_the_key_of_a_network_is_the_standards_own_example() -> None:
    """IEEE 802.11-2020, annex J.4.2, the first test vector."""
    text = network(Answers(wifi_country="US", wifi_name="IEEE", wifi_password="password"))
    assert "psk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e" in text


@given(name=st.text(max_size=32), password=st.text(max_size=63))
def test_no_name_or_password_becomes_a_line_of_its_own(name: str, password: str) -> None:
    try:
        answers = Answers(wifi_country="DE", wifi_name=name, wifi_password=password)
    except OtoError:
        return
    lines = network(answers).splitlines()
    assert len(lines) == (6 if name else 2)
    assert all(line.isascii() for line in lines)
