# SPDX-License-Identifier: Apache-2.0
"""`isoworker lambda` on an application made for one test, beside a Runtime API of the test's own."""
import os

from harness import BIN, Host, worker
from lambda_api import RuntimeApi

EVENTS = os.path.join(os.path.dirname(BIN), "tests", "workers", "test_events")


def events(more=""):
    """The worker of events.c."""
    return worker("events", [EVENTS], more)


class Lambda(Host):
    """The host; `api` is what it asks, or its address. It must exit with 0."""

    def __init__(self, api, workers=None, top="", environment=None, settled="for events, ",
                 **options):
        super().__init__(workers or events(), top, settled=settled, **options)
        self.environment = dict(environment or {})
        if api:
            self.environment["AWS_LAMBDA_RUNTIME_API"] = \
                api.address if isinstance(api, RuntimeApi) else api

    def command(self):
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return ["/usr/bin/env", "-u", "AWS_LAMBDA_RUNTIME_API", *variables, BIN + "/isoworker",
                "lambda", self.folder.name, *self.arguments]
