"""Who comes by SSH gets the studio or a single command, and nobody gets anything else: over a real sshd."""

from __future__ import annotations

import subprocess

import pytest

from tests.systemd.booted import Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]

SSH_OPTIONS = "-i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"


@pytest.fixture(scope="module")
def key(box: Box) -> str:
    box.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
    refused = ssh(box, "oto", "status")
    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr
    box.must("install", "-m", "644", "/root/key.pub", "/etc/oto/authorized_keys")
    return "/root/key"


def ssh(box: Box, user: str, command: str, *options: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    words = [
        "ssh",
        *SSH_OPTIONS.split(),
        "-o",
        "BatchMode=yes",
        *options,
        f"{user}@localhost",
        *([command] if command else []),
    ]
    return box.run("timeout", "40", *words, stdin=stdin)


def test_commands_by_ssh_do_what_they_do_at_the_box(box: Box, session: str, key: str) -> None:
    assert '"state": "idle"' in ssh(box, "oto", "oto status --json").stdout
    before = len(box.takes())
    assert "Recording take" in ssh(box, "oto", "rec --name 'By $(id) wire' --pre-roll 0").stdout
    box.wait(lambda: box.state() == "recording")
    assert "is finished and kept" in ssh(box, "oto", "stop").stdout
    assert len(box.takes()) == before + 1
    assert box.takes()[-1]["name"] == "By $(id) wire"


def test_a_login_by_ssh_lands_in_the_studio_and_a_dead_link_leaves_the_take_running(box: Box, key: str) -> None:
    command = f"sleep 8 | timeout 12 ssh -tt {SSH_OPTIONS} oto@localhost; true"
    shown = box.run("env", "TERM=xterm-256color", "script", "-qec", command, "/dev/null").stdout
    assert "Rec" in shown
    assert "Kick" in shown
    box.record()
    box.run("sh", "-c", f"timeout --signal=KILL 4 ssh -tt {SSH_OPTIONS} oto@localhost </dev/null")
    assert box.state() == "recording"
    box.oto("stop")
    box.is_whole(box.takes()[-1])


REFUSED = {
    "a shell": "sh",
    "a command of the system": "cat /etc/passwd",
    "two commands": "status; id",
    "an old copy": "scp -f /etc/passwd",
    "another program's copy": "rsync --server --sender . /etc",
    "a file of the box": "mix /etc/passwd",
    "settings": "settings mirror_folder /etc",
    "emptying the trash": "trash --empty",
    "the box itself": "appliance remove",
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_else_can_be_asked_for(box: Box, key: str, what: str) -> None:
    done = ssh(box, "oto", REFUSED[what])
    assert (done.returncode, done.stdout) == (2, "")
    assert "That is refused." in done.stderr


STRICTLY = f"{SSH_OPTIONS} -o ExitOnForwardFailure=yes"
TRIES = {
    "files": f"echo ls / | sftp {SSH_OPTIONS} -b - oto@localhost",
    "a copy from the box": f"scp {SSH_OPTIONS} oto@localhost:/etc/passwd /root/got",
    "a copy onto the box": f"scp {SSH_OPTIONS} /etc/passwd oto@localhost:/tmp/put",
    "a copy by the old protocol": f"scp -O {SSH_OPTIONS} oto@localhost:/etc/passwd /root/got",
    "a port of the box": f"ssh {SSH_OPTIONS} -W localhost:22 oto@localhost",
    "a port for others on the box": f"ssh {STRICTLY} -R 9022:localhost:22 oto@localhost status",
    "a socket for others on the box": f"ssh {STRICTLY} -R /tmp/put:localhost:22 oto@localhost status",
    "a subsystem": f"ssh {SSH_OPTIONS} -s oto@localhost netconf",
    "a shell without a terminal": f"echo id | ssh {SSH_OPTIONS} -T oto@localhost",
    "another user": f"ssh {SSH_OPTIONS} -o BatchMode=yes root@localhost id",
    "the services' user": f"ssh {SSH_OPTIONS} -o BatchMode=yes oto-studio@localhost id",
}


@pytest.mark.parametrize("what", TRIES)
def test_a_key_opens_nothing_but_the_studio_and_its_commands(box: Box, key: str, what: str) -> None:
    done = box.run("timeout", "30", "sh", "-c", TRIES[what])
    assert done.returncode not in (0, 124), done.stdout
    assert "root:" not in done.stdout
    assert "uid=" not in done.stdout
    assert not box.outside("/root/got").exists()
    assert box.run("test", "-e", "/tmp/put").returncode != 0


def test_nothing_of_the_callers_environment_arrives(box: Box, key: str) -> None:
    asked = ssh(box, "oto", "status", "-o", "SetEnv=OTO_HOME=/tmp LD_PRELOAD=/x PYTHONPATH=/tmp LC_ALL=/tmp/x")
    assert asked.returncode == 0
    assert "/tmp" not in asked.stderr + asked.stdout


def test_what_sshd_has_read_is_what_is_written(box: Box) -> None:
    said = box.must("/usr/sbin/sshd", "-T", "-C", "user=oto,host=localhost,addr=127.0.0.1").splitlines()
    for line in ("forcecommand oto-login", "disableforwarding yes", "permittunnel no", "permituserrc no"):
        assert line in said


def test_exports_can_be_fetched_once_a_key_is_there_and_nothing_else_can_be_done(
    box: Box, session: str, key: str
) -> None:
    box.oto("export", session, "--to", "/srv/oto/exports", "--format", "flac")
    command = ["timeout", "30", "sftp", *SSH_OPTIONS.split(), "oto-exports@localhost"]
    assert box.run(*command, stdin="ls\n").returncode == 255
    box.must("install", "-m", "644", "/root/key.pub", "/etc/oto/exports_keys")
    wanted = "ls /\nls /etc\nget *.flac /root/\nput /etc/passwd x\nrm *.flac\nmkdir y\nsymlink / z\n"
    done = box.run(*command, stdin=wanted)
    assert len(list(box.outside("/root").glob("*.flac"))) == 1
    assert len(list(box.outside("/srv/oto/exports").iterdir())) == 1
    assert '/etc" not found' in done.stderr
    assert ssh(box, "oto-exports", "id").returncode != 0
    assert ssh(box, "oto-exports", "", "-W", "localhost:22").returncode != 0
