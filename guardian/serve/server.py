"""The web server of the cloud, which ends in order: whoever waits for news is told that none comes before it closes.

A device's long poll and a browser's live stream would hold their connections open until they were cut off; each cut is a
traceback in the log at every ordinary stop, and among those a real fault would not be seen.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from litestar import Litestar

GRACE_S = 5
"""For what is being answered when the stop comes: a batch, a picture, a search. What takes longer is cut off."""


class OrderlyServer(uvicorn.Server):
    """uvicorn on loopback.

    Args:
        leave: called once when the stop comes, before any connection is closed; ends what would wait.
    """

    def __init__(self, app: Litestar, *, port: int, leave: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=port,
                log_config=None,  # `configure_log` has; uvicorn's own would print whole tracebacks
                log_level="warning",
                access_log=False,
                loop="none",
                http="httptools",
                timeout_graceful_shutdown=GRACE_S,
                server_header=False,
            )
        )
        self._leave = leave

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the waits, then everything."""
        self._leave()
        await super().shutdown(sockets)
