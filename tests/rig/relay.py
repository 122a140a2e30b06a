"""A door between two networks: what connects to an address in a network namespace is connected to
a port of this machine's loopback, byte by byte.

    with Relay(f"{name}-service", "10.77.0.1", 8080, target_port):
"""

import contextlib
import ctypes
import os
import socket
import threading

CHUNK = 65536
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Relay:
    def __init__(self, netns, address, port, target_port):
        self._target = ("127.0.0.1", target_port)
        self._server = None
        made = threading.Thread(target=self._listen, args=(netns, address, port))
        made.start()
        made.join()
        if self._server is None:
            raise OSError(f"cannot listen at {address}:{port} in {netns}")

    def _listen(self, netns, address, port):
        """In a thread of its own, whose network is another one until it ends."""
        handle = os.open(f"/run/netns/{netns}", os.O_RDONLY)
        try:
            if _libc.setns(handle, CLONE_NEWNET) == 0:
                self._server = socket.create_server((address, port))
        finally:
            os.close(handle)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error):
        # Closing alone would not wake who waits for the next connection.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self):
        while True:
            try:
                inside, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(inside,), daemon=True).start()

    def _connect(self, inside):
        with inside, contextlib.suppress(OSError):
            with socket.create_connection(self._target) as outside:
                back = threading.Thread(target=self._pump, args=(outside, inside), daemon=True)
                back.start()
                self._pump(inside, outside)
                back.join()

    @staticmethod
    def _pump(one, other):
        with contextlib.suppress(OSError):
            while chunk := one.recv(CHUNK):
                other.sendall(chunk)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)
            one.shutdown(socket.SHUT_RD)
