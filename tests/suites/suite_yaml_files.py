# SPDX-License-Identifier: Apache-2.0
"""YAML of every shape in the place of worker.yaml and of host.yaml: none may crash or hang a
program; a file that is no YAML, or no configuration, is refused with its place."""
import concurrent.futures
import os
import re
import subprocess
import tempfile

from shared import BUILD, WORKER, Case, Suite

SUITE = Suite("yaml_files", "yaml/yaml-test-suite", "MIT",
              "YAML as worker.yaml and host.yaml: refused with its place, never a crash",
              needs=("src",), modules=(("yaml", "python3-yaml"),))
SECONDS = 20
# How each is read, and whether by its folder: a host.yaml of the suite names no workers and never
# runs.
COMMANDS = {"worker.yaml": ([WORKER, "--check"], False),
            "host.yaml": ([os.path.join(BUILD, "bin", "isoworker"), "run", "--port", "0"], True)}


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


def judge(case):
    name, text = case
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name.split("/")[0])
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        command, more = COMMANDS[os.path.basename(path)]
        try:
            done = subprocess.run([*command, *([folder] if more else [])], capture_output=True,
                                  timeout=SECONDS, cwd=folder, check=False,
                                  env=dict(os.environ, ISOWORKER_CONFIG=path))
        except subprocess.TimeoutExpired:
            return False, f"it hangs for {text[:60]!r}"
    told = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
    place = re.search(re.escape(os.path.basename(path)) + r":\d+:\d+: ", told)
    refused = done.returncode in range(1, 126) and bool(place)
    return (refused or done.returncode == 0 and not more,
            f"{done.returncode} {told.strip()[:200]!r} for {text[:60]!r}")


def run(tree):
    found = [(f"{file}/{name}", text) for file in COMMANDS for name, text in texts(tree)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (name, _), (right, told) in zip(found, pool.map(judge, found)):
            yield Case(name, right, told)
