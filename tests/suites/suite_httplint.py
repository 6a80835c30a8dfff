# SPDX-License-Identifier: Apache-2.0
"""Answers of every shape, held to what httplint (the judge behind REDbot) knows of HTTP: none of
its notes may say "bad". Each is read by its own framing on a connection that must serve the next
request, and a 304 must say what the 200 says."""
import contextlib
import os
import socket
import sys
import tempfile

from shared import PATIENCE_S, Case, Suite, checkout, host

SUITE = Suite("httplint", "mnot/httplint", "MIT", "answers of every shape, looked at by a linter",
              needs=("httplint/message.py",),
              modules=(("markdown", "python3-markdown"), ("markupsafe", "python3-markupsafe"),
                       ("babel", "python3-babel"), ("brotli", "python3-brotli"),
                       ("chardet", "python3-chardet"),
                       ("typing_extensions", "python3-typing-extensions")),
              beside=(("http_sf", "mnot/http-sf"), ("sniffpy", "codeprentice-org/sniffpy")))
CHAIN = """middleware:
  - cors: { origins: ["https://app.example"] }
  - error_handling
  - compress: { min_size: 100 }
  - idempotency
"""
GZIP = {"Accept-Encoding": "gzip"}
CORS = {"Origin": "https://app.example"}
PREFLIGHT = CORS | {"Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "content-type"}
FILES = {"a.txt": b"some text\n" * 100, "a.html": b"<!doctype html><title>a</title>\n",
         "a.json": b'{"a": 1}\n', "a.bin": bytes(range(256)) * 8, "empty.txt": b"",
         "no_end": b"what is it\n"}
# Name, method, path, headers; "ETAG" and "DATE" stand for those of the file.
PLAIN = [
    ("text", "GET", "/text", {}), ("text, its head", "HEAD", "/text", {}),
    ("text, compressed", "GET", "/text", GZIP),
    ("text, compressed, its head", "HEAD", "/text", GZIP),
    ("nothing", "GET", "/nothing", {}), ("nothing, its head", "HEAD", "/nothing", {}),
    ("nothing for a post", "POST", "/nothing", {}),
    ("nothing, compressed", "GET", "/nothing", GZIP),
    ("a redirect", "GET", "/redirect", {}), ("a redirect, its head", "HEAD", "/redirect", {}),
    ("a redirect of a post", "POST", "/redirect", {}), ("a cookie", "GET", "/cookie", {}),
    ("pieces", "GET", "/pieces", {}), ("pieces, their head", "HEAD", "/pieces", {}),
    ("pieces, compressed", "GET", "/pieces", GZIP), ("events", "GET", "/events", {}),
    ("events, their head", "HEAD", "/events", {}), ("events, compressed", "GET", "/events", GZIP),
    ("a failure", "GET", "/fails/1", {}), ("a failure, its head", "HEAD", "/fails/1", {}),
    ("not found", "GET", "/file/none", {}), ("not found, its head", "HEAD", "/file/none", {}),
    ("a method that it has not", "DELETE", "/text", {}), ("options", "OPTIONS", "/text", {}),
    ("a preflight", "OPTIONS", "/json", PREFLIGHT), ("another origin", "GET", "/text", CORS),
    ("another origin, a failure", "GET", "/fails/1", CORS),
    ("another origin, compressed", "GET", "/text", CORS | GZIP),
    ("a bad body", "POST", "/json", {"Content-Length": "0"}),
    ("a slash too many", "GET", "/text/", {}),
]
CONDITIONS = [
    ("if-none-match", {"If-None-Match": "ETAG"}), ("if-none-match of any", {"If-None-Match": "*"}),
    ("if-modified-since", {"If-Modified-Since": "DATE"}),
    ("if-match of another", {"If-Match": '"other"'}),
    ("a range", {"Range": "bytes=2-5"}), ("the last bytes", {"Range": "bytes=-3"}),
    ("a range beyond", {"Range": "bytes=999999-"}), ("two ranges", {"Range": "bytes=0-1,3-4"}),
    ("a range if it is the same", {"Range": "bytes=0-1", "If-Range": "ETAG"}),
    ("a range if it is another", {"Range": "bytes=0-1", "If-Range": '"other"'}),
]


def linters(folder):
    for repository in [SUITE.repository] + [name for _, name in SUITE.beside]:
        sys.path.insert(0, checkout(folder, repository))
    from httplint import HttpRequestLinter, HttpResponseLinter, note
    return HttpRequestLinter, HttpResponseLinter, note.levels


class Connection:
    """One connection, whose answers are read by their framing; nothing may be left over."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, method, path, headers):
        fields = {"Host": "127.0.0.1", "User-Agent": "suite"} | headers
        text = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        self.sock.sendall(text.encode() + b"\r\n")
        return list(fields.items())

    def read(self, method):
        """Status line as three, fields, body, and what was wrong with the framing, or None."""
        line = self.file.readline().rstrip(b"\r\n").split(b" ", 2)
        if len(line) < 2 or not line[0].startswith(b"HTTP/1.1"):
            raise ValueError(f"no status line, but {line!r}")
        fields = []
        while (field := self.file.readline().rstrip(b"\r\n")):
            name, _, value = field.partition(b":")
            fields.append((name, value.strip()))
        found = {name.lower(): value for name, value in fields}
        if method == "HEAD" or line[1] in (b"204", b"304"):
            return line, fields, b""
        if found.get(b"transfer-encoding") == b"chunked":
            return line, fields, self.chunks()
        return line, fields, self.file.read(int(found.get(b"content-length", b"0")))

    def chunks(self):
        body = b""
        while (size := int(self.file.readline().split(b";")[0], 16)):
            body += self.file.read(size)
            self.file.readline()
        while self.file.readline() not in (b"\r\n", b""):
            pass
        return body


def exchange(port, method, path, headers):
    """Request fields and the answer, on a connection that then serves another request."""
    with Connection(port) as connection:
        sent = connection.send(method, path, headers)
        line, fields, body = connection.read(method)
        if (b"connection", b"close") not in [(n.lower(), v.lower()) for n, v in fields]:
            connection.send("GET", "/text", {})
            follows = connection.read("GET")[0]
            if follows[1] != b"200":
                raise ValueError(f"the next request of the connection gets {follows!r}")
    return sent, line, fields, body


def bad_notes(tools, method, path, sent, line, fields, body):
    request_linter, response_linter, levels = tools
    asked, answered = request_linter(), response_linter()
    asked.process_request_topline(method.encode(), b"http://127.0.0.1" + path.encode(), b"HTTP/1.1")
    asked.process_headers([(name.encode(), value.encode()) for name, value in sent])
    asked.finish_content(True)
    answered.request, answered.is_head_response = asked, method == "HEAD"
    answered.process_response_topline(line[0].split(b"/")[1], *line[1:])
    answered.process_headers(fields)
    answered.feed_content(body)
    answered.finish_content(True)
    notes = [each for note in answered.notes for each in (note, *note.subnotes)]
    return [str(note.summary) for note in notes if note.level == levels.BAD]


def combined(fields):
    """Value by name in lower case, those of one name joined as RFC 9110, section 5.3, has it."""
    found = {}
    for name, value in fields:
        found.setdefault(name.lower(), []).append(value)
    return {name: b", ".join(sorted(values)) for name, values in found.items()}


def judge(tools, port, method, path, headers, same_as=None):
    try:
        sent, line, fields, body = exchange(port, method, path, headers)
    except (ValueError, OSError) as fault:
        return False, f"{method} {path}: {fault!r}"
    found = bad_notes(tools, method, path, sent, line, fields, body)
    if line[1] == b"304" and same_as:
        lower = combined(fields)
        found += [f"the 304 says {name.decode()}: {lower.get(name)!r}, the 200 {value!r}"
                  for name, value in same_as.items()
                  if name in (b"etag", b"vary", b"cache-control") and lower.get(name) != value]
    return not found, f"{line[1].decode()} {'; '.join(found)}"


def of_the_file(port, path, headers):
    return combined(exchange(port, "GET", path, headers)[2])


def filled(headers, whole):
    words = {"ETAG": whole.get(b"etag", b""), "DATE": whole.get(b"last-modified", b"")}
    return {name: words[value].decode() if value in words else value
            for name, value in headers.items()}


def cases_of_files(tools, port):
    for name in FILES:
        for how, more in (("", {}), (", compressed", GZIP)):
            for method in ("GET", "HEAD"):
                yield (f"{method} of {name}{how}",
                       *judge(tools, port, method, "/file/" + name, more))
    for how, more in (("", {}), (", compressed", GZIP)):
        whole = of_the_file(port, "/file/a.txt", more)
        for what, headers in CONDITIONS:
            for method in ("GET", "HEAD"):
                yield (f"{method} with {what}{how}", *judge(
                    tools, port, method, "/file/a.txt", more | filled(headers, whole), whole))


def run(tree):
    tools = linters(os.path.dirname(os.path.dirname(tree)))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for name, data in FILES.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        more = f'    environment: ["ISW_SUITES_FILES={folder}"]\n'
        subject = stack.enter_context(host(chain=CHAIN, more=more))
        for name, method, path, headers in PLAIN:
            yield Case(name, *judge(tools, subject.port, method, path, headers))
        for case in cases_of_files(tools, subject.port):
            yield Case(*case)
