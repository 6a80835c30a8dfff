# SPDX-License-Identifier: Apache-2.0
"""Completion of the command in bash: what it offers for words that were begun."""
import subprocess
import unittest

from harness import BIN, SOURCE, PATIENCE_S, Host, main, worker
from messages import messages

FILE = SOURCE + "/../src/cli/completion/isoworker.bash"
SCRIPT = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _isoworker; '
          'printf "%s\\n" "${COMPREPLY[@]}"')


def offered(*words, folder="/"):
    """For the last of these words, behind the program's name."""
    done = subprocess.run(["bash", "-c", SCRIPT, FILE, BIN + "/isoworker", *words], cwd=folder,
                          capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.split()


class Completion(unittest.TestCase):
    def test_commands_are_those_that_there_are(self):
        self.assertEqual(offered("inv"), ["invoke"])
        self.assertEqual(offered("re"), ["resume", "restart"])
        self.assertIn("version", offered(""))

    def test_options_are_those_of_the_command(self):
        self.assertEqual(offered("invoke", "--da"), ["--data"])
        self.assertEqual(set(offered("invoke", "--")), {
            "--control", "--data", "--header", "--json", "--method", "--param", "--query", "--type",
            "--wait"})
        self.assertEqual(offered("invoke", "--x"), [])

    def test_verbs_are_those_of_the_command(self):
        self.assertEqual(offered("queue", "p"), ["peek", "put", "purge", "pause"])
        self.assertEqual(set(offered("timer", "")), {"list", "run", "pause", "resume"})

    def test_functions_and_queues_are_those_of_the_host(self):
        with Host(worker()) as host:
            self.assertEqual(offered("invoke", "hel", folder=host.folder.name), ["hello"])
            self.assertEqual(offered("invoke", "-C", host.folder.name, "hel"), ["hello"])
        with messages() as host:
            self.assertEqual(offered("queue", "peek", "wo", folder=host.folder.name), ["work"])

    def test_data_may_be_a_file(self):
        with Host(worker()) as host:
            self.assertEqual(offered("invoke", "hello", "--data", "@wor", folder=host.folder.name),
                             ["@worker.yaml"])


if __name__ == "__main__":
    main()
