"""The sample of llm-inferno and the answer it publishes for it (tests/data/inferno-small)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chipwise.performance import Coefficients, Objective, Shape, Sustained, sustained_rate

from tests.performance.builders import tpot, ttft

FOLDER = Path(__file__).parents[1] / "data" / "inferno-small"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}-data.json").read_text())


ALLOCATIONS: dict[str, Any] = load("solution")["allocations"]
ACCELERATORS: dict[str, Any] = {a["name"]: a for a in load("accelerator")["accelerators"]}
MODELS: dict[tuple[str, str], Any] = {(m["name"], m["acc"]): m for m in load("model")["models"]}
TARGETS: dict[tuple[str, str], Any] = {
    (c["name"], t["model"]): t for c in load("serviceclass")["serviceClasses"] for t in c["modelTargets"]
}


@dataclass(frozen=True)
class Server:
    name: str
    model: str
    shape: Shape
    requests_per_second: float
    objectives: tuple[Objective, ...]


def server(document: dict[str, Any]) -> Server:
    """Arrival rates of the sample are requests per minute."""
    load, target = document["currentAlloc"]["load"], TARGETS[document["class"], document["model"]]
    return Server(
        document["name"],
        document["model"],
        Shape(load["AvgInTokens"], load["AvgOutTokens"]),
        load["arrivalRate"] / 60,
        (ttft(target["slo-ttft"]), tpot(target["slo-itl"])),
    )


SERVERS: dict[str, Server] = {d["name"]: server(d) for d in load("server")["servers"]}


def coefficients(model: str, accelerator: str) -> Coefficients:
    row = MODELS[model, accelerator]
    fitted = row["perfParms"]
    return Coefficients(
        fitted["alpha"], fitted["beta"], fitted["gamma"], row["maxBatchSize"], row["atTokens"]
    )


def replicas(asked: Server, accelerator: str) -> int | None:
    """The fewest replicas that meet the objectives, or None where none do."""
    found = sustained_rate(coefficients(asked.model, accelerator), asked.shape, asked.objectives)
    if isinstance(found, Sustained):
        return math.ceil(asked.requests_per_second / found.requests_per_second)
    return None


def cents_per_hour(asked: Server, accelerator: str) -> float:
    """Infinite where infeasible."""
    count = replicas(asked, accelerator)
    if count is None:
        return math.inf
    units: int = MODELS[asked.model, accelerator]["accCount"]
    unit_cost: float = ACCELERATORS[accelerator]["cost"]
    return count * units * unit_cost
