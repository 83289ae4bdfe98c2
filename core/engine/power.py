"""Switching the box off."""

from __future__ import annotations

import asyncio

from core import paths
from core.errors import OtoError


async def power_off() -> None:
    """Ask systemd to switch off; raises OtoError("refused") on somebody's own computer, or with what systemd said."""
    if paths.engine_socket() != paths.SYSTEM_SOCKET:
        raise OtoError(
            "refused",
            "This studio runs on somebody's own computer, not on a box.",
            "Switch it off as you always do.",
        )
    process = await asyncio.create_subprocess_exec(
        "systemctl", "poweroff", stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    said = (await process.communicate())[1]
    if process.returncode:
        raise OtoError(
            "refused",
            f"The box did not switch off: {said.decode(errors='replace').strip()}",
            "Everything is saved; 'sudo poweroff' does it from a shell.",
        )
