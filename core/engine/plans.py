"""The plans of the library as the engine serves them: read, kept beside others, changed by a person, undone."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec

from core.engine.shelf import Shelf
from core.errors import OtoError
from core.plans.document import MixPlan, Plan
from core.plans.editing import Turn, with_turn
from core.protocol.requests import KeepPlan, ReplacePlan, SetPlanValue, SetPriority, StepPlan
from core.protocol.topics import KeptPlan, PlanLetter
from sessions.planshelf import fingerprint

_decode_plan: msgspec.json.Decoder[Plan] = msgspec.json.Decoder(Plan)


class Plans:
    """Plans of the sessions on the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._turned: tuple[str, str, int, str | None, str] | None = None
        """The knob of the last change: turning it further is the same step of undo."""

    def plan(self, session_id: str, kind: Literal["mix", "master"], take: int) -> Plan:
        """The plan a take has now."""
        data = self._shelf.library.load_plan(session_id, kind, take)
        if data is None:
            raise OtoError(
                "not_found",
                f"Take {take} has no {kind} plan yet.",
                f"Start a {kind} to have one proposed.",
            )
        return _decode_plan.decode(data)

    def kept_plan(self, session_id: str, take: int, letter: PlanLetter) -> Plan:
        """The mix plan of a take that is kept under a letter."""
        data = self._shelf.library.kept_plan(session_id, "mix", take, letter)
        if data is None:
            raise OtoError("not_found", f"No plan of take {take} is kept as {letter}.", "Keep one first.")
        return _decode_plan.decode(data)

    async def keep_plan(self, request: KeepPlan) -> KeptPlan:
        """Keep the mix plan of a take beside others."""
        session = self._shelf.of(request.session)
        data = _document(self.plan(session.id, "mix", request.take))
        await asyncio.to_thread(self._shelf.library.keep_plan, session.id, "mix", request.take, request.letter, data)
        self._shelf.show_plans()
        return KeptPlan(take=request.take, letter=request.letter, version=fingerprint(data))

    async def set_plan_value(self, request: SetPlanValue) -> Plan:
        """A person changes, locks or clears one setting of a plan."""
        session = self._shelf.of(request.session)
        plan = with_turn(
            self.plan(session.id, request.kind, request.take),
            Turn(strip=request.strip, name=request.name, value=request.value, locked=request.locked),
        )
        knob = (session.id, request.kind, request.take, request.strip, request.name)
        same = knob == self._turned and request.locked is None and request.value is not None
        await self._save_plan(session.id, request.kind, request.take, plan, same_step=same)
        self._turned = knob
        return plan

    async def set_priority(self, request: SetPriority) -> MixPlan:
        """A person says how much a track matters."""
        session = self._shelf.of(request.session)
        plan = self.plan(session.id, "mix", request.take)
        assert isinstance(plan, MixPlan)
        if all(strip.track != request.strip for strip in plan.strips):
            raise OtoError("not_found", f"The plan has no strip {request.strip!r}.")
        strips = tuple(
            msgspec.structs.replace(strip, priority=request.priority) if strip.track == request.strip else strip
            for strip in plan.strips
        )
        plan = msgspec.structs.replace(plan, strips=strips)
        await self._save_plan(session.id, "mix", request.take, plan)
        return plan

    async def step_plan(self, request: StepPlan) -> Plan | None:
        """Undo or redo a change; None when there is none."""
        session = self._shelf.of(request.session)
        self._turned = None
        data = await asyncio.to_thread(
            self._shelf.library.step_plan, session.id, request.kind, request.take, forward=request.redo
        )
        self._shelf.show_plans()
        return None if data is None else _decode_plan.decode(data)

    async def replace_plan(self, request: ReplacePlan) -> None:
        """Put a whole plan in place."""
        session = self._shelf.of(request.session)
        kind: Literal["mix", "master"] = "mix" if isinstance(request.plan, MixPlan) else "master"
        await self._save_plan(session.id, kind, request.take, request.plan)

    async def _save_plan(
        self, session_id: str, kind: Literal["mix", "master"], take: int, plan: Plan, *, same_step: bool = False
    ) -> None:
        self._turned = None
        await asyncio.to_thread(
            self._shelf.library.save_plan, session_id, kind, take, _document(plan), same_step=same_step
        )
        self._shelf.show_plans()


def _document(plan: Plan) -> bytes:
    """A plan as it is saved."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2)
