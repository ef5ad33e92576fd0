"""The classes in the chart are those of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from chipwise import catalog
from chipwise.api import parse

from charts import classes


def test_the_files_are_written_from_the_catalogue():
    assert classes.written() == classes.committed(), "run: make chart-classes"


def test_each_is_a_class_that_helm_keeps():
    for name, text in classes.committed().items():
        document = yaml.safe_load(text)
        assert f"{parse(document).metadata.name}.yaml" == name
        assert document["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        assert "{{" not in text


def test_a_stale_file_is_told_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(classes, "FOLDER", tmp_path / "classes")
    assert classes.main(["--check"]) == 1
    assert "h100-sxm.yaml" in capsys.readouterr().err
    assert classes.main([]) == 0
    (tmp_path / "classes" / "gone.yaml").write_text("")
    (tmp_path / "classes" / "l4.yaml").write_text("")
    assert classes.main(["--check"]) == 1
    assert "gone.yaml, l4.yaml" in capsys.readouterr().err
    assert classes.main([]) == 0
    assert classes.main(["--check"]) == 0
    assert len(list((tmp_path / "classes").iterdir())) == len(catalog.chips())
