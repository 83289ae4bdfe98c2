"""What each process really loads: the walls at run time."""

import functools
import json
import os
import subprocess
import sys

import pytest

PROBE = """
import json, sys
{body}
roots = sorted({{name.partition('.')[0] for name in sys.modules}})
print(json.dumps({{"roots": roots, "modules": sorted(sys.modules)}}))
"""


@functools.cache
def loaded_by(body):
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(body=body)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "heavy",
    ["scipy", "textual", "onnxruntime", "soxr", "pyloudnorm", "sounddevice", "mutagen", "rich", "libevdev", "mido"],
)
def test_the_engine_stays_light(heavy):
    body = "import core.engine.main, core.engine.studio, devices.portaudio, devices.simulated.stream, soundfile"
    assert heavy not in loaded_by(body)["roots"]
    assert not [name for name in loaded_by(body)["modules"] if name.startswith("core.models")]


@pytest.mark.parametrize("heavy", ["numpy", "scipy", "textual", "onnxruntime", "asyncio", "soundfile", "rich"])
def test_a_command_that_only_talks_to_the_engine_loads_next_to_nothing(heavy):
    body = "from core.cli.main import main\ntry: main(['status'])\nexcept SystemExit: pass"
    assert heavy not in loaded_by(body)["roots"]


@pytest.mark.parametrize("heavy", ["numpy", "scipy", "onnxruntime", "sounddevice", "soundfile"])
def test_the_studio_on_the_terminal_touches_no_audio(heavy):
    assert heavy not in loaded_by("import tui.app")["roots"]


@pytest.mark.parametrize("foreign", ["textual", "sounddevice", "core.engine"])
def test_a_worker_has_neither_screens_nor_devices(foreign):
    assert foreign not in loaded_by("import core.jobs.worker, core.jobs.tasks")["modules"]


@pytest.mark.parametrize("slow", ["scipy.signal", "scipy.stats", "scipy.interpolate", "scipy.linalg"])
def test_listening_mixing_and_mastering_wait_for_no_slow_part_of_scipy(slow):
    # scipy.signal alone takes longer to load than half a minute of sixteen tracks takes to mix.
    assert slow not in loaded_by("import core.jobs.tasks, core.jobs.work, core.jobs.mastering")["modules"]


def test_a_worker_loads_no_network_before_there_is_work_for_one():
    assert "onnxruntime" not in loaded_by("import core.jobs.worker, core.jobs.tasks, core.models.runtime")["roots"]
