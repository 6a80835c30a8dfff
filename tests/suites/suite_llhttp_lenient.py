# SPDX-License-Identifier: Apache-2.0
import llhttp_cases
from shared import Suite

SUITE = Suite("llhttp_lenient", "nodejs/llhttp", "MIT",
              "requests that none may take unless told to",
              needs=(llhttp_cases.FOLDER,), commands=(("node", "nodejs"),))


def run(tree):
    return llhttp_cases.run(tree, lenient=True)
