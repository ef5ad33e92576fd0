"""Every file that cannot be used ends with exit code 2 and the file, the object and the field on standard error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.fleet import chip, deployment, invoke, ours, pool, supply, workload, write


def said(*arguments: Any) -> str:
    """What standard error holds; standard output holds nothing."""
    result = invoke("plan", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


@pytest.mark.parametrize(
    ("document", "object_", "field"),
    [
        (pool("dear", "0"), "AcceleratorPool/dear", "spec.price.amount"),
        (pool("dear", ""), "AcceleratorPool/dear", "spec.price.amount"),
        (pool("dear", "1,5"), "AcceleratorPool/dear", "spec.price.amount"),
        (pool("dear", 7), "AcceleratorPool/dear", "spec.price.amount"),
        (pool("dear", "1", prize="2"), "AcceleratorPool/dear", "spec.prize"),
        (pool("dear", "1", nodeSelector={}), "AcceleratorPool/dear", "spec.nodeSelector"),
        (workload("chat", objectives=[]), "InferenceWorkload/chat", "spec.objectives"),
        (workload("chat", mode=False), "InferenceWorkload/chat", "spec.mode"),
        (ours("AcceleratorPol", "dear", {}), "AcceleratorPol/dear", "kind"),
        (chip("dear") | {"apiVersion": "chipwise.dev/v1"}, "AcceleratorClass/dear", "apiVersion"),
        (deployment("chat", "dear", 1) | {"apiVersion": "apps/v1beta1"}, "Deployment/chat", "apiVersion"),
        (chip("dear") | {"metadata": {}}, "AcceleratorClass/?", "metadata.name"),
        ({"kind": "Deployment", "metadata": {"name": "chat"}}, "Deployment/chat", "apiVersion"),
        (deployment("chat", "dear", 1) | {"spec": {}}, "Deployment/chat", "template"),
    ],
)
def test_the_message_names_file_object_and_field(tmp_path, document, object_, field):
    path = write(tmp_path, document)
    message = said("-f", path)
    assert message.startswith(f"Error: {path}: {object_}: ")
    assert field in message


def test_a_missing_file(tmp_path):
    assert f"{tmp_path / 'none.yaml'}: no such file or folder" in said("-f", tmp_path / "none.yaml")


def test_a_folder_without_manifests(tmp_path):
    assert f"{tmp_path}: holds no .yaml, .yml, .json file" in said("-f", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.yaml", "kind: [\n", "line 2"),
        ("a.yaml", "kind: A\n\tspec: 1\n", "line 2"),
        ("a.yaml", "kind: A\nspec: {x: 1}\nspec: {x: 2}\n", "spec is there twice"),
        ("a.json", '{"kind": }', "line 1"),
        ("a.yaml", "just text", "holds a str"),
        ("a.yaml", "kind: PodList\napiVersion: v1\n", "items"),
    ],
)
def test_a_file_that_is_no_manifest_says_where(tmp_path, name, text, where):
    path = tmp_path / name
    path.write_text(text)
    message = said("-f", path)
    assert message.startswith(f"Error: {path}: ")
    assert where in message


def test_a_file_of_another_encoding(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"kind: \xff")
    assert f"{path}: is not UTF-8" in said("-f", path)


def test_two_objects_of_one_name_in_two_files(tmp_path):
    first, second = write(tmp_path, chip("dear"), name="a.json"), write(tmp_path, chip("dear"), name="b.json")
    assert f"{second}: AcceleratorClass/dear: metadata.name: is also in {first}" in said("-f", tmp_path)


def test_two_objects_of_one_name_in_one_file(tmp_path):
    assert "AcceleratorClass/dear: metadata.name: is twice in this file" in said(
        "-f", write(tmp_path, chip("dear"), chip("dear"))
    )


def test_one_name_in_two_namespaces_is_fine(tmp_path):
    path = write(tmp_path, *supply(), workload("chat", namespace="a"), workload("chat", namespace="b"))
    assert invoke("plan", "-f", path).exit_code == 0


def test_a_file_that_is_named_twice_is_read_once(tmp_path):
    path = write(tmp_path, *supply(), workload("chat"))
    assert invoke("plan", "-f", tmp_path, "-f", path).exit_code == 0


def test_foreign_kinds_are_passed_over(tmp_path):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "chat"}, "spec": {}}
    theirs = {"apiVersion": "example.com/v1", "kind": "Node", "metadata": {"name": "chat"}}
    assert invoke("plan", "-f", write(tmp_path, *supply(), service, theirs)).exit_code == 0
