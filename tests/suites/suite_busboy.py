# SPDX-License-Identifier: Apache-2.0
"""busboy's tables of multipart and urlencoded forms, and what is in each."""
import base64
import json
import os

from shared import Case, Suite, host, parts_of, request, said, table_of

SUITE = Suite("busboy", "mscdex/busboy", "MIT", "multipart and urlencoded forms",
              needs=("test/test-types-multipart.js", "test/test-types-urlencoded.js"),
              commands=(("node", "nodejs"),))


def bytes_of(text):
    if isinstance(text, dict):
        return base64.b64decode(text["bytes"])
    return text.encode()


def found(parts):
    """As busboy says it: what has a file's name, or is of a type for files, is a file."""
    for part in parts:
        kind = part["type"].decode("latin-1").partition(";")[0].lower()
        if part["filename"] is not None:
            yield "file", part["name"], part["data"], part["filename"], kind
        else:
            yield "field", part["name"], part["data"], None, kind


def expected_of(entry):
    info = entry["info"]
    if entry["type"] == "file":
        name = info.get("filename")
        return ("file", entry["name"].encode(), bytes_of(entry.get("data") or ""),
                None if name is None else name.encode(), info["mimeType"])
    return "field", entry["name"].encode(), bytes_of(entry["val"]), None, info["mimeType"]


def judge_multipart(port, case):
    body = b"".join(bytes_of(piece) for piece in case["source"])
    kind = f'multipart/form-data; boundary={case["boundary"]}'
    status, _, answer = request(port, "POST", "/upload", body, {"content-type": kind})
    refusals = [entry for entry in case["expected"] if not isinstance(entry, dict)
                or "error" in entry or entry.get("err")]
    if refusals or status != 200:
        return bool(refusals) and status == 400, said(status, answer)
    parts = list(found(parts_of(answer)))
    return parts == [expected_of(entry) for entry in case["expected"]], f"{parts}"[:300]


def judge_urlencoded(port, case):
    body = b"".join(bytes_of(piece) for piece in case["source"])
    kind = "application/x-www-form-urlencoded"
    if case.get("charset"):
        kind += "; charset=" + case["charset"]
    status, _, answer = request(port, "POST", "/form", body, {"content-type": kind})
    if status != 200:
        return False, said(status, answer)
    texts = [base64.b64decode(text).decode() for text in json.loads(answer)]
    expected = [text for entry in case["expected"] for text in entry[:2]]
    return texts == expected, f"{texts}"[:300]


def run(tree):
    judges = (("multipart", judge_multipart), ("urlencoded", judge_urlencoded))
    with host() as subject:
        for kind, judge in judges:
            path = os.path.join(tree, "test", f"test-types-{kind}.js")
            for case in table_of(path, "const tests = ", "\n];"):
                yield Case(f"{kind}/{case['what']}", *judge(subject.port, case))
