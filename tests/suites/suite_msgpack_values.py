# SPDX-License-Identifier: Apache-2.0
"""Values and all the ways to write each in MessagePack: each way is read as the value, and what we
write of it is one of them."""
import base64
import json
import os

from shared import Case, Suite, host, request, said

SUITE = Suite("msgpack_values", "kawanet/msgpack-test-suite", "MIT",
              "values in MessagePack, read and written again", needs=("dist",))


def bytes_of(text):
    return bytes.fromhex(text.replace("-", ""))


def expected(group):
    """As JSON says it: bytes are base64 there."""
    (kind, value), = [(key, group[key]) for key in group if key not in ("msgpack", "bignum")] or [
        ("bignum", int(group["bignum"]))]
    if "bignum" in group:
        return int(group["bignum"])
    return base64.b64encode(bytes_of(value)).decode() if kind == "binary" else value


def judge(port, group, encoding):
    status, _, body = request(port, "POST", "/msgpack", bytes_of(encoding))
    if status != 200:
        return False, said(status, body)
    answer = json.loads(body)
    again = base64.b64decode(answer["again"])
    right = (answer["value"] == expected(group)
             and again in [bytes_of(each) for each in group["msgpack"]])
    return right, f"read as {answer['value']!r}, written as {again.hex('-')}"


def run(tree):
    with open(os.path.join(tree, "dist", "msgpack-test-suite.json"), encoding="utf-8") as file:
        groups = json.load(file)
    with host() as subject:
        for name, values in groups.items():
            for group in values:
                for encoding in group["msgpack"]:
                    yield Case(f"{name}/{encoding[:60]}", *judge(subject.port, group, encoding))
