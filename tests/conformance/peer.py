# SPDX-License-Identifier: Apache-2.0
"""One end of a session, for worker.py and host.py: SP framing on a socket, frames in MessagePack.

Written from src/wire/PROTOCOL.md alone; the numbers in comments are its sections. A frame here is a
tuple (kind, id, body), a body a dictionary. Whatever breaks a rule raises Violation.
"""
import collections
import struct
import time

import msgpack

WORKER_HELLO, HOST_HELLO, METADATA_REQUEST, METADATA, LOAD, LOADED, INVOKE = range(1, 8)
RESPONSE, CANCEL, LOG, STATUS_REQUEST, STATUS, CREDIT, RELOAD, RELOADED = range(8, 16)
WARMUP, WARMED, TERMINATE, ERROR, GOODBYE, OUTPUT, HEAD, CHUNK, WINDOW = range(16, 25)
METRICS_REQUEST, METRICS = 25, 26

FIRST_EXTENSION = 64
DOUBLE, HTTP = 5, 7
E_CONFLICT, E_NOT_FOUND, E_PROTOCOL, E_CANCELLED, E_IO = 6, 5, 17, 9, 19

GREETING = bytes.fromhex("0053500000100000")
MESSAGE_LIMIT = 67_108_864
KEY_LIMIT = 63
WINDOW_BYTES = 262_144      # of a stream, at its begin (section 8)
UNDER_WAY_BYTES = 163_840   # less: a socket holds it, so that none waits to send to one that waits
CHUNK_BYTES = 65_536


class Violation(Exception):
    """The other side broke the protocol; the session is over (section 9)."""


class Map(list):
    """A map as it arrived, a list of pairs: what will be skipped may hold any key, even twice."""


def members(value):
    """A body or a structure as a dictionary."""
    if not isinstance(value, Map):
        raise Violation("a map was due")
    keys = [key for key, _ in value]
    if any(type(key) is not int or not 0 <= key <= KEY_LIMIT for key in keys):
        raise Violation("a key is out of range")
    if len(set(keys)) < len(keys):
        raise Violation("a key comes twice")
    return dict(value)


def field(body, key, kind, default=None):
    """A member of the type `kind`. Without a default the member must be there."""
    if key not in body and default is None:
        raise Violation(f"key {key} is missing")
    value = body.get(key, default)
    if type(value) is not kind or (kind is int and value < 0):
        raise Violation(f"key {key} has the wrong type")
    if kind is str:
        check_text(value)
    return value


def check_text(text):
    """Strings are unpacked leniently, since those that are skipped may hold anything."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Violation("text is not UTF-8") from error


def pairs(body, key):
    """The pairs of a body, as a list of (name, value)."""
    flat = field(body, key, list, [])
    if len(flat) % 2 or any(type(text) is not str for text in flat):
        raise Violation(f"key {key} is no list of pairs")
    for text in flat:
        check_text(text)
    return list(zip(flat[::2], flat[1::2]))


class Windows:
    """The two windows of one invocation's stream (section 3): what may leave, and what came."""

    def __init__(self, peer, joined):
        self.peer, self.joined = peer, joined
        self.leaves, self.comes = UNDER_WAY_BYTES, WINDOW_BYTES
        self.waiting = b""

    def write(self, data):
        """Takes bytes that are to leave, and sends of all that wait what the window allows."""
        self.waiting += data
        while self.waiting and self.leaves:
            part = self.waiting[:min(self.leaves, CHUNK_BYTES)]
            self.waiting = self.waiting[len(part):]
            self.leaves -= len(part)
            self.peer.send((CHUNK, self.joined, {1: part}))

    def granted(self, body):
        self.leaves += field(body, 1, int)
        self.write(b"")

    def read(self, body):
        """The bytes of a chunk. The window is granted anew as soon as half of it is used."""
        data = field(body, 1, bytes, b"")
        self.comes -= len(data)
        if self.comes < 0:
            raise Violation("a chunk beyond the window")
        if self.comes < WINDOW_BYTES // 2:
            self.peer.send((WINDOW, self.joined, {1: WINDOW_BYTES - self.comes}))
            self.comes = WINDOW_BYTES
        return data


class Peer:
    """A connected socket that carries frames."""

    def __init__(self, sock):
        self.sock = sock
        self.arrived = collections.deque()
        sock.sendall(GREETING)
        if self._read(len(GREETING)) != GREETING:
            raise Violation("the other side does not speak SP pair version 0")

    def send(self, *frames):
        """Sends the frames in one message."""
        message = b"".join(msgpack.packb(frame, use_bin_type=True) for frame in frames)
        self.sock.sendall(struct.pack(">BQ", 1, len(message)) + message)

    def receive(self):
        """The next frame that is no extension. EOFError when the other side has closed."""
        while not self.arrived:
            self.arrived.extend(self._frames(self._message()))
        return self.arrived.popleft()

    def give_up(self, reason):
        """Tells the other side what it did wrong, then waits for its close, a second at most."""
        try:
            self.send((ERROR, 0, {1: {1: E_PROTOCOL, 2: reason}}))
            end = time.monotonic() + 1
            while time.monotonic() < end:
                self.sock.settimeout(max(end - time.monotonic(), 0.001))
                if not self.sock.recv(65536):
                    break
        except OSError:
            pass
        self.sock.close()

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.sock.recv(min(size - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _message(self):
        mark, size = struct.unpack(">BQ", self._read(9))
        if mark != 1 or size > MESSAGE_LIMIT:
            raise Violation("no message, or too long a one")
        return self._read(size)

    def _frames(self, message):
        unpacker = msgpack.Unpacker(object_pairs_hook=Map, strict_map_key=False,
                                    unicode_errors="surrogateescape",
                                    max_buffer_size=MESSAGE_LIMIT)
        unpacker.feed(message)
        try:
            while unpacker.tell() < len(message):
                frame = self._frame(unpacker.unpack())
                if frame[0] < FIRST_EXTENSION:
                    yield frame
        except (msgpack.UnpackException, ValueError) as error:
            raise Violation(f"no MessagePack: {error!r}") from error

    @staticmethod
    def _frame(value):
        if type(value) is not list or len(value) != 3:
            raise Violation("a frame is an array of three")
        kind, joined, body = value
        if type(kind) is not int or type(joined) is not int or joined < 0:
            raise Violation("kind and id are unsigned integers")
        if kind >= FIRST_EXTENSION:
            return kind, joined, {}
        if not WORKER_HELLO <= kind <= METRICS:
            raise Violation(f"kind {kind} is unknown")
        return kind, joined, members(body)
