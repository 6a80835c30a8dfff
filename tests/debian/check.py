# SPDX-License-Identifier: Apache-2.0
"""The judge of a run in another Debian, and the choice between packages that are named differently
there. No root is made: what dpkg and apt would say is said by scripts."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
INSTALL = os.path.join(HERE, "..", "..", "cmake", "install-packages")
SCRIPTS = {
    "dpkg-query": 'case " $INSTALLED " in *" ${!#} "*) printf installed;; *) exit 1;; esac',
    "apt-cache": 'case " $KNOWN " in *" $2 "*) echo "$2 | 1";; esac',
    "apt-get": 'case $* in *" -s "*) ;; *) echo "apt-get $*";; esac',
    "id": "echo 0",
}


class Debian(unittest.TestCase):
    def judge(self, expected, **status):
        with tempfile.TemporaryDirectory() as folder:
            known, junit = folder + "/known", folder + "/junit.xml"
            with open(known, "w") as file:
                file.write(expected)
            with open(junit, "w") as file:
                file.write("<testsuite>" + "".join(
                    f'<testcase name="{name}" status="{how}"/>' for name, how in status.items())
                    + "</testsuite>")
            done = subprocess.run([sys.executable, "-B", HERE + "/judge.py", known, junit],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def install(self, line, installed="", known=""):
        with tempfile.TemporaryDirectory() as folder:
            for name, body in SCRIPTS.items():
                with open(f"{folder}/{name}", "w") as file:
                    file.write("#!/bin/bash\n" + body + "\n")
                os.chmod(f"{folder}/{name}", 0o755)
            with open(folder + "/list", "w") as file:
                file.write(line + "\n")
            done = subprocess.run([INSTALL, folder + "/list"], capture_output=True, text=True,
                                  check=True, env=dict(os.environ, INSTALLED=installed, KNOWN=known,
                                                       PATH=folder + ":" + os.environ["PATH"]))
        return done.stdout

    def test_what_is_known_to_fail_may_fail(self):
        code, said = self.judge("# why\na/b  a reason # more\n", **{"a/b": "fail", "c": "run"})
        self.assertEqual(code, 0)
        self.assertIn("known to fail: a/b: a reason", said)

    def test_nothing_else_may_fail(self):
        code, said = self.judge("a/b  a reason\n", **{"a/b": "fail", "c": "fail"})
        self.assertEqual(code, 1)
        self.assertIn("failed: c", said)

    def test_what_fails_no_longer_is_told(self):
        code, said = self.judge("a/b  a reason\nelsewhere  another\n", **{"a/b": "run", "c": "run"})
        self.assertEqual(code, 0)
        self.assertIn("no longer fails", said)
        self.assertNotIn("elsewhere", said)

    def test_a_failure_without_a_reason_is_not_known(self):
        self.assertEqual(self.judge("a/b\n", **{"a/b": "fail"})[0], 1)

    def test_a_run_of_no_test_is_no_success(self):
        self.assertEqual(self.judge("a/b  a reason\n")[0], 1)

    def test_of_several_packages_the_one_that_is_there_will_do(self):
        self.assertEqual(self.install("a|b", installed="b", known="a b"), "")

    def test_of_several_packages_the_first_that_this_debian_has_is_taken(self):
        self.assertRegex(self.install("a|b|c", known="b c"), r"apt-get install .* b\n")
        self.assertRegex(self.install("a|b", known="a b"), r"apt-get install .* a\n")

    def test_another_suite_is_refused_before_anything_is_made(self):
        run = os.path.join(HERE, "..", "run")
        done = subprocess.run([run, "--debian", "potato"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 64)
        self.assertIn("bookworm or trixie, not 'potato'", done.stderr)


if __name__ == "__main__":
    unittest.main()
