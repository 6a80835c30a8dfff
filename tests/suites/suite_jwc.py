# SPDX-License-Identifier: Apache-2.0
import jose

FILE = "json_web_crypto_test.json"
SUITE = jose.suite("jwc", FILE,
                   "signatures and encryption of JSON Web Tokens")


def run(tree):
    return jose.run(tree, FILE)
