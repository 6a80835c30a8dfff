# SPDX-License-Identifier: Apache-2.0
"""formidable's requests with forms as browsers have sent them, and what is in each."""
import hashlib
import json
import os
import re
import subprocess

from shared import Case, Suite, exchange, form_path, host, parts_of, said

SUITE = Suite("formidable", "node-formidable/formidable", "MIT",
              "multipart requests as browsers have sent them", needs=("test/fixture/http",),
              commands=(("node", "nodejs"),))
FIXTURES = "test/fixture"
# Their modules say what is expected of each request by a name made of the file's.
DUMP = """
import { pathToFileURL } from 'url';
const found = {};
for (const path of process.argv.slice(1))
    Object.assign(found, await import(pathToFileURL(path)));
console.log(JSON.stringify(found));
"""


def key_of(name):
    return re.sub(r"[^a-z0-9]+", "_", name.removesuffix(".http").lower()).strip("_")


def expectations(tree):
    folder = os.path.join(tree, FIXTURES, "js")
    done = subprocess.run(["node", "--input-type=module", "-e", DUMP,
                           *(os.path.join(folder, name) for name in sorted(os.listdir(folder)))],
                          capture_output=True, check=True, text=True)
    return {key_of(re.sub(r"_http$", "", name)): parts
            for name, parts in json.loads(done.stdout).items()}


def requests(tree):
    top = os.path.join(tree, FIXTURES, "http")
    for folder in sorted(os.listdir(top)):
        for name in sorted(os.listdir(os.path.join(top, folder))):
            if name.endswith(".http"):
                with open(os.path.join(top, folder, name), "rb") as file:
                    yield f"{folder}/{name}", file.read()


def to_reader(data):
    """The request as it is, to the function that reads such a form, its length as it arrives here;
    None for what is no form."""
    head, _, body = data.partition(b"\r\n\r\n")
    kind = re.search(rb"(?im)^content-type: *(.*)$", head)
    path = form_path(kind.group(1).decode().strip()) if kind else None
    if not path:
        return None
    lines = [line for line in head.split(b"\r\n")
             if not line.lower().startswith((b"content-length", b"connection"))]
    lines[0] = b"POST %s HTTP/1.1" % path.encode()
    lines += [b"Connection: close", b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def is_part(part, expected):
    if part["name"].decode() != expected["name"]:
        return False
    if expected["type"] == "file" and "originalFilename" in expected:
        if (part["filename"] or b"").decode() != expected["originalFilename"]:
            return False
    return "sha1" not in expected or hashlib.sha1(part["data"]).hexdigest() == expected["sha1"]


def judge(port, data, expected):
    answer, _ = exchange(port, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ")[1:2]
    if status != [b"200"]:
        return False, said(b" ".join(status).decode(), body)
    if body == b"[]\n" or body == b"[]":
        return not expected, "an empty form"
    parts = parts_of(body)
    right = len(parts) == len(expected) and all(map(is_part, parts, expected))
    return right, f"{[(p['name'], p['filename'], p['data'][:20]) for p in parts]}"


def run(tree):
    expected = expectations(tree)
    with host() as subject:
        for name, data in requests(tree):
            key = key_of(name.split("/")[1])
            sent = to_reader(data)
            if sent and key in expected:
                yield Case(name, *judge(subject.port, sent, expected[key]))
