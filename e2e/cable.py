"""One operator's own way to the API server, which can be cut: what is sent meanwhile is held, and handed in when it is mended.

A network does the same: routers hold and repeat what is under way, and nobody can call it back.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65536


class Cable:
    """Passes bytes on between local connections and ``server`` (an https URL), until it is closed at the end of the block."""

    def __init__(self, server: str) -> None:
        where = urlsplit(server)
        assert where.hostname
        assert where.port
        self._server = (where.hostname, where.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._whole = threading.Event()
        self._whole.set()
        self._sockets: list[socket.socket] = [self._listener]

    @property
    def server(self) -> str:
        """Where the operator finds the API server; its certificate is good for this address too."""
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Hold everything, in both directions. Connections stay open, and new ones are taken and lead nowhere."""
        self._whole.clear()

    def mend(self) -> None:
        """Hand in what was held, and go on."""
        self._whole.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mend()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                here, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(here,), daemon=True).start()

    def _join(self, here: socket.socket) -> None:
        self._sockets.append(here)
        self._whole.wait()
        try:
            there = socket.create_connection(self._server)
        except OSError:
            here.close()
            return
        self._sockets.append(there)
        threading.Thread(target=self._pass_on, args=(there, here), daemon=True).start()
        self._pass_on(here, there)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # either side may be gone
            while data := source.recv(_CHUNK):
                self._whole.wait()
                sink.sendall(data)
        self._whole.wait()
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
