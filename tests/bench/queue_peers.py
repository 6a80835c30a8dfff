#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench queue --peers: a peer has its figures in every row, one that is not installed or
fails is named, and nothing is left. A package of npm's is played by a few lines, Redis is real."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

# As much of BullMQ as is called: one queue in memory of each name.
BULLMQ = """
const queues = {}
const of = name => queues[name] ??= { jobs: [], worker: null }
class Queue {
  constructor (name) { this.of = of(name) }
  async waitUntilReady () {}
  async close () {}
  async getWaitingCount () { return this.of.jobs.length }
  async addBulk (jobs) { this.of.jobs.push(...jobs) }
  async add (name, data) {
    FAULT
    await new Promise(setImmediate)
    if (typeof data.body !== 'string' || data.body.length !== 256) throw new Error('no such body')
    this.of.jobs.push({ data })
    this.of.worker?.look()
  }
}
class Worker {
  constructor (name, handler, options) {
    Object.assign(this, { of: of(name), handler, on: (what, tell) => { this[what] = tell } })
    this.of.worker = options.autorun === false ? null : this
  }
  async waitUntilReady () {}
  async close () { this.of.worker = null }
  async look () {
    while (this.of.worker === this && this.of.jobs.length) {
      await this.handler(this.of.jobs.shift())
      await new Promise(setImmediate)
      this.completed?.()
    }
  }
  async run () {
    this.of.worker = this
    await this.look()
  }
}
module.exports = { Queue, Worker }
"""
PEERS = ("bullmq", "bullmq_everysec")


def run(command, folder, modules, *words):
    return subprocess.run([command, "bench", "queue", "--folder", folder, "--peers", modules,
                           "--seconds", "2", *words], capture_output=True, text=True, timeout=100,
                          check=False)


def install(modules, fault=""):
    for name, text in (("bullmq", BULLMQ.replace("FAULT", fault)), ("ioredis", "")):
        folder = os.path.join(modules, "node_modules", name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as out:
            json.dump({"name": name, "version": "1.2.3"}, out)
        with open(os.path.join(folder, "index.js"), "w", encoding="utf-8") as out:
            out.write(text)


def help_faults(command, _folder, _modules):
    """It tells to install what the list of packages has."""
    said = subprocess.run([command, "bench", "queue", "--help"], capture_output=True, text=True,
                          timeout=60, check=False).stdout
    beside = os.path.join(os.path.dirname(command), "isoworker-bench-peers", "package.json")
    with open(beside, encoding="utf-8") as packages:
        for name, version in json.load(packages)["dependencies"].items():
            if f" {name}@{version}" not in said:
                yield f"--help does not say {name}@{version}"


def missing_faults(command, folder, modules):
    """Ours is measured all the same, and one is told what to do."""
    done = run(command, folder, modules, "--json")
    what = f"npm install in {modules}" if shutil.which("node") else "Debian: nodejs"
    if done.returncode or len(done.stdout.splitlines()) != 7 or "bullmq" in done.stdout:
        yield f"without peers: {done.returncode}: {done.stdout}{done.stderr}"
    if any(f"left out: {name}" not in done.stderr for name in PEERS) or what not in done.stderr:
        yield f"what is missing is not named: {done.stderr}"


def figure_faults(command, folder, modules):
    install(modules)
    done = run(command, folder, modules, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(rows) != 7:
        yield f"status {done.returncode}: {done.stderr}"
    for row in rows:
        unit = "p50_us" if row["row"] in ("put alone", "put to claim") else "per_s"
        if not all(row.get(key, 0) > 0 for name in PEERS for key in (f"{name}_{unit}",
                                                                     f"{name}_ratio")):
            yield f"no figure: {row}"
    table = run(command, folder, modules)
    for line in ("bullmq  ratio bullmq_everysec  ratio\n", "BullMQ 1.2.3 on Redis ",
                 ", appendonly yes, appendfsync always\n", "appendfsync everysec\n"):
        if line not in table.stdout:
            yield f"not in the table: {line}: {table.stdout}{table.stderr}"


def failing_faults(command, folder, modules):
    install(modules, "throw new Error('the disk is full')")
    done = run(command, folder, modules)
    if done.returncode != os.EX_UNAVAILABLE or "bullmq: the disk is full" not in done.stderr:
        yield f"a peer that fails: {done.returncode}: {done.stderr}"


def faults(command):
    with tempfile.TemporaryDirectory(prefix="isw-peers-") as top:
        folder, modules = os.path.join(top, "run"), os.path.join(top, "modules")
        os.mkdir(folder)
        os.mkdir(modules)
        parts = [help_faults, missing_faults]
        if shutil.which("node") and shutil.which("redis-server"):
            parts += [figure_faults, failing_faults]
        for part in parts:
            yield from part(command, folder, modules)
            if os.listdir(folder):
                yield f"left after {part.__name__}: {os.listdir(folder)}"


if __name__ == "__main__":
    found = list(faults(sys.argv[1]))
    print("\n".join(found) or "bench queue: peers are measured, or named")
    sys.exit(1 if found else 0)
