# SPDX-License-Identifier: Apache-2.0
"""Keys of NATS (NKEYs) and what is signed with them, made by openssl: of an operator, accounts and
users, as `nsc` would make them."""
import base64
import binascii
import json
import os
import subprocess
import time

SEED, OPERATOR, ACCOUNT, USER = 18 << 3, 14 << 3, 0, 20 << 3
CREDENTIALS = """-----BEGIN NATS USER JWT-----
{token}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


def text_of(data):
    data += binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data).decode().rstrip("=")


def web(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def openssl(*words):
    return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout


class Key:
    """One of `kind`, in a file below `folder`; `public` and `seed` are as NATS writes them."""

    def __init__(self, folder, kind, name):
        self.name = name
        self.file = os.path.join(folder, name + ".pem")
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        secret = openssl("pkey", "-in", self.file, "-outform", "DER")[-32:]
        public = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:]
        self.public = text_of(bytes([kind]) + public)
        self.seed = text_of(bytes([SEED | kind >> 5, (kind & 31) << 3]) + secret)

    def vouches_for(self, other, **claims):
        """The JWT that says so."""
        body = {"iat": int(time.time()), "iss": self.public, "jti": other.public, "name": other.name,
                "sub": other.public, "nats": {"version": 2, **claims}}
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(web(json.dumps(part).encode()) for part in (head, body))
        with open(self.file + ".text", "w", encoding="ascii") as file:
            file.write(text)
        return text + "." + web(openssl("pkeyutl", "-sign", "-inkey", self.file, "-rawin", "-in",
                                        self.file + ".text"))


ANY = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
STREAMS = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


def operator_mode(folder):
    """Settings of a server that knows one operator and the accounts that it vouches for; and the
    credentials of a user of one of them."""
    operator, system, shop, ada = (Key(folder, kind, name) for kind, name in
                                   ((OPERATOR, "operator"), (ACCOUNT, "system"), (ACCOUNT, "shop"),
                                    (USER, "ada")))
    of_accounts = {key.public: operator.vouches_for(key, type="account", limits={**ANY, **streams})
                   for key, streams in ((system, {}), (shop, STREAMS))}
    of_operator = operator.vouches_for(operator, type="operator", system_account=system.public)
    settings = (f"operator: {of_operator}\nsystem_account: {system.public}\nresolver: MEMORY\n"
                f"resolver_preload: {json.dumps(of_accounts)}\n")
    token = shop.vouches_for(ada, type="user", subs=-1, data=-1, payload=-1)
    return settings, CREDENTIALS.format(token=token, seed=ada.seed)
