"""How a box is reached from another computer: its name, its addresses, and whether anyone may come in by SSH.

The studio looks for itself, since on a box the engine can see no network at all.
"""

from __future__ import annotations

import getpass
import ipaddress
import pwd
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path("/")
SSH_PORT: Final = 22
PEOPLE: Final = "oto"
"""The user of a box whose shell is the studio (systemd/oto-sysusers.conf)."""

_LISTENING: Final = "0A"
"""TCP_LISTEN in the kernel's table of sockets (include/net/tcp_states.h)."""
_LOOPBACK: Final = ("0100007F", "00000000000000000000000001000000")
"""127.0.0.1 and ::1 in that table: words of 32 bits in the order of the processor, here a little-endian one."""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the network."""

    host: str = ""
    """What the box calls itself; empty before anybody has looked."""
    addresses: tuple[str, ...] = ()
    """By which others reach it, IPv4 before IPv6; none without a network."""
    ssh: bool = False
    """Whether it answers on SSH's port."""
    login: str = ""
    """Who to come as."""


def read_network(root: Path = ROOT) -> Network:
    """Look at the interfaces that are there, and at the table of sockets; `root` is where /proc is.

    Raises OSError where the system lets nobody look.
    """
    import psutil  # which only the screen that shows this needs

    told = (told.address for every in psutil.net_if_addrs().values() for told in every)
    return Network(
        host=socket.gethostname(), addresses=reachable(told), ssh=answers(SSH_PORT, root), login=user_of_the_studio()
    )


def reachable(told: Iterable[str]) -> tuple[str, ...]:
    """The addresses among these that another computer can use, IPv4 before IPv6.

    One that holds on a single cable only (RFC 3927, RFC 4291 2.5.6) counts where there is no other, and only as IPv4:
    of IPv6 it can't be typed without the name of the other computer's interface.
    """
    known = sorted({one for text in told if (one := _address(text)) is not None}, key=lambda one: (one.version, one))
    usable = [one for one in known if not one.is_loopback]
    routed = [one for one in usable if not one.is_link_local]
    return tuple(str(one) for one in routed or (one for one in usable if one.version == 4))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:  # of hardware
        return None


def answers(port: int, root: Path = ROOT) -> bool:
    """Whether something on this box waits for connections from others on a TCP port, by /proc/self/net/tcp and tcp6."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (root / "proc/self/net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            address, _, place = fields[1].partition(":")
            if fields[3] == _LISTENING and int(place, 16) == port and address not in _LOOPBACK:
                return True
    return False


def user_of_the_studio() -> str:
    """The user whose shell is the studio, or on a computer that is no box whoever runs OTO."""
    try:
        return pwd.getpwnam(PEOPLE).pw_name
    except KeyError:
        return getpass.getuser()
