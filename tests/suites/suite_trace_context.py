# SPDX-License-Identifier: Apache-2.0
"""W3C's own harness for Trace Context: it calls a function that calls the harness back, and looks
at the headers that arrive there."""
import os
import re
import socket
import subprocess
import sys

from shared import Case, Suite, host

SUITE = Suite("trace_context", "w3c/trace-context", "BSD-3-Clause (its test folder)",
              "traceparent and tracestate through a function that calls others",
              needs=("test/test.py",), modules=(("aiohttp", "python3-aiohttp"),))
CHAIN = "middleware:\n  - error_handling\n  - trace: { sample: 1 }\n"
SECONDS = 120


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def outcomes(text):
    """Test and outcome; below the line with its name may stand what the test's docstring says."""
    found = re.findall(r"^(test_\w+) \(.*?\)(?:\n.*?)? \.\.\. (?:.*?\n)??(ok|FAIL|ERROR)$", text,
                       re.MULTILINE)
    reasons = dict(re.findall(r"^(?:FAIL|ERROR): (test_\w+)[\s\S]*?^(\w+(?:Error|Exception): .*)$",
                              text, re.MULTILINE))
    return [(name, outcome, reasons.get(name, "")) for name, outcome in found]


def run(tree):
    with host(chain=CHAIN) as subject:
        environment = dict(os.environ, STRICT_LEVEL="2", SPEC_LEVEL="2",
                           HARNESS_HOST="127.0.0.1", HARNESS_PORT=str(free_port()))
        done = subprocess.run(
            [sys.executable, "-B", "test.py", f"http://127.0.0.1:{subject.port}/call_out"],
            cwd=os.path.join(tree, "test"), env=environment, timeout=SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = outcomes(done.stdout)
    ran = re.search(r"^Ran (\d+) tests", done.stdout, re.MULTILINE)
    if not ran or int(ran.group(1)) != len(found):
        raise RuntimeError(f"its output is not understood:\n{done.stdout[-2000:]}")
    for name, outcome, reason in found:
        yield Case(name, outcome == "ok", reason[:300])
