"""The smallest client there is, for commands that only ask the engine one thing.

`core.client` types every message, and importing those types takes longer than a key press may feel. These commands send
a request that they spell out and show the answer, so plain JSON does; a test holds each spelling against the
protocol.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from core import paths
from core.errors import EXIT_BY_CODE, Exit, OtoError

PROTOCOL = 1
TIMEOUT_S = 30.0


def ask(do: str, **fields: Any) -> Any:
    """Send one request to the running engine and return the value it replies with.

    Raises OtoError: "no_engine" when none runs, or whatever the engine refuses with.
    """
    path = paths.engine_socket()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(TIMEOUT_S)
        try:
            link.connect(str(path))
        except PermissionError as error:
            raise OtoError(
                "refused", f"You may not use the engine at {path}.", "Ask to be put into the group 'oto'."
            ) from error
        except OSError as error:
            raise OtoError(
                "no_engine",
                f"No engine is running at {path}.",
                "Start the studio with 'oto', or an engine alone with 'oto engine'.",
                Exit.NO_ENGINE,
            ) from error
        try:
            return _exchange(link, {"do": do, **fields})
        except TimeoutError as error:
            raise OtoError("timeout", "The engine did not answer in time. A take that is running goes on.") from error
        except (OSError, ValueError) as error:
            raise OtoError(
                "disconnected",
                "The engine ended the connection. A take that was running is kept.",
                "'oto status' says whether an engine runs.",
                Exit.NO_ENGINE,
            ) from error


def _exchange(link: socket.socket, request: dict[str, Any]) -> Any:
    lines = link.makefile("rb")
    hello = json.loads(lines.readline())
    if hello.get("say") != "hello" or hello.get("protocol") != PROTOCOL:
        raise OtoError(
            "bad_input",
            f"The running engine does not speak protocol {PROTOCOL}; this program does.",
            "Restart the engine so that both are the same version.",
        )
    link.sendall(json.dumps({"id": 1, "request": request}).encode() + b"\n")
    for line in lines:
        message = json.loads(line)
        if message.get("say") == "reply" and message.get("id") == 1:
            problem = message.get("problem")
            if problem:
                code = problem["code"]
                raise OtoError(code, problem["message"], problem.get("hint", ""), EXIT_BY_CODE.get(code, Exit.FAILED))
            return message.get("value")
    raise OSError("closed")
