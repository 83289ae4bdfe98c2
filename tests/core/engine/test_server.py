"""The socket: a client can be slow, wrong or gone, and nobody else notices."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import paths
from core.client import Client, ensure_engine
from core.errors import Exit, OtoError
from core.protocol.requests import Attach, CreateSession, GetStatus, Mark, Record, Shutdown, Stop
from core.protocol.topics import Meters, Status


class Raw:
    """A connection that speaks bytes."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def read(self):
        return json.loads(self.lines.readline())

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")


@pytest.fixture
def raw(engine):
    return Raw(engine.socket)


def test_the_engine_greets_with_protocol_and_version(raw, engine):
    hello = raw.read()
    assert (hello["say"], hello["protocol"], hello["pid"]) == ("hello", 1, engine.pid)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        '{"id": 7}',
        '{"id": 7, "request": {"do": "fly"}}',
        '{"id": 7, "request": {"do": "play", "take": "x"}}',
    ],
)
def test_what_is_not_understood_is_answered_with_a_problem_and_the_connection_lives(raw, line):
    raw.read()
    raw.send(line)
    reply = raw.read()
    assert reply["problem"]["code"] == "bad_input"
    assert reply["id"] == (7 if '"id"' in line else 0)
    raw.send('{"id": 8, "request": {"do": "sessions"}}')
    assert raw.read() == {"say": "reply", "id": 8, "value": [], "problem": None}


def test_a_client_of_another_protocol_is_refused_with_what_to_do(raw):
    raw.read()
    raw.send('{"id": 1, "request": {"do": "attach", "client": "old", "protocol": 0}}')
    problem = raw.read()["problem"]
    assert "same version" in problem["hint"]


def test_errors_carry_code_message_and_hint(engine):
    with pytest.raises(OtoError) as refused:
        engine.call(Mark())
    assert (refused.value.code, bool(refused.value.message), bool(refused.value.hint)) == ("bad_input", True, True)


def test_meters_come_a_dozen_times_a_second_and_only_to_who_asked(engine):
    with Client(engine.socket) as client:
        client.call(Attach(client="test", topics=(), meters=True))
        topics = client.topics()
        first = next(topics)
        began_s = time.monotonic()
        readings = [next(topics) for _ in range(24)]
        elapsed_s = time.monotonic() - began_s
    assert isinstance(first, Meters)
    assert all(isinstance(reading, Meters) for reading in readings)
    assert len(first.peak_dbfs) == 4
    assert -12.0 < readings[-1].peak_dbfs[0] < 0.0
    assert elapsed_s > 1.5, "more often than asked for"


def test_a_client_that_stops_reading_costs_nobody_anything_and_loses_no_state(engine):
    stalled = Raw(engine.socket)
    stalled.read()
    stalled.send('{"id": 1, "request": {"do": "attach", "client": "stalled", "meters": true}}')
    with Client(engine.socket) as lively:
        for number in range(200):
            lively.call(CreateSession(name=f"Song {number}"))
        lively.call(Record(preroll_s=0.0))
        time.sleep(0.5)
        assert lively.call(Stop()) == 1
        rss = int(Path(f"/proc/{engine.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        assert rss < 200 * 2**20
    seen = {}
    stalled.socket.settimeout(20.0)
    complete = False
    while not complete:
        message = stalled.read()
        if message["say"] == "topic":
            seen[message["topic"]["topic"]] = message["topic"]
            complete = any(take["status"] == "complete" for take in seen.get("takes", {}).get("takes", ()))
    assert seen["session"]["session"]["name"] == "Song 199"


def test_status_is_everything_at_once(engine):
    status = engine.call(GetStatus(), Status)
    assert status.transport.state == "idle"
    assert status.device.current is not None
    assert status.pid == engine.pid


def test_two_engines_never_share_a_home(engine):
    env = {**os.environ, "OTO_HOME": str(engine.home)}
    second = subprocess.run([sys.executable, "-m", "core.engine"], env=env, capture_output=True, text=True, timeout=20)
    assert second.returncode == Exit.BUSY
    assert "already runs" in second.stderr
    assert engine.status().transport.state == "idle"


def _refusal(socket):
    """Of a connection; a child that the engine was just starting may hold the socket for a moment longer."""
    for _ in range(100):
        with pytest.raises(OtoError) as refused:
            Client(socket)
        if refused.value.code != "disconnected":
            break
        time.sleep(0.05)
    return refused.value.code


def test_a_stale_socket_of_a_killed_engine_is_no_obstacle(engine):
    engine.kill()
    assert engine.socket.exists()
    assert _refusal(engine.socket) == "no_engine"
    engine.start()
    assert engine.status().transport.state == "idle"


def test_a_command_can_start_an_engine_that_ends_when_nobody_needs_it(tmp_path, monkeypatch, stage):
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "home"))
    path = ensure_engine(idle_s=2.0, extra=("--device", f"sim:{stage}"))
    with Client(path) as client:
        pid = client.hello.pid
        assert ensure_engine() == path
        client.call(Attach(client="test"))
        time.sleep(3.0)
        client.call(GetStatus())
    deadline_s = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not path.exists()


def test_a_relative_home_is_the_same_one_for_the_engine_that_works_elsewhere(tmp_path, monkeypatch, stage):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTO_HOME", "studio")
    with Client(ensure_engine(idle_s=1.0, extra=("--device", f"sim:{stage}"))) as client:
        pid = client.hello.pid
    assert (tmp_path / "studio" / "engine.lock").exists()
    os.kill(pid, signal.SIGTERM)


def test_a_home_whose_name_is_too_long_for_a_socket_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("OTO_HOME", str(tmp_path / ("x" * 100)))
    with pytest.raises(OtoError, match="too long") as refused:
        ensure_engine()
    assert "OTO_HOME" in refused.value.hint


def test_where_no_home_can_be_made_no_engine_is_started_and_that_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(OtoError, match="can't be written") as refused:
        ensure_engine()
    assert str(tmp_path / "file") in refused.value.message


def test_a_box_whose_service_is_stopped_is_no_place_for_a_second_studio(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("OTO_HOME", raising=False)
    monkeypatch.setattr(paths, "SYSTEM_SOCKET", tmp_path / "engine.sock")
    with pytest.raises(OtoError, match="box's engine does not run"):
        ensure_engine(timeout_s=0.1)
    assert not (tmp_path / "OTO").exists()


def test_shutdown_ends_the_engine(engine):
    engine.call(Shutdown())
    assert engine.ended() == 0
    assert not engine.socket.exists()


def test_the_service_manager_hears_ready_alive_and_stopping(tmp_path, start_engine, stage):
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(10)
        env = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "600000"}
        engine = start_engine(f"sim:{stage}", env=env)
        heard = [manager.recv(256).decode() for _ in range(3)]
        engine.call(Shutdown())
        while "STOPPING=1" not in heard:
            heard.append(manager.recv(256).decode())
    assert heard[0] == "READY=1"
    assert heard[1].startswith("WATCHDOG=1\nSTATUS=")
