"""The only door to HiGHS: one linear or mixed-integer solve on one thread, from lists to lists.

The solver is imported on first use, because the command line must start fast without it. HiGHS fixes its thread count at first use in a
process; everything here asks for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chipwise.placement.program import Program

_SEED = 1
#: In units of the scaled cost, where the dearest single item costs 100.
_ABSOLUTE_GAP = 1e-7
#: How far, relatively, an objective may be from the sum that its values make.
_SUM_TOLERANCE = 1e-6
#: An LP that needs more simplex iterations than this many per row and column is stopped.
_ITERATIONS_PER_LINE = 50


class Status(StrEnum):
    """How a solve ended. STOPPED by the node or iteration limit, TIMED_OUT by the clock."""

    OPTIMAL = "Optimal"
    INFEASIBLE = "Infeasible"
    STOPPED = "Stopped"
    TIMED_OUT = "TimedOut"


@dataclass(frozen=True, slots=True)
class Answer:
    """``values`` is empty without a feasible point. ``bound`` is the best proven lower bound, in the units of the cost."""

    status: Status
    objective: float
    bound: float
    values: Sequence[float]
    reduced_costs: Sequence[float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Effort:
    """When to stop."""

    seconds: float
    mip_nodes: int = 0
    relative_gap: float = 0.0


@dataclass(frozen=True, slots=True)
class Rows:
    """Row bounds of one stage."""

    lower: Sequence[float]
    upper: Sequence[float]


class Door:
    """A program handed over once and solved in stages that differ in cost, column bounds and row bounds only."""

    def __init__(self, program: Program) -> None:
        import highspy  # noqa: PLC0415  see the module docstring
        import numpy as np  # noqa: PLC0415
        from highspy._core import _Highs  # noqa: PLC0415  the public wrapper prints a banner to standard output when it is made

        self._highspy, self._np, self._solver = highspy, np, _Highs
        self._program = program
        rows = np.asarray(program.rows, dtype=np.int64)
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=len(program.row_lower))
        self._start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        self._index = np.asarray(program.columns, dtype=np.int32)[order]
        self._value = np.asarray(program.values, dtype=np.float64)[order]

    def linear(self, cost: Sequence[float], upper: Sequence[float], rows: Rows, effort: Effort) -> Answer:
        """Solve the relaxation."""
        return self._run(self._model(cost, upper, rows), None, effort)

    def integral(
        self,
        cost: Sequence[float],
        upper: Sequence[float],
        rows: Rows,
        effort: Effort,
        start: Sequence[float] | None,
    ) -> Answer:
        """Solve the mixed-integer program, from ``start`` if there is one.

        HiGHS 1.16 can lose part of a start in presolve and then takes it to cost less than it does: everything dearer than that is
        cut off, and the start returned as the optimum. Its objective is not that of its values then, and it is asked again without.
        """
        model = self._model(cost, upper, rows)
        kinds = (self._highspy.HighsVarType.kContinuous, self._highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[flag] for flag in self._program.integer]
        answer = self._run(model, start, effort)
        if start is None or self._adds_up(cost, answer):
            return answer
        again = self._run(model, None, replace(effort, seconds=effort.seconds - answer.seconds))
        return replace(again, seconds=again.seconds + answer.seconds)

    def _adds_up(self, cost: Sequence[float], answer: Answer) -> bool:
        """Whether the objective is that of the values."""
        if not answer.values:
            return True
        spent = float(self._np.dot(cost, answer.values))
        return abs(spent - answer.objective) <= _SUM_TOLERANCE * max(1.0, abs(spent))

    def _model(self, cost: Sequence[float], upper: Sequence[float], rows: Rows) -> Any:
        np, highspy = self._np, self._highspy
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(cost), len(rows.lower)
        lp.col_cost_ = np.asarray(cost, dtype=np.float64)
        lp.col_lower_ = np.asarray(self._program.lower, dtype=np.float64)
        lp.col_upper_ = np.asarray(upper, dtype=np.float64)
        lp.row_lower_ = np.asarray(rows.lower, dtype=np.float64)
        lp.row_upper_ = np.asarray(rows.upper, dtype=np.float64)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = lp.num_col_, lp.num_row_
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = self._start, self._index, self._value
        return lp

    def _run(self, model: Any, start: Sequence[float] | None, effort: Effort) -> Answer:
        highspy, np = self._highspy, self._np
        solver = self._solver()
        mip = len(model.integrality_) > 0
        options: dict[str, Any] = {
            "output_flag": False,
            "threads": 1,
            "random_seed": _SEED,
            "time_limit": max(0.01, effort.seconds),
        }
        if mip:
            options |= {
                "mip_max_nodes": effort.mip_nodes,
                "mip_rel_gap": effort.relative_gap,
                "mip_abs_gap": _ABSOLUTE_GAP,
            }
        else:
            options["simplex_iteration_limit"] = _ITERATIONS_PER_LINE * (model.num_col_ + model.num_row_)
        for name, value in options.items():
            solver.setOptionValue(name, value)
        solver.passModel(model)
        if start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = np.asarray(start, dtype=np.float64)
            solver.setSolution(solution)
        solver.run()
        return self._answer(solver, mip=mip)

    def _answer(self, solver: Any, *, mip: bool) -> Answer:
        statuses = self._highspy.HighsModelStatus
        info, status = solver.getInfo(), solver.getModelStatus()
        feasible = info.primal_solution_status == 2
        ended = {
            statuses.kOptimal: Status.OPTIMAL,
            statuses.kInfeasible: Status.INFEASIBLE,
            statuses.kUnboundedOrInfeasible: Status.INFEASIBLE,
            statuses.kTimeLimit: Status.TIMED_OUT,
        }.get(status, Status.STOPPED)
        solution = solver.getSolution()
        bound = info.mip_dual_bound if mip else info.objective_function_value
        if not mip and ended is not Status.OPTIMAL:
            bound = -self._np.inf
        return Answer(
            status=ended,
            objective=float(info.objective_function_value),
            bound=float(bound),
            values=self._np.asarray(solution.col_value).tolist() if feasible else (),
            reduced_costs=() if mip or not feasible else self._np.asarray(solution.col_dual).tolist(),
            seconds=float(solver.getRunTime()),
        )
