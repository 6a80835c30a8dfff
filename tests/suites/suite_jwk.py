# SPDX-License-Identifier: Apache-2.0
import jose

FILE = "json_web_key_test.json"
SUITE = jose.suite("jwk", FILE,
                   "keys of a set: which are sound, and which may verify what")


def run(tree):
    return jose.run(tree, FILE)
