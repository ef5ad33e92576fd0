"""Log lines: text for people, or one JSON object a line for machines. One decision, one line.

Facts about a line go into ``extra={...}`` and come out as fields of the JSON or as ``key=value`` behind the text, in quotes where the
value has a space.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIETER = {
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    "kopf": logging.WARNING,  # it reports each handled event at INFO
    "kopf._core.reactor.running": logging.ERROR,  # it warns that it ignores signals, as it should: they are ours
}
_SEVERITY = {"WARNING": "warn", "CRITICAL": "fatal"}


class LogFormat(StrEnum):
    """The values of ``--log-format``."""

    TEXT = "text"
    JSON = "json"


def setup(form: LogFormat = LogFormat.TEXT, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send all logs to ``stream`` (standard error). Calling it again replaces what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _QUIETER.items():
        logging.getLogger(name).setLevel(max(level, least))


class JsonLines(logging.Formatter):
    """time (RFC 3339, UTC), level, logger, message, the extras, and the traceback as one string."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": _SEVERITY.get(record.levelname, record.levelname.lower()),
            "logger": record.name,
            "message": record.getMessage(),
            **_extras(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """The same for a terminal; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        extras = "".join(f" {name}={_word(value)}" for name, value in _extras(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{extras}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in sorted(vars(record).items()) if name not in _STANDARD}


def _word(value: Any) -> str:
    text = str(value)
    return text if text and not set(text) & set(' "=\n') else json.dumps(text, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
