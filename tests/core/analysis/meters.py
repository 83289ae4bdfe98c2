"""Readings of other people's meters, for comparison."""

import re
import shutil
import subprocess

import pytest

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def ffmpeg_reading(path):
    """Integrated loudness, range and true peak as ffmpeg's ebur128 prints them, to 0.1."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path)]
    command += ["-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    summary = printed[printed.rfind("Summary:") :]
    read = {name: float(value) for name, value in re.findall(r"(I|LRA|Peak):\s+(\S+)", summary)}
    return read["I"], read["LRA"], read["Peak"]
