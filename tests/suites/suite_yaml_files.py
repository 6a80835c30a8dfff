# SPDX-License-Identifier: Apache-2.0
"""YAML of every shape in the place of worker.yaml: none may crash or hang the program; a file that is
no YAML, or no configuration, is refused with its place."""
import concurrent.futures
import os
import re
import subprocess
import tempfile

from shared import WORKER, Case, Suite

SUITE = Suite("yaml_files", "yaml/yaml-test-suite", "MIT",
              "YAML as worker.yaml: refused with its place, never a crash", needs=("src",),
              modules=(("yaml", "python3-yaml"),))
SECONDS = 20
PLACE = re.compile(r":\d+:\d+: ")


def unescaped(text):
    """The suite writes what cannot be seen as signs."""
    text = re.sub(r"\u2014*\u00bb", "\t", text).replace("\u2423", " ").replace("\u21b5", "")
    text = re.sub(r"\u220e\n?$", "", text)
    return text.replace("\u2190", "\r").replace("\u21d4", "\ufeff")


def texts(tree):
    import yaml  # not there where nobody runs this suite

    for name in sorted(os.listdir(os.path.join(tree, "src"))):
        with open(os.path.join(tree, "src", name), encoding="utf-8") as file:
            cases = yaml.safe_load(file)
        known = ""
        for number, case in enumerate(cases):
            known = case.get("yaml", known)
            yield f"{name.removesuffix('.yaml')}/{number}", unescaped(known)


def judge(folder, case):
    name, text = case
    path = os.path.join(folder, name.replace("/", "-") + ".yaml")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    try:
        done = subprocess.run([WORKER, "--check"], capture_output=True, timeout=SECONDS,
                              env=dict(os.environ, ISOWORKER_CONFIG=path), check=False)
    except subprocess.TimeoutExpired:
        return False, "it hangs"
    told = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
    right = done.returncode == 0 or (done.returncode in range(1, 126)
                                     and path.rsplit("/", 1)[1] in told and PLACE.search(told))
    return bool(right), f"{done.returncode} {told.strip()[:200]!r} for {text[:60]!r}"


def run(tree):
    found = list(texts(tree))
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for (name, _), (right, told) in zip(
                    found, pool.map(lambda case: judge(folder, case), found)):
                yield Case(name, right, told)
