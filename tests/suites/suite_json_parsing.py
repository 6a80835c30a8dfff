# SPDX-License-Identifier: Apache-2.0
"""JSON texts that a parser must take (y_), must refuse (n_), or may do with as it likes (i_)."""
import os

from shared import Case, Suite, host, request, said

SUITE = Suite("json_parsing", "nst/JSONTestSuite", "MIT",
              "JSON texts against isw_json_parse: taken, refused, never a failure of the server",
              needs=("test_parsing",))


def is_right(kind, status):
    return {"y": status == 200, "n": status == 400, "i": status in (200, 400)}[kind]


def run(tree):
    folder = os.path.join(tree, "test_parsing")
    with host() as subject:
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                status, _, body = request(subject.port, "POST", "/json", file.read())
            yield Case(name, is_right(name[0], status), said(status, body))
