"""The committed CRDs are what the models say."""

from pathlib import Path

import pytest
import yaml
from chipwise.api import KINDS
from chipwise.api.crds import definition, differences, main, render

CRDS = Path(__file__).parents[2] / "crds"


def test_committed_files_are_rendered_from_the_models() -> None:
    """Run ``make crds`` after a change of the models."""
    assert differences(CRDS) == []


def test_rendering_is_deterministic_and_small() -> None:
    """The same bytes each time, and far from the 256 KiB that client-side apply can annotate."""
    assert render() == render()
    assert max(map(len, render().values())) < 100_000


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_every_kind_offers(name: str) -> None:
    """Category, short name, status subresource, conditions merged by type, observedGeneration, no phase."""
    spec = definition(KINDS[name])["spec"]
    [version] = spec["versions"]
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]

    assert spec["names"]["categories"] == ["chipwise"]
    assert len(spec["names"]["shortNames"]) == 1
    assert version["subresources"] == {"status": {}}
    assert status["conditions"]["x-kubernetes-list-map-keys"] == ["type"]
    assert "observedGeneration" in status
    assert "phase" not in status


def test_columns_of_a_workload_answer_where_how_much_and_why() -> None:
    """One line in kubectl get."""
    [version] = definition(KINDS["InferenceWorkload"])["spec"]["versions"]
    shown = [column["name"] for column in version["additionalPrinterColumns"] if not column.get("priority")]
    assert shown == ["Ready", "Pool", "Variant", "Replicas", "$/h", "Why", "Age"]


def test_check_says_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed, a missing and a stray file each make the check fail, by name."""
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    changed = tmp_path / "chipwise.dev_acceleratorpools.yaml"
    changed.write_text(changed.read_text().replace("apool", "pool"))
    (tmp_path / "chipwise.dev_modelprofiles.yaml").unlink()
    (tmp_path / "stray.yaml").write_text("{}\n")
    capsys.readouterr()

    assert main(["--check", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "-    - pool" in said.out
    assert "make crds" in said.err
    assert "stray.yaml: no kind renders to this file" in "\n".join(differences(tmp_path))


def test_rendered_files_are_yaml_with_a_header() -> None:
    """The chart looks for ``metadata:`` at the start of a line."""
    for content in render().values():
        assert content.startswith("# Generated from chipwise.api.")
        assert content.count("\nmetadata:\n") == 1
        assert yaml.safe_load(content)["kind"] == "CustomResourceDefinition"
