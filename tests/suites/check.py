# SPDX-License-Identifier: Apache-2.0
"""The runner itself, with no checkout of anything: what it says is missing, and how it exits."""
import os
import subprocess
import tempfile
import unittest

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")


def run(*words):
    done = subprocess.run([RUN, "--build", os.environ["ISOWORKER_BUILD"], *words],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def write(folder, name, data=b""):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


class Runner(unittest.TestCase):
    def test_what_is_not_there_is_told_with_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as folder:
            code, said, _ = run(folder)
            self.assertEqual(code, 77)
            place = f"{folder}/nst/JSONTestSuite"
            self.assertIn(f"git clone https://github.com/nst/JSONTestSuite {place}", said)
            self.assertEqual(run(folder, "json_parsing")[0], 69)

    def test_a_checkout_that_lacks_what_is_needed_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(folder + "/nst/JSONTestSuite")
            code, said, _ = run(folder, "json_parsing")
            self.assertEqual(code, 69)
            self.assertIn("has no test_parsing", said)

    def test_cases_are_counted_and_what_is_wrong_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            cases = "nst/JSONTestSuite/test_parsing/"
            write(folder, cases + "y_one.json", b"[1]")
            write(folder, cases + "n_none.json", b"[")
            write(folder, cases + "i_either.json", b"[\xff]")
            code, said, _ = run(folder, "json_parsing")
            self.assertEqual(code, 0, said)
            self.assertRegex(said, r"json_parsing +3 +3 +0 +0 +0\n")
            write(folder, cases + "n_taken.json", b"[]")
            code, said, _ = run(folder, "json_parsing")
            self.assertEqual(code, 1)
            self.assertRegex(said, r"wrong: json_parsing: n_taken.json: 200 b'\[\]")
            self.assertRegex(said, r"json_parsing +4 +3 +1 +0 +0\n")

    def test_what_was_decided_is_not_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            cases = "nst/JSONTestSuite/test_parsing/"
            write(folder, cases + "y_object_duplicated_key.json", b'{"a":1,"a":2}')
            code, said, _ = run(folder, "-v", "json_parsing")
            self.assertEqual(code, 0, said)
            self.assertIn("decided: json_parsing: y_object_duplicated_key.json: 400", said)
            self.assertRegex(said, r"json_parsing +1 +0 +0 +1 +0\n")

    def test_every_suite_is_listed_with_whose_it_is(self):
        code, said, _ = run("--list")
        self.assertEqual(code, 0)
        for whose in ("w3c/trace-context", "C2SP/wycheproof", "nodejs/llhttp"):
            self.assertIn(whose, said)

    def test_a_call_that_makes_no_sense_is_refused(self):
        for words in ((), ("--nothing",), ("/tmp", "no_such_suite")):
            self.assertEqual(run(*words)[0], 64)


if __name__ == "__main__":
    unittest.main()
