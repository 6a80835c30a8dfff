# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand: a client that writes what frames it likes (RFC 9113), so that a test can send what
no library would. Heads are read and written by Python's hpack."""
import socket
import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE_S = 30
FRAME_BYTES = 16384

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4

NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED = 0, 1, 3, 5
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 6, 7, 8, 9
INTERNAL_ERROR, ENHANCE_YOUR_CALM = 2, 11


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">BHBBI", len(payload) >> 16, len(payload) & 0xffff, kind, flags,
                       stream) + payload


def line(method="GET", path="/api/hello/Ada", authority="a", scheme="http"):
    """The pseudo-header fields of a request; None leaves one out."""
    fields = ((":method", method), (":scheme", scheme), (":path", path), (":authority", authority))
    return [(name, value) for name, value in fields if value is not None]


def block(fields):
    """Without the table that both sides keep, so that frames can be sent in any order."""
    out = b""
    for name, value in fields:
        for text in (name, value):
            raw = text if isinstance(text, bytes) else text.encode("latin-1")
            if text is name:
                out += b"\0"
            size = len(raw)
            if size < 127:
                out += bytes([size])
            else:
                out += b"\x7f"
                size -= 127
                while size >= 128:
                    out += bytes([size & 127 | 128])
                    size >>= 7
                out += bytes([size])
            out += raw
    return out


def headers(stream, fields, flags=END_STREAM | END_HEADERS):
    whole = block(fields)
    pieces = [whole[at:at + FRAME_BYTES] for at in range(0, len(whole), FRAME_BYTES)] or [b""]
    kinds = [(HEADERS, flags & ~END_HEADERS)] + [(CONTINUATION, 0)] * (len(pieces) - 1)
    kinds[-1] = (kinds[-1][0], kinds[-1][1] | flags & END_HEADERS)
    return b"".join(frame(kind, own, stream, piece)
                    for (kind, own), piece in zip(kinds, pieces))


def data(stream, payload, flags=END_STREAM):
    return frame(DATA, flags, stream, payload)


def window(stream, size):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


def settings(**values):
    names = {"table": 1, "push": 2, "streams": 3, "window": 4, "frame": 5}
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", names[name], value)
                                          for name, value in values.items()))


class Stream:
    """What has come of an answer."""

    def __init__(self):
        self.heads = []  # those with 100 before the last one
        self.body = b""
        self.ended = False
        self.error = None

    @property
    def status(self):
        return int(dict(self.heads[-1])[":status"]) if self.heads else None

    @property
    def fields(self):
        return dict(self.heads[-1])


class Frames:
    """A connection. Windows are not widened unless a test does."""

    def __init__(self, port, first=PREFACE + frame(SETTINGS)):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.decoder = hpack.Decoder()
        self.got = b""
        self.streams = {}
        self.goaway = None  # the last stream, and the error
        self.acks = self.pings = 0
        self.settings = {}
        self.windows = {}  # by how much they were widened
        self.closed = False
        self.send(first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *frames):
        try:
            self.sock.sendall(b"".join(frames))
        except OSError:  # it is closed, as reading will show
            pass

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def read(self):
        """Take in what comes next; False: nothing more does."""
        try:
            part = self.sock.recv(65536)
        except ConnectionError:
            part = b""
        self.closed = not part
        self.got += part
        while len(self.got) >= 9:
            high, low, kind, flags, number = struct.unpack(">BHBBI", self.got[:9])
            size = high << 16 | low
            if len(self.got) < 9 + size:
                break
            payload, self.got = self.got[9:9 + size], self.got[9 + size:]
            self.take(kind, flags, number, payload)
        return not self.closed

    def take(self, kind, flags, number, payload):
        if kind == HEADERS:
            assert flags & END_HEADERS
            self.stream(number).heads.append(self.decoder.decode(payload))
        elif kind == DATA:
            self.stream(number).body += payload
        elif kind == RST_STREAM:
            self.stream(number).error = struct.unpack(">I", payload)[0]
        elif kind == SETTINGS and flags & ACK:
            self.acks += 1
        elif kind == SETTINGS:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                self.settings[name] = value
            self.send(frame(SETTINGS, ACK))
        elif kind == WINDOW_UPDATE:
            self.windows[number] = self.windows.get(number, 0) + struct.unpack(">I", payload)[0]
        elif kind == PING and flags & ACK:
            self.pings += 1
        elif kind == GOAWAY:
            self.goaway = struct.unpack(">II", payload[:8])
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.stream(number).ended = True

    def wait(self, condition):
        """Until it holds; whether it does, when nothing more comes."""
        while not condition():
            if not self.read():
                return condition()
        return True

    def answer(self, number):
        """The stream, once it has ended or was reset."""
        stream = self.stream(number)
        if not self.wait(lambda: stream.ended or stream.error is not None):
            raise AssertionError(f"stream {number} has no end; GOAWAY: {self.goaway}")
        return stream

    def ask(self, number, *fields, **parts):
        self.send(headers(number, line(**parts) + list(fields)))
        return self.answer(number)

    def end(self):
        """The error of GOAWAY, once the host has closed; None: it said none."""
        self.wait(lambda: False)
        return self.goaway[1] if self.goaway else None
