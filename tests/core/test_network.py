"""How the box is reached from elsewhere."""

from __future__ import annotations

import socket

import pytest

from core import network
from tests.devices import trees

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(address: str, port: int, state: str) -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0 0 1077 1\n"


def test_addresses_that_others_can_type_come_first_and_nothing_else_comes_at_all():
    told = ["127.0.0.1", "::1", "00:00:00:00:00:00", "fd00::2", "fe80::fc:ff%eth0", "192.168.1.20", "169.254.3.4"]
    assert network.reachable(told) == ("192.168.1.20", "fd00::2")


def test_a_box_on_a_single_cable_is_reached_by_the_address_that_it_gave_itself():
    assert network.reachable(["127.0.0.1", "169.254.3.4", "fe80::1%eth0"]) == ("169.254.3.4",)
    assert network.reachable(["127.0.0.1", "::1"]) == ()


@pytest.mark.parametrize(
    ("table", "answers"),
    [
        (line("00000000", 22, "0A"), True),
        (line("1401A8C0", 22, "0A"), True),
        (line("0100007F", 22, "0A"), False),
        (line("00000000", 22, "01"), False),
        (line("00000000", 2222, "0A"), False),
        ("", False),
    ],
)
def test_ssh_is_there_when_something_waits_for_others_on_its_port(tmp_path, table, answers):
    trees.write(tmp_path / "proc/self/net/tcp", HEAD + table)
    assert network.answers(network.SSH_PORT, tmp_path) is answers


def test_it_may_wait_on_ipv6_alone(tmp_path):
    trees.write(tmp_path / "proc/self/net/tcp6", HEAD + line("00000000000000000000000001000000", 22, "0A"))
    assert not network.answers(network.SSH_PORT, tmp_path)
    trees.write(tmp_path / "proc/self/net/tcp6", HEAD + line("0" * 32, 22, "0A"))
    assert network.answers(network.SSH_PORT, tmp_path)


def test_the_kernels_own_table_is_understood():
    with socket.create_server(("0.0.0.0", 0)) as others, socket.create_server(("127.0.0.1", 0)) as ourselves:
        assert network.answers(others.getsockname()[1])
        assert not network.answers(ourselves.getsockname()[1])


def test_somebody_can_always_come():
    seen = network.read_network()
    assert seen.host == socket.gethostname()
    assert seen.login
