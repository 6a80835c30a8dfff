# SPDX-License-Identifier: Apache-2.0
import llhttp_cases
from shared import Suite

SUITE = Suite("llhttp", "nodejs/llhttp", "MIT",
              "requests that a parser takes, and broken ones that it refuses",
              needs=(llhttp_cases.FOLDER,), commands=(("node", "nodejs"),))


def run(tree):
    return llhttp_cases.run(tree, lenient=False)
