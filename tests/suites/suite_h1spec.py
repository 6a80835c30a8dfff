# SPDX-License-Identifier: Apache-2.0
"""dropseed's h1spec: HTTP/1.1 by RFC 9112 and 9110, strict cases and hardening included. Many of
its cases wait for seconds, so that they run side by side."""
import concurrent.futures
import sys

from shared import Case, Suite, host

SUITE = Suite("h1spec", "dropseed/h1spec", "MIT", "HTTP/1.1 as RFC 9112 and RFC 9110 have it",
              needs=("h1spec/runner.py", "h1spec/tests"))


def sections(tree):
    sys.path.insert(0, tree)
    try:
        from h1spec.runner import run_test
        from h1spec.tests import SECTIONS
    finally:
        sys.path.remove(tree)
    return run_test, SECTIONS


def run(tree):
    run_test, found = sections(tree)
    cases = [case for section in found for case in section.tests]
    with host() as subject, concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        address = ("127.0.0.1", subject.port)
        for result in pool.map(lambda case: run_test(case.name, case.fn, address), cases):
            yield Case(result.name, result.passed, result.detail)
