"""A network is run only if it is the one that its card describes, on a runtime that can run it; else words say why."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.models import runtime
from core.models.card import MOST_BYTES, faults_of, read_card
from core.models.features import FEATURES
from core.models.onnxfile import opset_of
from core.models.runtime import FILES, Model, Unusable, inspect, load

ROOT = Path(__file__).parents[3]
MEL = np.zeros((3, 1, 200, 64), np.float32)


def change_card(folder, **values):
    path = folder / "roles.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def why(folder, **options):
    found = load("roles", folder=folder, **options)
    assert isinstance(found, Unusable), "it was taken for usable"
    assert "\n" not in found.why
    assert found.why.endswith(".")
    return found.why


def test_a_whole_model_runs(toy):
    model = load("roles", features=FEATURES, folder=toy)
    assert isinstance(model, Model)
    outputs = model.run(mel=MEL)
    assert {name: output.shape for name, output in outputs.items()} == {"logits": (3, 20), "embedding": (3, 64)}


def test_loading_never_touches_the_file(toy):
    before = {path.name: path.read_bytes() for path in toy.iterdir()}
    load("roles", folder=toy)
    assert {path.name: path.read_bytes() for path in toy.iterdir()} == before


@pytest.mark.parametrize("missing", ["roles.onnx", "roles.json"])
def test_a_missing_file_is_named(toy, missing):
    (toy / missing).unlink()
    assert f"{missing} is missing" in why(toy)


@pytest.mark.parametrize("at", [0, 100, 2_000, -1])
def test_one_flipped_bit_anywhere_is_enough(toy, at):
    content = bytearray((toy / "roles.onnx").read_bytes())
    content[at] ^= 1
    (toy / "roles.onnx").write_bytes(content)
    assert "another hash" in why(toy)


def test_a_file_cut_short_is_refused_even_where_the_card_agrees_with_it(toy):
    content = (toy / "roles.onnx").read_bytes()[:300]
    (toy / "roles.onnx").write_bytes(content)
    change_card(toy, sha256=hashlib.sha256(content).hexdigest())
    assert "cut short" in why(toy)


def test_what_is_no_network_is_refused_even_where_the_card_agrees_with_it(toy):
    content = b"Dear band, " * 100
    (toy / "roles.onnx").write_bytes(content)
    change_card(toy, sha256=hashlib.sha256(content).hexdigest())
    assert "roles.onnx" in why(toy)


def test_another_opset_than_the_cards_is_refused(toy):
    change_card(toy, opset=13)
    assert "opset 17, its card says 13" in why(toy)


def test_other_features_than_it_was_trained_on_are_refused(toy):
    change_card(toy, features="mel 0")
    assert "'mel 0'" in why(toy, features=FEATURES)


def test_an_older_onnxruntime_than_it_was_checked_with_is_refused(toy):
    change_card(toy, onnxruntime="999.0")
    assert "checked with onnxruntime 999.0" in why(toy)


def test_a_model_that_beat_nothing_is_shown_but_not_used(toy):
    change_card(toy, in_use=False, verdict="The rules are better by 3 %.")
    assert why(toy) == "The model 'roles' is not in use: The rules are better by 3 %."
    assert load("roles", folder=toy).rejected
    card, fault = inspect("roles", folder=toy)
    assert card is not None
    assert fault == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "roles"}'])
def test_a_card_that_is_none_is_refused(toy, content):
    (toy / "roles.json").write_text(content)
    assert "is not a card" in why(toy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "0"}, "SHA-256"),
        ({"limits": []}, "limits"),
        ({"temperature": 0.0}, "temperature"),
        ({"labels": ["bass", "bass"]}, "twice"),
        ({"verdict": " "}, "verdict"),
        ({"data": [{"name": "songs", "licence": "", "used_for": "training"}]}, "licence"),
        ({"metrics": [{"what": "accuracy", "value": 0.5, "low": 0.6, "high": 0.7}]}, "not between"),
        ({"name": "other"}, "card of 'other'"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_card_that_lacks_something_is_refused(toy, change, said):
    change_card(toy, **change)
    assert said in why(toy)


def test_a_network_is_not_loaded_with_more_threads_than_two_and_none_spins(toy):
    options = load("roles", folder=toy)._session.get_session_options()
    assert 1 <= options.intra_op_num_threads <= runtime.THREADS == 2
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


# --- a runtime that can't be imported -----------------------------------------------------------------------


@pytest.fixture
def broken_runtime(tmp_path):
    """`broken_runtime(code)` is a PYTHONPATH on which onnxruntime does that when it is imported, and counts it."""

    def make(code):
        package = tmp_path / "elsewhere" / "onnxruntime"
        package.mkdir(parents=True)
        count = f"open({str(tmp_path / 'imports')!r}, 'a').write('x')"
        (package / "__init__.py").write_text(f"import os\n{count}\n{code}\n")
        return os.pathsep.join([str(package.parent), str(ROOT)])

    return make


def load_elsewhere(toy, path, home):
    code = f"""
from pathlib import Path
from core.models.runtime import load
found = load("roles", folder=Path({str(toy)!r}))
print(getattr(found, "why", "usable"))
"""
    home.mkdir(exist_ok=True)
    env = {**os.environ, "PYTHONPATH": path, "OTO_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_import_that_kills_its_process_kills_only_the_probe_and_only_once(toy, tmp_path, broken_runtime):
    path = broken_runtime("os.abort()")
    said = "The model 'roles' can't be used: importing onnxruntime kills the process (SIGABRT)."
    assert load_elsewhere(toy, path, tmp_path / "home") == said
    assert load_elsewhere(toy, path, tmp_path / "home") == said
    assert (tmp_path / "imports").read_text() == "x"


def test_an_import_that_fails_is_told_in_its_own_words(toy, tmp_path, broken_runtime):
    path = broken_runtime("raise ImportError('libgomp.so.1: cannot open shared object file')")
    assert "importing onnxruntime fails (ImportError: libgomp.so.1" in load_elsewhere(toy, path, tmp_path / "home")


def test_a_process_that_finds_oto_where_it_stands_is_believed(toy, tmp_path):
    """`python -c` in the repository has "" on its path, which means the folder that it stands in."""
    (tmp_path / "home").mkdir()
    asked = f"load('roles', folder=Path({str(toy)!r}))"
    code = f"from pathlib import Path; from core.models.runtime import load; print({asked})"
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = {**elsewhere, "OTO_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT, timeout=60)
    assert "Unusable" not in done.stdout, done.stdout
    assert "Model" in done.stdout, done.stderr


def test_a_repaired_runtime_is_tried_again(toy, tmp_path, broken_runtime):
    path = broken_runtime("os.abort()")
    load_elsewhere(toy, path, tmp_path / "home")
    module = tmp_path / "elsewhere" / "onnxruntime" / "__init__.py"
    module.write_text(module.read_text().replace("os.abort()", "raise ImportError('again')"))
    assert "again" in load_elsewhere(toy, path, tmp_path / "home")


def test_trying_out_founds_no_studio(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "none"))
    assert isinstance(load("roles", folder=toy), Model)
    assert not (tmp_path / "none").exists()


def test_a_state_folder_that_can_not_be_written_is_no_hindrance(toy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "file"))
    assert isinstance(load("roles", folder=toy), Model)


# --- what is shipped ----------------------------------------------------------------------------------------


def shipped():
    return sorted({path.stem for path in FILES.iterdir() if path.suffix in (".onnx", ".json")})


def test_every_model_that_is_shipped_has_a_card_that_is_true():
    if not shipped():
        pytest.skip("no model is shipped yet: no file NAME.onnx with its card NAME.json in core/models/files")
    for name in shipped():
        content = (FILES / f"{name}.onnx").read_bytes()
        card = read_card(FILES / f"{name}.json")
        assert faults_of(card) == []
        assert card.sha256 == hashlib.sha256(content).hexdigest(), name
        assert card.opset == opset_of(content), name
        assert len(content) < MOST_BYTES, name


def test_every_model_that_is_shipped_runs_here():
    if not shipped():
        pytest.skip("no model is shipped yet in core/models/files")
    for name in shipped():
        assert inspect(name)[1] == ""


def test_nothing_but_models_their_cards_and_a_readme_is_shipped():
    assert {path.suffix for path in FILES.iterdir()} <= {".onnx", ".json", ".md"}


def test_a_card_survives_being_written(toy):
    card = read_card(toy / "roles.json")
    assert msgspec.json.decode(msgspec.json.encode(card), type=type(card)) == card
    assert card.beats() == ("largest class",)
