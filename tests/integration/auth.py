# SPDX-License-Identifier: Apache-2.0
"""Keys and tokens of an issuer: what must never be let in, and what operators are told."""
import base64
import hashlib
import hmac
import json
import os
import time
import unittest

from harness import Host, main, wait_until, worker

CHAIN = ("middleware:\n"
         "  - auth:\n"
         "      jwt: {issuer: https://issuer.example, audience: [shop], jwks: keys.json,\n"
         "            algorithms: [RS256, HS256]}\n")
SECRET = b"0123456789abcdef0123456789abcdef"


def text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


GOOD = {"kty": "oct", "kid": "good", "k": text(SECRET)}
MODULUS = (1 << 2047) + int(hashlib.shake_256(b"modulus").hexdigest(250), 16) * 2 + 1
WEAK = {"kty": "RSA", "kid": "weak", "n": text(MODULUS.to_bytes(256, "big")), "e": "AQ"}


def token(header, sign):
    claims = {"iss": "https://issuer.example", "aud": "shop", "exp": int(time.time()) + 300}
    signed = text(json.dumps(header).encode()) + "." + text(json.dumps(claims).encode())
    return {"Authorization": "Bearer " + signed + "." + text(sign(signed.encode()))}


def good():
    return token({"alg": "HS256", "kid": "good"},
                 lambda signed: hmac.digest(SECRET, signed, "sha256"))


def forged():
    """With the exponent 1 a signature is the padded digest itself (RFC 8017, section 9.2)."""
    info = bytes.fromhex("3031300d060960864801650304020105000420")
    return token({"alg": "RS256", "kid": "weak"}, lambda signed: (
        b"\0\1" + b"\xff" * (256 - 54) + b"\0" + info + hashlib.sha256(signed).digest()))


class Auth(unittest.TestCase):
    def app(self, *keys, **more):
        host = Host(worker(), chain=CHAIN, **more)
        self.publish(host, *keys)
        return host

    @staticmethod
    def publish(host, *keys):
        host.write("keys.json.new", json.dumps({"keys": keys}))
        os.replace(host.folder.name + "/keys.json.new", host.folder.name + "/keys.json")

    def test_a_token_forged_for_a_weak_key_is_refused_and_the_key_named(self):
        with self.app(WEAK, GOOD) as host:
            line = host.wait_for("it verifies nothing")
            self.assertIn('warn', line)
            self.assertRegex(line, r'worker\.yaml:2:5: auth: \S*keys\.json: the key "weak" has the '
                                   'RSA exponent 1')
            self.assertEqual(host.request("GET", "pid", headers=forged())[0], 401)
            self.assertEqual(host.request("GET", "pid", headers=good())[0], 200)

    def test_a_weak_key_that_comes_later_is_named_as_well(self):
        with self.app(GOOD) as host:
            self.assertEqual(host.request("GET", "pid", headers=good())[0], 200)
            self.publish(host, GOOD, {**WEAK, "e": "AQAA"})

            def told():
                status = host.request("GET", "pid", headers=good())[0]
                self.assertEqual(status, 200)
                return "even; it verifies nothing" in host.log()

            wait_until(told)
            self.assertEqual(host.request("GET", "pid", headers=forged())[0], 401)

    def test_a_set_of_weak_keys_alone_does_not_start(self):
        with self.app(WEAK, settled="<end>", expect=78) as host:
            host.wait_for('no key in it can verify a signature: the key "weak" has the RSA '
                          'exponent 1')


if __name__ == "__main__":
    main()
