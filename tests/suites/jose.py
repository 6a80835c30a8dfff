# SPDX-License-Identifier: Apache-2.0
"""Wycheproof's vectors for JOSE: each group has keys, each of its cases a token to be taken or
refused. Told is whether the signature holds for auth, since what is signed is no claims."""
import json
import os
import subprocess
import tempfile

from shared import VERIFY, Case, Suite

FOLDER = "testvectors_v1"


def suite(name, file, what):
    return Suite(name, "C2SP/wycheproof", "Apache-2.0", what, needs=(os.path.join(FOLDER, file),))


def verdicts(keys, tokens):
    """For each token "signed" or why not; for all of them, where the keys are refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(keys, file)
        file.flush()
        done = subprocess.run([VERIFY, file.name], input="".join(each + "\n" for each in tokens),
                              capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    if lines and lines[0].startswith("! "):
        return lines[:1] * len(tokens)
    assert len(lines) == len(tokens), done.stderr
    return lines


def key_set(group):
    key = group.get("public") or group["private"]
    return key if "keys" in key else {"keys": [key]}


def run(tree, file):
    with open(os.path.join(tree, FOLDER, file), encoding="utf-8") as vectors:
        groups = json.load(vectors)["testGroups"]
    for group in groups:
        tests = group["tests"]
        tokens = [test.get("jws", test.get("jwe")) for test in tests]
        told = verdicts(key_set(group), [each if isinstance(each, str) and "\n" not in each
                                         else json.dumps(each) for each in tokens])
        for test, verdict in zip(tests, told):
            right = (verdict == "signed") == (test["result"] == "valid")
            right = right and "jws" in test  # what is encrypted is not refused for its faults
            yield Case(f"{test['tcId']} {group['comment']} {test['comment']}", right,
                       f"{test['result']}, but {verdict}")
