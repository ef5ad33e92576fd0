"""The administrator's plain HTTP to the API server, for what a test reads often and a watch must see at once.

It goes through ``kubectl proxy``, so that every way to log in that kubectl knows will do.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from e2e.cluster import Cluster
from e2e.cluster.commands import kubectl_on

Document = dict[str, Any]
Body = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

GROUP = "/apis/chipwise.dev/v1alpha1"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"


class Refused(Exception):  # noqa: N818 - it is an answer
    """The API server said no: ``code`` and its own words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Admin:
    """One proxy; a connection for each request, so that threads need not share any."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str) -> Document:
        """The document; Refused if it is not there."""
        return self._request("GET", path)

    def find(self, path: str) -> Document | None:
        """The document, None where there is none."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.code == http.client.NOT_FOUND:
                return None
            raise

    def merge(self, path: str, body: Mapping[str, Any], *, manager: str = "e2e") -> Document:
        """A merge patch under the given field manager."""
        return self._request("PATCH", f"{path}?fieldManager={manager}", body, MERGE)

    def create(self, path: str, document: Mapping[str, Any]) -> Document:
        """A new object; one that is there already stays as it is."""
        try:
            return self._request("POST", path, document)
        except Refused as refused:
            if refused.code != http.client.CONFLICT:
                raise
            return {}

    def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> Document:
        """A JSON Patch."""
        return self._request("PATCH", path, operations, JSON)

    def delete(self, path: str) -> None:
        """Delete one object; one that is gone already is fine."""
        try:
            self._request("DELETE", path)
        except Refused as refused:
            if refused.code != http.client.NOT_FOUND:
                raise

    def events(self, namespace: str, reason: str = "") -> list[Document]:
        """Events in a namespace that chipwise posted, of one reason if that is given."""
        items = self.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
        ours = [each for each in items if each.get("reportingController") == "chipwise.dev/operator"]
        return [each for each in ours if reason in ("", each["reason"])]

    def watch(self, path: str) -> Iterator[tuple[str, Document]]:
        """(type, object) of every change, from what is there now; ends when the server closes."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=1800)
        try:
            connection.request("GET", f"{path}?watch=true&timeoutSeconds=1700")
            answer = connection.getresponse()
            for line in answer:
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            connection.close()

    def _request(
        self, verb: str, path: str, body: Body = None, content: str = "application/json"
    ) -> Document:
        """One request; one that the server is not ready for (a kind that was just installed) is sent again for half a minute."""
        for _ in range(30):
            try:
                return self._request_once(verb, path, body, content)
            except Refused as refused:
                if refused.code != http.client.TOO_MANY_REQUESTS:
                    raise
                time.sleep(1)
        return self._request_once(verb, path, body, content)

    def _request_once(self, verb: str, path: str, body: Body, content: str) -> Document:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(verb, path, text, {"Content-Type": content})
            answer = connection.getresponse()
            found: Document = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise Refused(answer.status, str(found.get("message", "")))
        return found


@contextmanager
def proxied(cluster: Cluster) -> Iterator[Admin]:
    """An administrator for as long as the block runs."""
    command = [*kubectl_on(cluster.kubectl, cluster.kubeconfig), "proxy", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r":(\d+)\s*$", said)
        assert found, f"kubectl proxy said {said!r}"
        yield Admin(int(found[1]))
    finally:
        process.terminate()
        process.communicate(timeout=10)
