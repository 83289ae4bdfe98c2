"""What is on a track, told by the recogniser from its pictures, and what to believe when a name says something else."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.analysis.names import role_of_name
from core.analysis.roles import RoleGuess, guess_role
from core.analysis.track import TrackAnalysis
from core.models.features import FEATURES, Pictures
from core.models.runtime import Model, Unusable, load
from core.plans.roles import ROLES, Role

NAME: Final = "roles"
HINT: Final = 0.5
"""A name that says less surely than this what it is gives way to a sound that is surer."""
CONTRADICTS: Final = 0.8
"""From here on a sound that says something else than the name is worth a word."""
NAMED_GUESSES: Final = 2
EVEN_LIKELY: Final = 0.005
"""A guess below this rounds to nothing and is not named."""

_FAMILIES: Final[tuple[frozenset[Role], ...]] = (
    frozenset(
        {"kick", "snare", "hihat", "toms", "overheads", "room", "cymbals", "percussion", "drums", "click", "effects"}
    ),
    frozenset({"bass", "synth_bass"}),
    frozenset({"acoustic_guitar", "electric_guitar", "distorted_guitar"}),
    frozenset({"piano", "keys", "synth_pad", "synth_lead", "strings", "effects"}),
    frozenset({"brass", "woodwind", "strings", "synth_lead"}),
    frozenset({"lead_vocal", "backing_vocal", "speech"}),
)
"""Roles that sound so much alike, or are heard so much on each other's tracks, that a name is not called wrong."""
_ANYTHING: Final[frozenset[Role]] = frozenset({"backing_track", "room", "effects", "other"})
"""Roles that may sound like anything."""


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    """What the recogniser makes of a track."""

    role: Role
    """"other" where it is not sure enough."""
    confidence: float
    """Calibrated, 0..1, of the best guess whether it was sure enough or not."""
    guesses: tuple[tuple[Role, float], ...]
    """The two best guesses with their probabilities, the best first."""
    excerpts: int
    """How many were listened to."""
    agreed: int
    """How many of them alone would have said the best guess."""

    @property
    def why(self) -> str:
        """The numbers above in a sentence."""
        (best, sure), *others = self.guesses
        told = [f"{_words(role)} ({share:.0%})" for role, share in others if share >= EVEN_LIKELY]
        listened = (
            "1 excerpt was listened to" if self.excerpts == 1 else f"{self.agreed} of {self.excerpts} excerpts agree"
        )
        if self.role == "other":
            return f"Could be {' or '.join([f'{_words(best)} ({sure:.0%})', *told])}, too unsure to say; {listened}."
        runner_up = f", next {told[0]}" if told else ""
        return f"Sounds like {_words(best)} ({sure:.0%}){runner_up}; {listened}."


def load_recogniser() -> Model | Unusable:
    """The recogniser, or why there is none."""
    model = load(NAME, features=FEATURES)
    if isinstance(model, Unusable):
        return model
    sizes = {output.name: output.shape[-1] for output in model.card.outputs}
    if sizes.get("logits") != len(model.card.labels) or "unsure" not in model.card.thresholds:
        return Unusable(
            NAME, f"The card of '{NAME}' does not fit its use: labels or threshold are missing.", model.card
        )
    return model


def recognise(model: Model, pictures: Pictures) -> Recognition | None:
    """Say what the pictures of one track, shape (n, FRAMES, BANDS), show; None for no picture, which is silence."""
    if not len(pictures):
        return None
    logits = model.run(mel=pictures[:, None])["logits"].astype(np.float64)
    return pooled(logits, model.card.labels, model.card.temperature, model.card.thresholds["unsure"])


def pooled(logits: NDArray[Any], labels: tuple[str, ...], temperature: float, unsure: float) -> Recognition:
    """One answer from the logits of several excerpts, shape (n, labels).

    The mean of the excerpts' log-probabilities at the temperature, normalised (a geometric mean of opinions). Labels
    that are no role count as "other".
    """
    logged = _log_softmax(logits / temperature)
    shares = np.exp(_log_softmax(logged.mean(axis=0)))
    order = np.argsort(-shares, kind="stable")
    best = int(order[0])
    confidence = float(shares[best])
    return Recognition(
        role=_role(labels[best]) if confidence >= unsure else "other",
        confidence=confidence,
        guesses=tuple((_role(labels[at]), float(shares[at])) for at in order[:NAMED_GUESSES]),
        excerpts=len(logits),
        agreed=int((logged.argmax(axis=1) == best).sum()),
    )


def decide_role(name: str, analysis: TrackAnalysis, recognition: Recognition | None = None) -> RoleGuess:
    """The role of a track that no person gave one: by its name, else by the recogniser, else by rules about sound.

    A name that only hints gives way to a surer sound, and a sure sound of another family than the name's leaves a note.
    Where the recogniser is not sure, a rule counts only if it says one of the recogniser's best guesses.
    """
    ruled = guess_role(name, analysis)
    if recognition is None:
        return ruled
    heard = RoleGuess(role=recognition.role, confidence=recognition.confidence, why=recognition.why, by="model")
    if role_of_name(name) is not None:
        return _name_or_sound(name, ruled, heard)
    if heard.role != "other":
        return heard
    if ruled.role in dict(recognition.guesses):
        return msgspec.structs.replace(ruled, why=f"{ruled.why} {heard.why}")
    return RoleGuess(role="other", confidence=0.0, why=heard.why)


def _name_or_sound(name: str, named: RoleGuess, heard: RoleGuess) -> RoleGuess:
    if heard.role == "other" or alike(named.role, heard.role):
        return named
    sound = f"{heard.why[0].lower()}{heard.why[1:]}"
    if named.confidence < min(HINT, heard.confidence):
        note = f"The name of {name} only hints at {_words(named.role)}, so its sound decided: {sound}"
        return msgspec.structs.replace(heard, why=f"{heard.why} {named.why}", note=note)
    if heard.confidence < CONTRADICTS:
        return named
    note = (
        f"{name} was taken for {_words(named.role)}, as its name says, but it {sound} "
        "Give it a role if the sound is right."
    )
    return msgspec.structs.replace(named, note=note)


def alike(one: Role, other: Role) -> bool:
    """Whether two roles can't be told apart so surely that one contradicts the other."""
    if one == other or one in _ANYTHING or other in _ANYTHING:
        return True
    return any({one, other} <= family for family in _FAMILIES)


def _role(label: str) -> Role:
    return label if label in ROLES else "other"


def _words(role: Role) -> str:
    return role.replace("_", " ")


def _log_softmax(values: NDArray[Any]) -> NDArray[np.float64]:
    shifted = values - values.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
