"""A door before storage that can be shut: who comes then, or is inside, finds the line cut."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Generator


class Door:
    """Forwards TCP connections from `port` to a port of something else on this machine."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open = True
        self._inside: set[asyncio.StreamWriter] = set()

    @classmethod
    @contextlib.contextmanager
    def before(cls, target: int) -> Generator["Door"]:
        """The door, open."""
        door = cls(target)
        thread = threading.Thread(target=door._loop.run_forever)
        thread.start()
        try:
            server = door._do(asyncio.start_server(door._enter, "127.0.0.1", 0))
            door.port = server.sockets[0].getsockname()[1]
            yield door
            door._do(door._close(server))
        finally:
            door._loop.call_soon_threadsafe(door._loop.stop)
            thread.join()
            door._loop.close()

    def shut(self) -> None:
        self._do(self._cut())

    def open(self) -> None:
        self._open = True

    def _do[T](self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        await self._cut()
        # Until all are out: Azurite does not end while a line to it is left.
        await server.wait_closed()

    async def _cut(self) -> None:
        self._open = False
        for writer in self._inside:
            writer.close()
        self._inside.clear()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._inside |= {writer, back}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        self._inside -= {writer, back}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
