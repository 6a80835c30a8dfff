# SPDX-License-Identifier: Apache-2.0
"""The reader of Containerfiles, and what ours say; no image is made."""
import unittest
from pathlib import Path

import containerfile

ROOT = Path(__file__).resolve().parent.parent.parent


class Container(unittest.TestCase):
    def read(self, name="Containerfile", **arguments):
        return containerfile.read((ROOT / name).read_text(encoding="utf-8"), **arguments)

    def test_lines_are_put_together(self):
        stages = containerfile.read("# x\nFROM a AS b\nRUN one && \\\n  # not this\n    two\n")
        self.assertEqual(stages[0].steps, [("RUN", "one &&     two")])
        self.assertEqual((stages[0].base, stages[0].name), ("a", "b"))

    def test_what_is_not_understood_is_refused_with_its_line(self):
        for text, fault in (("RUN x\n", "line 1: RUN before"), ("FROM a\nADD x y\n", "line 2: ADD"),
                            ("FROM a\nRUN [\"x\"]\n", "line 2: RUN"),
                            ("FROM a${B}\n", "line 1: no ARG before it names 'B'"),
                            ("FROM a\n\nRUN x \\\n", "line 3: it is continued by nothing"),
                            ("FROM a\nCMD x\n", "line 2: CMD x")):
            with self.assertRaisesRegex(containerfile.Fault, fault):
                containerfile.read(text)

    def test_the_image_has_two_stages_and_no_compiler_in_the_second(self):
        build, runtime = self.read(DEBIAN="bookworm")
        self.assertEqual((build.name, build.base, runtime.base),
                         ("build", *["docker.io/library/debian:bookworm-slim"] * 2))
        self.assertEqual([rest for word, rest in runtime.steps if word == "COPY"],
                         ["--from=build /image/ /"])
        self.assertNotIn("packages-build", str(runtime.steps))

    def test_the_image_without_a_shell_has_what_its_build_gathered_alone(self):
        build, runtime = self.read("samples/platforms/Containerfile")
        self.assertEqual((build.base, runtime.base), ("isoworker-build", "scratch"))
        self.assertEqual(runtime.steps, [("COPY", "--from=build /tree/ /"),
                                         ("WORKDIR", "/srv/app"), ("USER", "65532")])
        self.assertEqual(runtime.said["CMD"], self.read()[-1].said["CMD"])

    def test_the_image_is_nobody_elses_root(self):
        runtime = self.read()[-1]
        self.assertEqual(runtime.steps[-1], ("USER", "isoworker"))
        self.assertEqual(runtime.said["STOPSIGNAL"], "SIGTERM")
        words = runtime.said["CMD"]
        self.assertTrue(words[words.index("--listen") + 1].endswith(f":{runtime.said['EXPOSE']}"))

    def test_an_application_stands_on_both(self):
        stages = self.read("samples/hello/Containerfile")
        self.assertEqual([stage.base for stage in stages], ["isoworker-build", "isoworker"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
