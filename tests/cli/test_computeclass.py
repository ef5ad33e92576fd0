"""``chipwise computeclass``: manifests on standard output, what is left out on standard error."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.fleet import invoke
from tests.cluster import documents as docs

POOL = "cloud.google.com/gke-nodepool"


def fleet(folder: Path, **selectors: dict[str, str]) -> Path:
    """H100 in pools of several prices, and a workload that may use them all."""
    prices = {"cheap": "20.00", "middle": "40.00", "dear": "80.00"}
    pools = [
        docs.pool(name, "h100", price=price, nodeSelector=selectors.get(name, {POOL: name}))
        for name, price in prices.items()
    ]
    objects = [
        docs.chip_class("h100"),
        *pools,
        docs.profile(docs.variant("h100", container=None)),
        docs.workload(),
    ]
    for each in objects:
        each["metadata"].pop("uid", None)
    path = folder / "fleet.yaml"
    path.write_text(yaml.safe_dump_all(objects))
    return path


def test_pools_in_our_order(tmp_path: Path):
    done = invoke("computeclass", "-f", str(fleet(tmp_path)), "--priority-score")
    assert done.exit_code == 0, done.output
    (document,) = yaml.safe_load_all(done.stdout)
    assert (document["kind"], document["metadata"]["name"]) == ("ComputeClass", "chipwise-h100")
    assert document["spec"]["priorities"] == [
        {"priorityScore": 1000, "nodepools": ["cheap"]},
        {"priorityScore": 990, "nodepools": ["middle"]},
        {"priorityScore": 980, "nodepools": ["dear"]},
    ]


def test_what_gke_does_not_know_is_left_out_and_said(tmp_path: Path):
    done = invoke("computeclass", "-f", str(fleet(tmp_path, cheap={"example.com/pool": "cheap"})))
    (document,) = yaml.safe_load_all(done.stdout)
    assert document["spec"]["priorities"] == [{"nodepools": ["middle"]}, {"nodepools": ["dear"]}]
    assert "pool cheap is left out: its nodeSelector has no label of GKE" in done.stderr


def test_pools_that_are_refused_are_named_with_the_reason(tmp_path: Path):
    """Two that overlap are neither in the class nor passed over without a word."""
    same = {POOL: "shared"}
    done = invoke("computeclass", "-f", str(fleet(tmp_path, cheap=same, middle=same)))
    (document,) = yaml.safe_load_all(done.stdout)
    assert document["spec"]["priorities"] == [{"nodepools": ["dear"]}]
    assert "pool cheap is left out: Overlapping: " in done.stderr
    assert "pool middle is left out: Overlapping: " in done.stderr


def test_a_label_that_no_rule_can_say_is_told(tmp_path: Path):
    labels = {"cloud.google.com/gke-accelerator": "nvidia-h100-80gb", "team": "ml"}
    done = invoke("computeclass", "-f", str(fleet(tmp_path, cheap=labels)))
    (document,) = yaml.safe_load_all(done.stdout)
    assert document["spec"]["priorities"] == [{"nodepools": ["middle"]}, {"nodepools": ["dear"]}]
    assert "pool cheap is left out: its nodeSelector has team=ml, which no rule can say" in done.stderr


def test_without_any_it_is_bad_input(tmp_path: Path):
    none = {name: {"example.com/pool": name} for name in ("cheap", "middle", "dear")}
    done = invoke("computeclass", "-f", str(fleet(tmp_path, **none)))
    assert done.exit_code == 2
    assert "cloud.google.com/gke-nodepool" in done.stderr
