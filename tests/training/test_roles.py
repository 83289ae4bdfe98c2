"""The recogniser's training: what a batch, a network, an export and a figure promise."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training is an environment of its own")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime.quantization")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from core.models.card import faults_of  # noqa: E402
from core.models.features import BANDS, FRAMES, excerpts  # noqa: E402
from core.models.roles import pooled as pooled_at_run_time  # noqa: E402
from training.data.pictures import Pictures  # noqa: E402
from training.roles import answers, batches, export, measure  # noqa: E402
from training.roles.card import card_of  # noqa: E402
from training.roles.labels import LABELS, NO_LABEL, OTHER, index_of  # noqa: E402
from training.roles.network import RoleNetwork  # noqa: E402
from training.roles.train import Plan, loss_of, train  # noqa: E402

pytestmark = pytest.mark.training


def tiny(rows: int = 40, seed: int = 0) -> Pictures:
    """Pictures of two roles that anyone can tell apart, and of something else."""
    rng = np.random.default_rng(seed)
    label = np.resize(np.array(["kick", "hihat", OTHER]), rows)
    mel = rng.uniform(-1.0, -0.8, (rows, FRAMES, BANDS)).astype(np.float16)
    mel[label == "kick", :, :8] = 1.0
    mel[label == "hihat", :, -8:] = 1.0
    track = np.array([f"t{at // 2}" for at in range(rows)])
    return Pictures(mel, label, np.resize(np.array(["a", "b", "c"]), rows), np.full(rows, "stem"), track,
                    np.zeros(rows, bool), np.resize(np.array(["kick", "other"]), rows))  # fmt: skip


def test_there_are_twenty_labels_and_each_is_a_role_of_the_studio():
    from core.plans.roles import ROLES

    assert len(LABELS) == 20
    assert set(LABELS) <= set(ROLES)


def test_every_label_of_a_batch_comes_about_as_often_and_other_is_taught_as_doubt():
    _, target = batches.Sampler.of(tiny()).batch(2_000, np.random.default_rng(1))
    shares = {label: float((target == index_of(label)).float().mean()) for label in ("kick", "hihat", OTHER)}
    assert shares["kick"] == pytest.approx(shares["hihat"], abs=0.08)
    assert 0.02 < shares[OTHER] < 0.2


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_harmed_pictures_stay_in_the_range_of_real_ones(seed):
    rng = np.random.default_rng(seed)
    mel = tiny(6, seed).mel.astype(np.float32)
    heard = batches.harmed(mel, mel[::-1].copy(), rng)
    assert heard.shape == mel.shape
    assert heard.dtype == np.float32
    assert heard.min() >= -1.0
    assert heard.max() <= 1.5


def test_a_harmed_picture_has_the_level_that_the_features_give():
    noise = np.random.default_rng(2).normal(0.0, 0.1, 48_000 * 6).astype(np.float32)
    real = excerpts(noise, 48_000, most=1)
    heard = batches.harmed(real, real, np.random.default_rng(3))
    assert np.percentile(heard, 99) == pytest.approx(np.percentile(real, 99), abs=0.02)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_other_players_are_heard_as_far_below_a_track_as_is_said(seed):
    rng = np.random.default_rng(seed)
    power, others = rng.gamma(1.0, 3.0, (5, FRAMES, BANDS)), rng.uniform(-1.0, 1.5, (5, FRAMES, BANDS))
    added = batches.bleed(power, others, rng, 1.0).mean(axis=(1, 2)) / power.mean(axis=(1, 2))
    lowest, highest = (10.0 ** (db / 10.0) for db in batches.BLEED_DB)
    assert (added > 0.99 * lowest).all()
    assert (added < 1.01 * batches.OTHER_PLAYERS * highest).all()
    assert not batches.bleed(power, others, rng, 0.0).any()


def test_the_loss_of_a_row_without_a_label_is_least_where_all_labels_are_as_likely():
    target = torch.tensor([NO_LABEL])
    even, sure = torch.zeros(1, len(LABELS)), torch.eye(1, len(LABELS)) * 8
    assert loss_of(even, target) < loss_of(sure, target)


def test_training_can_be_stopped_and_goes_on_where_it_was(tmp_path):
    torch.set_num_threads(1)
    plan = Plan(steps=4, round_steps=2, batch=4)
    whole = train(plan, tiny(12), tiny(6, 1), tmp_path / "whole")
    kept = torch.load(tmp_path / "whole" / "last.pt", weights_only=True)
    train(plan, tiny(12), tiny(6, 1), tmp_path / "halves", until=2)
    again = train(plan, tiny(12), tiny(6, 1), tmp_path / "halves")
    resumed = torch.load(tmp_path / "halves" / "last.pt", weights_only=True)
    assert resumed["step"] == kept["step"] == 4
    assert again["choice"] == pytest.approx(whole["choice"])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(0)
    network = RoleNetwork().eval()
    export.write_float(network, folder / "float.onnx")
    export.write_int8(folder / "float.onnx", folder / "roles.onnx", tiny(16).mel)
    return network, folder


def test_the_float_file_answers_as_the_network_does(files):
    network, folder = files
    mel = tiny(6).mel
    with torch.inference_mode():
        expected = network(torch.from_numpy(mel[:, None].astype(np.float32)))[0].numpy()
    assert export.run(export.session(folder / "float.onnx", 1), mel) == pytest.approx(expected, abs=1e-4)


def test_the_int8_file_is_small_has_the_pinned_opset_and_float_ends(files):
    import onnx

    from core.models.onnxfile import opset_of

    _, folder = files
    content = (folder / "roles.onnx").read_bytes()
    assert len(content) < 2_000_000
    assert opset_of(content) == export.OPSET
    graph = onnx.load_from_string(content).graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    quantized = [made_by.get(node.input[1]) == "DequantizeLinear" for node in convolutions]
    assert quantized == [False] + [True] * (len(convolutions) - 1)
    embedding, head = [node for node in graph.node if node.op_type == "Gemm"]
    assert made_by.get(embedding.input[1]) == "DequantizeLinear"
    assert made_by.get(head.input[1]) is None


def test_a_processor_without_an_8_bit_dot_product_still_calculates_in_8_bits(files, tmp_path):
    import onnx
    import onnxruntime

    _, folder = files
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "as_run.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(folder / "roles.onnx"), options, providers=["CPUExecutionProvider"])
    run = [node.op_type for node in onnx.load(tmp_path / "as_run.onnx").graph.node]
    assert run.count("QLinearConv") == 6
    assert run.count("Conv") == 1


def test_int8_weights_are_scaled_per_channel(files):
    import onnx

    _, folder = files
    graph = onnx.load(folder / "roles.onnx").graph
    sizes = {each.name: each.dims for each in graph.initializer}
    scales = [
        sizes[node.input[1]] for node in graph.node if node.op_type == "DequantizeLinear" and sizes.get(node.input[0])
    ]
    assert scales
    assert all(scale and scale[0] > 1 for scale in scales)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.floats(0.3, 3.0), st.integers(0, 1_000))
def test_answers_are_pooled_in_training_as_at_run_time(pictures, temperature, seed):
    logits = np.random.default_rng(seed).normal(0.0, 3.0, (pictures, len(LABELS)))
    here = answers.pooled(logits, np.zeros(pictures, np.int64), temperature)[0]
    there = pooled_at_run_time(logits, LABELS, temperature, 0.0)
    assert there.confidence == pytest.approx(here.max())
    assert there.role == LABELS[int(here.argmax())]


def test_macro_accuracy_weighs_roles_not_tracks():
    truth = np.array([0, 0, 0, 0, 1, NO_LABEL])
    assert answers.macro_accuracy(truth, np.array([0, 0, 0, 0, 2, 1])) == 0.5


def test_a_model_that_is_as_sure_as_it_is_right_has_no_calibration_error():
    probability = np.zeros((10, len(LABELS)))
    probability[:, 0], probability[:, 1] = 0.8, 0.2
    truth = np.array([0] * 8 + [1] * 2)
    assert answers.calibration_error(truth, probability) == pytest.approx(0.0)
    assert answers.calibration_error(1 - truth, probability) == pytest.approx(0.6)


def test_few_tracks_show_a_calibration_error_by_chance_and_many_next_to_none():
    sure = np.full((4_000, len(LABELS)), 0.4 / (len(LABELS) - 1))
    sure[:, 3] = 0.6
    assert answers.calibration_by_chance(sure[:10]) == pytest.approx(0.4 / np.sqrt(10), abs=0.02)
    assert answers.calibration_by_chance(sure) < 0.01


def test_a_style_counts_its_stems_clean_and_harmed():
    truth = np.array([0, 1, 2, 2, NO_LABEL])
    group = np.array(["eif_caesium", "eif_caesium", "fof_x", "a_kit", "eif_caesium"])
    kind = np.array(["stem", "stem", "stem", "drum_kit", "stem"])
    tracks = answers.Tracks(truth, group, kind, np.array([False, True, False, False, False]), truth, np.arange(5))
    said = np.eye(len(LABELS))[[0, 5, 2, 2, 0]]
    told = {each.style: each for each in measure.style_figures(tracks, said)}
    pop = told["electronic pop with singing"]
    assert (pop.songs, pop.clean, pop.harmed) == (1, (1, 1), (0, 1))
    assert told["metal"].clean == (1, 1)
    assert len(told) == 2


def test_an_interval_of_one_group_has_no_width_and_of_several_holds_the_mean():
    value = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    assert answers.interval(np.full(6, "a"), lambda rows: value[rows].mean()) == (0.5, 0.5)
    low, high = answers.interval(np.array(list("aabbcc")), lambda rows: value[rows].mean())
    assert low < 0.5 < high


def test_overconfident_logits_get_a_temperature_above_one():
    rng = np.random.default_rng(5)
    truth = rng.integers(0, len(LABELS), 400)
    logits = rng.normal(0.0, 1.0, (400, len(LABELS)))
    logits[np.arange(400), truth] += 2.0
    tracks = answers.Tracks(truth, np.full(400, "a"), np.full(400, "stem"), np.zeros(400, bool), truth, np.arange(400))
    assert measure.fit_temperature(logits * 4.0, tracks) > 2.0


def test_the_card_says_so_where_the_rules_are_better(files):
    _, folder = files
    pictures = tiny(24)
    tracks = answers.tracks_of(pictures)
    wrong = np.full((tracks.truth.size, len(LABELS)), 0.0)
    wrong[:, 5] = 1.0
    view = measure.View("songs, clean", np.arange(tracks.truth.size))
    told = measure.figures(view, tracks, wrong, wrong, unsure=0.4)
    card = card_of(
        folder / "roles.onnx",
        {"temperature": 1.0, "unsure": 0.4},
        [told],
        measure.role_figures(tracks, wrong),
        measure.style_figures(tracks, wrong),
    )
    assert not card.in_use
    assert "Does not beat" in card.verdict
    assert faults_of(card) == []
