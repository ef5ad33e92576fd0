"""What a log line looks like."""

from __future__ import annotations

import io
import json
import logging

import pytest
from chipwise.telemetry.logs import LogFormat, setup


@pytest.fixture
def line():
    """Log by the callable given, return what was written."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def written(form, log):
        stream = io.StringIO()
        setup(form, stream=stream)
        log(logging.getLogger("chipwise.test"))
        return stream.getvalue()

    yield written
    root.handlers[:] = before
    root.setLevel(level)


def test_json_has_the_facts_as_fields(line):
    """One object a line, extras beside the message."""
    text = line(LogFormat.JSON, lambda log: log.warning("held", extra={"workload": "prod/chat"}))
    found = json.loads(text)
    assert found.pop("time").endswith("Z")
    assert found == {"level": "warn", "logger": "chipwise.test", "message": "held", "workload": "prod/chat"}


def test_text_has_them_behind_the_message(line):
    """A person reads the sentence first."""
    text = line(LogFormat.TEXT, lambda log: log.info("moved %s", "it", extra={"to": "p2", "from": "p1"}))
    assert text.endswith("chipwise.test: moved it from=p1 to=p2\n")


def test_a_traceback_is_one_field(line):
    """A line is a line for a machine."""

    def fail(log):
        try:
            int("odd")
        except ValueError:
            log.exception("failed")

    text = line(LogFormat.JSON, fail)
    assert text.count("\n") == 1
    assert "ValueError: invalid literal" in json.loads(text)["error"]


def test_kopf_is_quiet(line):
    """It would report every event it handles."""
    text = line(LogFormat.TEXT, lambda _: logging.getLogger("kopf.objects").info("Handler succeeded"))
    assert text == ""
