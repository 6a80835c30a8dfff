# SPDX-License-Identifier: Apache-2.0
import jose

FILE = "json_web_signature_test.json"
SUITE = jose.suite("jws", FILE,
                   "signatures of JSON Web Tokens, valid ones and forged ones")


def run(tree):
    return jose.run(tree, FILE)
