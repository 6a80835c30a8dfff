# SPDX-License-Identifier: Apache-2.0
"""Clients that keep a host busy while something happens to its workers, and count what fails: calls
that are short, calls that take a while, and bodies in pieces in both directions."""
import http.client
import threading
import time

from harness import PATIENCE_S

PIECES = 8
KIB = 192


class Load:
    """Runs from its beginning as a context to the end of it, and 60 s at most."""

    SECONDS_MAX = 60

    def __init__(self, host, seconds_max=SECONDS_MAX, pause=0):
        self.host = host
        self.pause = pause  # between two of one client
        self.until = time.monotonic() + seconds_max
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.failures = []
        self.total = 0
        self.seconds = []  # that each short call took
        self.pids = set()

    def __enter__(self):
        work = [self.short, self.short, self.longer, self.upload, self.download]
        self.threads = [threading.Thread(target=self.repeat, args=(one,), daemon=True)
                        for one in work]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, value, traceback):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=PATIENCE_S)

    def once(self, one, connection=None):
        connection = self.connect() if connection is None else connection
        begin = time.monotonic()
        try:
            what = one(connection)
        except (OSError, http.client.HTTPException) as error:
            what = repr(error)
            if hasattr(connection, "close"):
                connection.close()
        seconds = time.monotonic() - begin
        with self.lock:
            if one == self.short:
                self.seconds.append(seconds)
            self.total += 1
            if what:
                self.failures.append(f"{one.__name__} after {seconds:.3f} s: {what}")

    def is_late(self):
        return time.monotonic() >= self.until

    def repeat(self, one):
        connection = self.connect()
        while not self.stopping.is_set() and not self.is_late():
            self.once(one, connection)
            if self.pause:
                self.stopping.wait(self.pause)
        connection.close()

    @staticmethod
    def ask(connection, method, path, body=None):
        connection.request(method, "/api/" + path, body, encode_chunked=body is not None,
                           headers={"transfer-encoding": "chunked"} if body is not None else {})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def note(self, pid):
        with self.lock:
            self.pids.add(int(pid))

    def short(self, connection):
        status, body = self.ask(connection, "GET", "pid")
        if status == 200:
            self.note(body.split()[0])
        return None if status == 200 else f"{status} {body!r}"

    def longer(self, connection):
        status, body = self.ask(connection, "GET", "once?ms=20")
        return None if status == 200 and body.isdigit() else f"{status} {body!r}"

    def upload(self, connection):
        def pieces():
            for _ in range(PIECES):
                self.stopping.wait(0.002)
                yield b"x" * 4096

        status, body = self.ask(connection, "PUT", "swallow", pieces())
        whole = status == 200 and body.split()[0] == b"%d" % (PIECES * 4096)
        return None if whole else f"{status} {body!r}"

    def download(self, connection):
        status, body = self.ask(connection, "GET", f"pour?ms={KIB}")
        return None if status == 200 and len(body) == KIB * 1024 else f"{status} {len(body)} bytes"
