# SPDX-License-Identifier: Apache-2.0
"""defnull's tests of a multipart parser. They run with their own parser, which is watched: every
body that a test gives it is then given to ours, and both must read the same, or refuse it."""
import io
import os
import sys
import unittest

from shared import Case, Suite, host, parts_of, request, said

SUITE = Suite("defnull", "defnull/multipart", "MIT", "multipart bodies of a parser's own tests",
              needs=("multipart.py", "test/test_push_parser.py"))


def watched(module, seen):
    """Their parser, which notes what it is given in `seen`: boundary and body."""
    class Watched(module.PushMultipartParser):
        def __init__(self, boundary, *arguments, **named):
            super().__init__(boundary, *arguments, **named)
            self.given = [boundary, b""]
            seen.append(self.given)

        def parse(self, chunk):
            if isinstance(chunk, (bytes, bytearray)):
                self.given[1] += bytes(chunk)
            return super().parse(chunk)

    return Watched


def bodies(tree):
    """Of each test the bodies it parses, and their module."""
    sys.path.insert(0, tree)
    try:
        import multipart
        original, seen = multipart.PushMultipartParser, []
        multipart.PushMultipartParser = watched(multipart, seen)
        tests = unittest.defaultTestLoader.loadTestsFromName("test.test_push_parser")
        found = {}
        for test in (test for group in tests for test in group):
            seen.clear()
            unittest.TextTestRunner(stream=io.StringIO()).run(test)
            for boundary, body in seen:
                if body and isinstance(boundary, str):
                    found.setdefault((boundary, body), test.id().split(".", 3)[3])
    finally:
        sys.path.remove(tree)
    return original, multipart.MultipartError, found


def theirs(parser, refusal, boundary, body):
    """Name, filename and data of each part, or their words of refusal."""
    parts, reader = [], parser(boundary)
    try:
        for event in [*reader.parse(body), *reader.parse(b"")]:
            if hasattr(event, "filename"):
                parts.append([event.name.encode(), event.filename, b""])
            elif event:
                parts[-1][2] += event
    except (refusal, ValueError) as fault:
        return None, str(fault)
    return [(name, None if file is None else file.encode(), data)
            for name, file, data in parts], ""


def ours(port, boundary, body):
    kind = f'multipart/form-data; boundary="{boundary}"'
    status, _, answer = request(port, "POST", "/upload", body, {"content-type": kind})
    if status != 200:
        return None, said(status, answer)
    return [(part["name"], part["filename"], part["data"]) for part in parts_of(answer)], ""


def run(tree):
    parser, refusal, found = bodies(tree)
    numbers = {}
    with host() as subject:
        for (boundary, body), test in found.items():
            numbers[test] = numbers.get(test, 0) + 1
            expected, their_words = theirs(parser, refusal, boundary, body)
            got, our_words = ours(subject.port, boundary, body)
            yield Case(f"{test} {numbers[test]}", got == expected,
                       f"theirs {expected} {their_words}; ours {got} {our_words}"[:500])
