"""Fixtures of this room's tests."""

from tests.rig.fixtures import jack_rig, loop_drive

__all__ = ["jack_rig", "loop_drive"]
