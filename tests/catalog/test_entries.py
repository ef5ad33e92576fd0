"""What an entry must be: a fault in one is told with file, entry and field, so that adding a chip or a model is an edit of one file."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
import yaml
from chipwise import catalog
from chipwise.catalog import BrokenCatalogue, chip_figures, dated_prices, machines, model_shapes
from chipwise.rendering.quantity import whole

Document = dict[str, Any]
DATA = files("chipwise.catalog") / "data"


def document(name: str) -> Document:
    """The file with its first entry only."""
    found: Document = yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
    key = name.rpartition("/")[2].removesuffix(".yaml")
    return found | {key: found[key][:1]}


def broken(name: str, read: Callable[[Any], Any], change: Callable[[Document], Any]) -> str:
    found = copy.deepcopy(document(name))
    change(found[name.removesuffix(".yaml")][0])
    with pytest.raises(BrokenCatalogue) as error:
        read(found)
    return str(error.value)


def put(*path: str, value: Any) -> Callable[[Document], None]:
    def change(entry: Document) -> None:
        for key in path[:-1]:
            entry = entry[key]
        entry[path[-1]] = value

    return change


def test_one_entry_by_itself_is_enough():
    assert len(chip_figures.read(document("chips.yaml"))) == 1
    assert len(model_shapes.read(document("models.yaml"))) == 1
    assert len(machines.read(document("instances.yaml"))) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("name", value=""), "name must be a text"),
        (put("vendor", value=None), "vendor must be a text"),
        (put("memroy", value=1), "unknown field memroy"),
        (put("aliases", value="h100"), "aliases must be a list of texts"),
        (put("memory", value=80), "memory must be a map"),
        (put("memory", "value", value=80), "value must be of type str"),
        (put("memory", "value", value=None), "without memory and its bandwidth"),
        (put("memoryBandwidthGBps", "value", value="fast"), "value must be of type int"),
        (put("memoryBandwidthGBps", "value", value=0), "value must be of type int"),
        (put("memoryBandwidthGBps", "sources", value=[]), "a value needs a source"),
        (put("memoryBandwidthGBps", "sources", value=["hearsay"]), "the source hearsay is not described"),
        (put("watts", value={"value": None}), "null needs a note"),
        (put("tflops", "fp12", value={"value": 1, "sources": ["hc24"]}), "unknown field fp12"),
        (put("discovery", value={"label": "a", "values": []}), "sources must name at least 1"),
    ],
)
def test_a_chip_that_is_wrong_is_told(change: Callable[[Document], None], says: str):
    message = broken("chips.yaml", chip_figures.read, change)
    assert message.startswith("chips.yaml, ")
    assert says in message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("layers", value=0), "layers must be at least 1"),
        (put("layers", value=True), "layers must be at least 1"),
        (put("kvHeads", value="8"), "kvHeads must be a whole number"),
        (put("activeParameters", value=10**15), "activeParameters must not exceed parameters"),
        (put("experts", value=8), "expertsPerToken must be between 1 and experts"),
        (put("slidingWindow", value=128), "go together"),
        (put("linearLayers", value=33), "must not exceed layers"),
        (put("weights", value="fp12"), "weights must be one of"),
        (put("sources", value=[]), "sources must name at least 1"),
        (put("sources", value=["hearsay"]), "the source hearsay is not described"),
        (put("published", value={"size": "8B"}), "unknown field size"),
        (put("kind", value="dense"), "unknown field kind"),
    ],
)
def test_a_model_that_is_wrong_is_told(change: Callable[[Document], None], says: str):
    message = broken("models.yaml", model_shapes.read, change)
    assert message.startswith("models.yaml, llama-3.1-8b")
    assert says in message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("cloud", value="moon"), "cloud must be one of aws, azure, gcp"),
        (put("chips", value=0), "chips must be at least 1"),
        (put("sources", value=["hearsay"]), "the source hearsay is not described"),
        (put("gpus", value=8), "unknown field gpus"),
    ],
)
def test_an_instance_type_that_is_wrong_is_told(change: Callable[[Document], None], says: str):
    message = broken("instances.yaml", machines.read, change)
    assert message.startswith("instances.yaml, ")
    assert says in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("region,size,price\n", "the columns must be region, instance, usd_per_hour"),
        ("region,instance,usd_per_hour\nx,y\n", "line 2: 3 columns are needed"),
        ("region,instance,usd_per_hour\nx,y,0\n", "line 2: '0' is no price"),
        ("region,instance,usd_per_hour\nx,y,free\n", "line 2: 'free' is no price"),
        (
            "region,instance,usd_per_hour\nx,y,1\nx,y,2\n",
            "line 3: '2' is no price, or the row is there twice",
        ),
    ],
)
def test_a_price_list_that_is_wrong_is_told(text: str, says: str):
    lists = {
        "lists": [{"cloud": "aws", "file": "aws.csv", "date": "2026-01-01", "currency": "USD", "source": "x"}]
    }
    with pytest.raises(BrokenCatalogue) as error:
        dated_prices.read(lists, lambda _: text)
    assert says in str(error.value)


@pytest.mark.parametrize("found", [None, [], {}, {"chips": None}, {"chips": ["h100"]}])
def test_a_file_without_entries_is_told(found: Any):
    with pytest.raises(BrokenCatalogue, match="must be a list of maps"):
        chip_figures.read(found)


def test_every_instance_type_has_a_chip_that_ships_and_no_more_of_it_than_a_server():
    names = {chip.name: chip for chip in catalog.chips()}
    for each in catalog.instances():
        server = names[each.chip].chips_per_server.value
        assert server is None or each.chips <= server, each.name
        for quantity in (each.memory, each.allocatable_memory):
            assert quantity is None or whole(quantity) > 2**30


def test_no_name_means_two_instance_types():
    names = [each.name.lower() for each in catalog.instances()]
    assert len(names) == len(set(names))


def test_no_source_is_described_and_not_used():
    for name in ("chips.yaml", "models.yaml", "instances.yaml"):
        text = (DATA / name).read_text(encoding="utf-8")
        described = yaml.safe_load(text)["sources"]
        unused = [
            key
            for key in described
            if not any(f"{before}{key}{after}" in text for before in "[ " for after in ",]")
        ]
        assert unused == [], name
