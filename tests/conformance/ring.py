# SPDX-License-Identifier: Apache-2.0
"""The host's end of a session that begins on the ring (PROTOCOL.md, section 11), for tests: the
memory, the descriptors to hand down, and a Peer that speaks there."""
import collections
import ctypes
import fcntl
import mmap
import os
import platform
import select
import struct

import msgpack
from peer import Peer, Violation

SIZE, RING = 34607104, 524288
DOWN, UP, DOWN_BYTES, UP_BYTES = 0, 2048, 4096, 528384
TAIL, HEAD, BELL, SLEEPS = 0, 64, 128, 132
SYS_FUTEX = {"x86_64": 202, "aarch64": 98}[platform.machine()]
FUTEX_WAKE = 1
PATIENCE_MS = 20000


class RingPeer(Peer):
    """Made before the worker starts; `connected` when it has connected."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.fd = os.memfd_create("ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, SIZE)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        self.memory = mmap.mmap(self.fd, SIZE)
        self.bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.word = ctypes.c_uint32.from_buffer(self.memory, DOWN + BELL)
        self.libc = ctypes.CDLL(None)
        self.arrived = collections.deque()
        self.written = self.taken = 0
        self.fds = [self.fd, self.bell]
        self.variables = {"ISOWORKER_RING_FD": str(self.fd), "ISOWORKER_BELL_FD": str(self.bell)}

    def connected(self, sock):
        self.sock = sock
        return self

    def said_on_the_socket(self):
        """What came there; the other side is to be silent."""
        return select.select([self.sock], [], [], 0)[0] and self.sock.recv(100)

    def close(self):
        del self.word
        self.memory.close()
        os.close(self.fd)
        os.close(self.bell)

    def send(self, *frames):
        message = b"".join(msgpack.packb(frame, use_bin_type=True) for frame in frames)
        message = struct.pack(">BQ", 1, len(message)) + message
        if len(message) > RING - (self.written - self._get("<Q", DOWN + HEAD)):
            raise Violation("these tests send no more than the ring has room for")
        for byte in message:
            self.memory[DOWN_BYTES + self.written % RING] = byte
            self.written += 1
        self._put("<Q", DOWN + TAIL, self.written)
        if self._get("<I", DOWN + SLEEPS):
            self._put("<I", DOWN + SLEEPS, 0)
            self._put("<I", DOWN + BELL, self._get("<I", DOWN + BELL) + 1)
            self.libc.syscall(SYS_FUTEX, ctypes.byref(self.word), FUTEX_WAKE, 1, None, None, 0)

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            there = min(self._get("<Q", UP + TAIL) - self.taken, size - len(data))
            for _ in range(there):
                data.append(self.memory[UP_BYTES + self.taken % RING])
                self.taken += 1
            self._put("<Q", UP + HEAD, self.taken)
            if not there:
                self._wait()
        return bytes(data)

    def _wait(self):
        self._put("<I", UP + SLEEPS, 1)
        if self._get("<Q", UP + TAIL) != self.taken:
            return
        look = select.poll()
        look.register(self.bell, select.POLLIN)
        look.register(self.sock, select.POLLRDHUP)
        ready = look.poll(PATIENCE_MS)
        if not ready:
            raise TimeoutError("the worker said nothing")
        if (self.bell, select.POLLIN) in ready:
            os.eventfd_read(self.bell)
        elif self._get("<Q", UP + TAIL) == self.taken:
            raise EOFError

    def _get(self, form, at):
        return struct.unpack_from(form, self.memory, at)[0]

    def _put(self, form, at, number):
        struct.pack_into(form, self.memory, at, number & (1 << 8 * struct.calcsize(form)) - 1)
