"""The code of the messages is that of the .proto files, and these agree with what is published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chipwise.expander.wire import expander_pb2, pod_pb2

from tests.expander import published

ROOT = Path(__file__).parents[2]
WIRE = Path("chipwise/expander/wire")
FILES = ("expander_pb2.py", "expander_pb2.pyi", "pod_pb2.py", "pod_pb2.pyi")


def test_the_code_is_what_the_files_say(tmp_path: Path):
    """`make protos` writes it."""
    protos = [str(WIRE / "expander.proto"), str(WIRE / "pod.proto")]
    outs = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "operator"), *outs, *protos]
    subprocess.run(command, check=True, cwd=ROOT / "operator")
    for name in FILES:
        assert (tmp_path / WIRE / name).read_text() == (ROOT / "operator" / WIRE / name).read_text(), name


@pytest.mark.parametrize("name", ["BestOptionsRequest", "BestOptionsResponse", "Option"])
def test_messages_have_the_published_numbers_and_types(name):
    ours = expander_pb2.DESCRIPTOR.message_types_by_name[name]
    theirs = {field: (number, kind) for field, number, kind, _ in published.GRPC[name]}
    assert ours.full_name == f"grpcplugin.{name}"
    for field in ours.fields:
        number, kind = theirs[field.name]
        assert field.number == number
        assert field.type == (published.MESSAGE if isinstance(kind, str) else kind)


@pytest.mark.parametrize("name", ["Pod", "ObjectMeta", "OwnerReference"])
def test_what_is_read_of_a_pod_has_the_published_numbers_and_types(name):
    ours = pod_pb2.DESCRIPTOR.message_types_by_name[name]
    theirs = {field: (number, kind) for field, number, kind, _ in {**published.META, **published.CORE}[name]}
    for field in ours.fields:
        number, kind = theirs[field.name]
        assert field.number == number
        assert field.type == (published.MESSAGE if isinstance(kind, str) else kind)


def test_the_service_has_the_published_name():
    service = expander_pb2.DESCRIPTOR.services_by_name["Expander"]
    assert f"/{service.full_name}/{service.methods[0].name}" == published.METHOD
