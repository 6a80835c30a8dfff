# SPDX-License-Identifier: Apache-2.0
"""Holds the folders, and the pages that open them, to each other."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
LINES_MAX = 20
NAMED = re.compile(r"`([\w./*-]+\.(?:c|cc|h|py|in|md|cmake))`")


def folders():
    """Each folder of src/ with sources in it."""
    return sorted({path.parent for path in SRC.rglob("*.c")} - {SRC})


def name_of(path):
    return path.relative_to(ROOT).as_posix() + ("/" if path.is_dir() else "")


def stands(folder, name):
    """Whether a page in `folder` can call a file so: from there, from its layer, src/ or the top."""
    bases = [folder, *folder.parents]
    return any(any(base.glob(name)) for base in bases if base.is_relative_to(ROOT)) or (
        name.startswith("../") and (folder / name).exists())


def strangers(folder, text):
    return [name for name in NAMED.findall(text) if not stands(folder, name)]


class House(unittest.TestCase):
    def test_the_page_of_src_draws_each_folder(self):
        drawn = (SRC / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
        self.assertEqual([name_of(folder) for folder in folders()
                          if not re.search(rf"(?<!\w){folder.name}/", drawn)], [])

    def test_each_folder_has_a_short_page(self):
        pages = [folder / "README.md" for folder in folders()]
        self.assertEqual([name_of(page.parent) for page in pages if not page.is_file()], [])
        for page in pages:
            with self.subTest(name_of(page)):
                lines = page.read_text(encoding="utf-8").splitlines()
                self.assertLessEqual(len(lines), LINES_MAX)
                self.assertEqual(lines[0][:2], "# ")

    def test_the_pages_name_files_that_there_are(self):
        self.assertEqual(strangers(SRC / "base", "`alloc.c`, `strange.c`, `../strange.h`"),
                         ["strange.c", "../strange.h"])
        for page in sorted(SRC.rglob("README.md")):
            with self.subTest(name_of(page)):
                text = page.read_text(encoding="utf-8")
                self.assertEqual(strangers(page.parent, text), [])

    def test_the_tests_of_a_layer_have_its_rooms(self):
        layers = {path.name for path in SRC.iterdir() if path.is_dir()}
        self.assertEqual([name_of(path) for layer in sorted(layers)
                          for path in sorted((ROOT / "tests" / layer).glob("*/"))
                          if any(path.glob("*.c")) and not (SRC / layer / path.name).is_dir()], [])


if __name__ == "__main__":
    unittest.main()
