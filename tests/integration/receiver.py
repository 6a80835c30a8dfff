# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks: keeps what came, and answers as it is told."""
import http.server
import threading

from harness import PATIENCE_S


class Came:
    """One request."""

    def __init__(self, handler, body):
        self.method, self.path, self.body = handler.command, handler.path, body
        self.headers = {name.lower(): value for name, value in handler.headers.items()}


class Receiver:
    """Listens while it is a context. `answers` are statuses, or (status, headers, body), for what
    comes next; then it is 204. `gate` cleared: answers wait for it."""

    def __init__(self, *answers, wrap=None):
        self.answers = list(answers)
        self.came, self.busy, self.most = [], 0, 0
        self.changed = threading.Condition()
        self.gate = threading.Event()
        self.gate.set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.handle_error = lambda *_: None  # one that is not there for its answer
        if wrap:
            self.server.socket = wrap(self.server.socket)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def handler(receiver):  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, headers, said = receiver.take(Came(self, body))
                receiver.gate.wait(PATIENCE_S)
                receiver.leave()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said.encode())

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        return Handler

    def take(self, came):
        with self.changed:
            self.came.append(came)
            self.busy += 1
            self.most = max(self.most, self.busy)
            answer = self.answers.pop(0) if self.answers else 204
            self.changed.notify_all()
        return answer if isinstance(answer, tuple) else (answer, {}, "")

    def leave(self):
        with self.changed:
            self.busy -= 1

    def wait_for(self, count):
        """The first `count` that came."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.came) >= count, PATIENCE_S):
                raise AssertionError(f"{len(self.came)} came, not {count}")
            return self.came[:count]

    def url(self, path="/hook", scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
