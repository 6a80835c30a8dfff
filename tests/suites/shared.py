# SPDX-License-Identifier: Apache-2.0
"""What the suites share: how one is described, where its subject runs, and what was decided.

A suite is a module of this folder with a SUITE and a function `run(tree)` that yields a Case for
each of its cases; `tree` is the checkout of its repository. It takes its cases from there at run
time: nothing of it is copied into this folder.
"""
import base64
import contextlib
import dataclasses
import fnmatch
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("ISOWORKER_BUILD") or os.path.join(HERE, "..", "..", "build", "dev")
WORKER = os.path.join(BUILD, "tests", "workers", "test_suites")
VERIFY = os.path.join(BUILD, "tests", "workers", "test_suites_verify")
os.environ["ISOWORKER_BIN"] = os.path.join(BUILD, "bin")
os.environ["ISOWORKER_TEST_WORKER"] = WORKER
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from harness import Host  # noqa: E402  (its paths come from the environment)

CHAIN = "middleware:\n  - error_handling: { expose_details: true }\n"
PATIENCE_S = 10


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    repository: str          # OWNER/NAME; its checkout is DIR/OWNER/NAME
    licence: str
    what: str
    needs: tuple = ()        # files or folders of the checkout
    commands: tuple = ()     # of PATH: (command, Debian package)
    modules: tuple = ()      # of Python: (module, Debian package)
    beside: tuple = ()       # other checkouts that it imports: (module, OWNER/NAME)


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    right: bool
    detail: str = ""


def checkout(folder, repository):
    return os.path.join(folder, *repository.split("/"))


def has_module(name, paths=()):
    code = f"import sys; sys.path[:0] = {list(paths)!r}; import {name}"
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, check=False)
    return done.returncode == 0


def missing(suite, folder):
    """What the suite lacks to run: a sentence each, with how to get it."""
    lacks = []
    for repository in [suite.repository] + [name for _, name in suite.beside]:
        path = checkout(folder, repository)
        needs = suite.needs if repository == suite.repository else ()
        if not os.path.isdir(path):
            lacks.append(f"git clone https://github.com/{repository} {path}")
        else:
            lacks += [f"{path} has no {need}: another version, or a part of the checkout"
                      for need in needs if not os.path.exists(os.path.join(path, need))]
    for command, package in suite.commands:
        if not shutil.which(command):
            lacks.append(f"apt-get install {package} (for {command})")
    for module, package in suite.modules:
        if not has_module(module):
            lacks.append(f"apt-get install {package} (for Python's {module})")
    return lacks


# -- Decisions --------------------------------------------------------------------------------


@dataclasses.dataclass
class Decision:
    suite: str
    pattern: str
    kind: str                # "decided": ours is meant; "later": known, to be mended
    reason: str
    used: bool = False


def read_decisions(path=os.path.join(HERE, "decisions.txt")):
    """Lines of `suite | case (with * and ?) | decided or later | reason`."""
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.split(" | ", 3)]
            if len(parts) != 4 or parts[2] not in ("decided", "later") or not parts[3]:
                sys.exit(f"{path}:{number}: to come is: suite | case | decided or later | reason")
            found.append(Decision(*parts))
    return found


def decision_of(decisions, suite, case):
    for decision in decisions:
        if decision.suite == suite and fnmatch.fnmatchcase(case, decision.pattern):
            decision.used = True
            return decision
    return None


# -- The subject ------------------------------------------------------------------------------


def host(chain=CHAIN, top="", http="", more=""):
    """Our worker under our host, with its functions at the root; `http` are more settings of it."""
    workers = f"  - name: suites\n    command: [{WORKER}]\n    give_up_after: 1000\n" + more
    return Host(workers, top=f'http: {{ prefix: ""{http} }}\n' + top, chain=chain)


def request(port, method, path, body=None, headers=None):
    """Status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


def exchange(port, data, wait_s=PATIENCE_S):
    """What comes back for these bytes until the host closes or is silent for `wait_s`, and whether
    it closed."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock:
        sock.settimeout(wait_s)
        with contextlib.suppress(ConnectionError):  # it may close before it has all
            sock.sendall(data)
        try:
            while True:
                part = sock.recv(65536)
                if not part:
                    return got, True
                got += part
        except TimeoutError:
            return got, False
        except ConnectionError:
            return got, True


def said(status, body):
    """The answer in short: of a problem document what it says."""
    try:
        problem = json.loads(body)
        return f"{status} {problem.get('detail') or problem.get('title') or body[:200]}"
    except (ValueError, AttributeError):
        return f"{status} {body[:200]!r}"


def statuses(answer):
    """Of all responses in these bytes, whose bodies hold no such line."""
    return [int(line.split(b" ")[1]) for line in answer.split(b"\r\n")
            if line.startswith(b"HTTP/1.1 ")]


def form_path(content_type):
    """The function that reads a form of this type, or None if it is no form."""
    kind = content_type.partition(";")[0].strip().lower()
    readers = {"multipart/form-data": "/upload", "application/x-www-form-urlencoded": "/form"}
    return readers.get(kind)


def parts_of(body):
    """The parts that the function `multipart` describes, as bytes."""
    plain = lambda text: None if text is None else base64.b64decode(text)  # noqa: E731
    return [{key: plain(value) for key, value in part.items()} for part in json.loads(body)]


def table_of(path, begin, end, prelude=""):
    """A literal of JavaScript between two texts of a file, as JSON has it; bytes as {"bytes"}."""
    script = r"""
const [path, begin, end, prelude] = process.argv.slice(1);
const text = require('fs').readFileSync(path, 'utf8');
const from = text.indexOf(begin) + begin.length;
const literal = text.slice(from, text.indexOf(end, from) + end.length).replace(/;\s*$/, '');
globalThis.transcode = require('buffer').transcode; // which a table may use
Buffer.prototype.toJSON = function () { return { bytes: this.toString('base64') }; };
const table = (0, eval)(prelude + ';(' + literal + ')');
process.stdout.write(JSON.stringify(table, (key, value) =>
    value instanceof RegExp ? String(value) : value));
"""
    done = subprocess.run(["node", "-e", script, "--", path, begin, end, prelude],
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)
