"""Stands in for `devices.driver`: an interface that delivers what it is told, when it is told.

Its captured frames are numbered from 0, or, with "cable", are what it plays. Lines on its stdin are the sizes of the
callbacks to run; "lose N" has the driver report N lost frames with the next one, "exit" ends it.
"""

from __future__ import annotations

import array
import json
import mmap
import os
import sys
import time

from devices.driver import Copier, Task


def main() -> None:
    mode, task = sys.argv[1], Task(**json.loads(sys.argv[2]))
    if mode == "hangs":
        time.sleep(60)
    if mode == "crashes":
        os.abort()
    if mode == "refuses":
        os.write(task.events_fd, b'{"error": "busy", "message": "In use.", "hint": "Wait."}\n')
        return
    os.write(task.events_fd, json.dumps({"sample_type": "int32"}).encode() + b"\n")
    os.set_blocking(task.events_fd, False)
    copy = Copier(task, memoryview(mmap.mmap(task.memory_fd, task.memory_bytes)))
    copy.telling = True
    frame, lost = 0, 0
    for line in sys.stdin:
        if line.startswith("exit"):
            return
        if line.startswith("lose"):
            lost = int(line.split()[1])
            frame += lost
            continue
        size = int(line)
        played = memoryview(bytearray(size * task.outputs * 4)) if task.outputs else None
        if mode == "cable":
            captured = about_to_be_played(task, copy, size)
        else:
            captured = array.array("i", [n for n in range(frame, frame + size) for _ in range(task.inputs)])
        copy(memoryview(captured).cast("B"), played, size, loss=lost > 0, lost_frames=lost)
        frame += size
        lost = 0


def about_to_be_played(task: Task, copy: Copier, size: int) -> array.array[int]:
    """One output's next frames, as its neighbouring input would hear them."""
    ring = copy._played_ring.cast("i")
    return array.array("i", [ring[n % task.ring_frames] for n in range(copy._frames, copy._frames + size)])


main()
