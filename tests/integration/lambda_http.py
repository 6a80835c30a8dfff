# SPDX-License-Identifier: Apache-2.0
"""HTTP as AWS Lambda tells of it: API Gateway in both formats, function URLs and load balancers."""
import base64
import json
import re
import unittest
import urllib.parse

from harness import CHAIN, Host, main
from lambda_api import RuntimeApi
from lambda_harness import Lambda, events

CLIENT = "203.0.113.9"
CORS = CHAIN + ("  - cors:\n      origins: [\"https://a.example\"]\n"
                "      methods: [POST]\n")


def rest(method, path, query=(), headers=(), body=None, encoded=False):
    many = {}
    for name, value in headers:
        many.setdefault(name, []).append(value)
    parameters = {}
    for name, value in query:
        parameters.setdefault(name, []).append(value)
    return {"resource": "/{proxy+}", "path": path, "httpMethod": method,
            "headers": {name: values[-1] for name, values in many.items()} or None,
            "multiValueHeaders": many or None,
            "queryStringParameters": {n: v[-1] for n, v in parameters.items()} or None,
            "multiValueQueryStringParameters": parameters or None,
            "requestContext": {"stage": "dev", "path": "/dev" + path, "httpMethod": method,
                               "identity": {"sourceIp": CLIENT},
                               "authorizer": {"claims": {"sub": "me"}}},
            "body": body, "isBase64Encoded": encoded}


def second(method, path, query=(), headers=(), body=None, encoded=False, stage="$default",
           domain="x.execute-api.eu-west-1.amazonaws.com"):
    many = {}
    cookies = [value for name, value in headers if name == "cookie"]
    for name, value in headers:
        if name != "cookie":
            many[name] = many[name] + "," + value if name in many else value
    event = {"version": "2.0", "routeKey": "$default",
             "rawPath": path if stage == "$default" else f"/{stage}{path}",
             "rawQueryString": urllib.parse.urlencode(query, quote_via=urllib.parse.quote),
             "headers": many,
             "requestContext": {"http": {"method": method, "path": path, "sourceIp": CLIENT},
                                "domainName": domain, "stage": stage},
             "isBase64Encoded": encoded}
    if cookies:
        event["cookies"] = cookies
    if body is not None:
        event["body"] = body
    return event


def url(*arguments, **options):
    return second(*arguments, domain="x.lambda-url.eu-west-1.on.aws", **options)


def balancer(method, path, query=(), headers=(), body="", encoded=False, many=True):
    headers = [*headers, ("x-forwarded-for", f"198.51.100.1, {CLIENT}"),
               ("x-forwarded-proto", "https")]
    quoted = [(urllib.parse.quote(name), urllib.parse.quote(value)) for name, value in query]
    event = {"requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:g"}},
             "httpMethod": method, "path": path, "body": body, "isBase64Encoded": encoded}
    if many:
        event["multiValueHeaders"] = {n: [v for m, v in headers if m == n] for n, _ in headers}
        event["multiValueQueryStringParameters"] = {n: [v for m, v in quoted if m == n]
                                                    for n, _ in quoted}
    else:
        event["headers"] = dict(headers)
        event["queryStringParameters"] = dict(quoted)
    return event


KINDS = {"apigateway-v1": rest, "apigateway-v2": second, "function-url": url, "alb": balancer}


class Answer:
    """What a client would get of it."""

    def __init__(self, told):
        self.status = told["statusCode"]
        self.headers = []
        for name, value in (told.get("headers") or {}).items():
            self.headers.append((name.lower(), value))
        for name, values in (told.get("multiValueHeaders") or {}).items():
            self.headers += [(name.lower(), value) for value in values]
        self.headers += [("set-cookie", value) for value in told.get("cookies", ())]
        body = told.get("body", "")
        self.body = base64.b64decode(body) if told.get("isBase64Encoded") else body.encode()

    def all(self, name):
        return [value for other, value in self.headers if other == name]


class Http(unittest.TestCase):
    def test_each_kind_of_request_leads_to_its_function_and_back(self):
        request = ("POST", "/api/things/a%20b",
                   [("q", "ä/&="), ("q", "2"), ("empty", "")],
                   [("X-Thing", "1"), ("cookie", "c=7")], "text")
        with RuntimeApi() as api, Lambda(api) as host:
            for name, make in KINDS.items():
                with self.subTest(name):
                    answer = Answer(api.ask(make(*request)).json())
                    self.assertEqual(answer.status, 201)
                    self.assertEqual(answer.body.decode(),
                                     f"POST a b from {CLIENT} by https, cookie 7, trace , q=ä/&= "
                                     "q=2 empty=")
                    self.assertIn(answer.all("x-many"), [["one", "two"], ["one, two"]])
                    self.assertEqual([value.split(";")[0] for value in answer.all("set-cookie")],
                                     ["a=1", "b=2"])
                    self.assertEqual(answer.all("content-type"), ["text/plain"])
                    self.assertRegex(answer.all("x-request-id")[0], "^8476a536-")
            self.assertEqual(api.faults, [])

    def test_bytes_go_both_ways_as_base64(self):
        data = bytes(range(256))
        with RuntimeApi() as api, Lambda(api):
            for name, make in KINDS.items():
                with self.subTest(name):
                    told = api.ask(make("POST", "/api/turn", body=base64.b64encode(data).decode(),
                                        encoded=True)).json()
                    self.assertTrue(told["isBase64Encoded"])
                    self.assertEqual(Answer(told).body, bytes(255 - byte for byte in data))

    def test_a_stage_is_no_part_of_a_route(self):
        with RuntimeApi() as api, Lambda(api):
            self.assertEqual(api.ask(second("GET", "/api/things/1", stage="dev"))
                             .json()["statusCode"], 201)
            self.assertEqual(api.ask(second("GET", "/api/things/1", stage="api"))
                             .json()["statusCode"], 201)

    def test_what_the_front_says_itself_is_the_same_as_for_clients(self):
        with RuntimeApi() as api, Lambda(api, chain=CORS), \
                Host(events(), chain=CORS) as plain:
            asked = [("GET", "/api/nothing", []), ("DELETE", "/api/things/1", []),
                     ("GET", "/api/fail", []), ("HEAD", "/api/things/1", []),
                     ("OPTIONS", "/api/things/1", []),
                     ("OPTIONS", "/api/things/1", [("origin", "https://a.example"),
                                                   ("access-control-request-method", "POST")]),
                     ("OPTIONS", "/api/things/1", [("origin", "https://evil.example"),
                                                   ("access-control-request-method", "POST")]),
                     ("GET", "/api/nothing", [("origin", "https://a.example")])]
            for method, path, headers in asked:
                with self.subTest(f"{method} {path} {headers}"):
                    here = Answer(api.ask(second(method, path, headers=headers)).json())
                    there = plain.request(method, path[5:], None, dict(headers))
                    self.assertEqual(here.status, there[0])
                    self.assertEqual(self.without_ids(here.body), self.without_ids(there[1]))
                    mine = {name for name, _ in here.headers}
                    other = {name.lower() for name in there[2]}
                    self.assertEqual(mine | {"date", "content-length", "connection"},
                                     other | {"date", "content-length", "connection"})
            here = Answer(api.ask(second("GET", "/")).json())
            self.assertEqual((here.status, here.body), (200, b"isoworker is running\n"))

    def without_ids(self, body):
        return re.sub(rb"[0-9a-f]{32}", b"", body)

    def test_a_function_is_told_what_the_gateway_knows(self):
        with RuntimeApi() as api, Lambda(api):
            told = Answer(api.ask(rest("POST", "/api/whole")).json())
            self.assertEqual(told.status, 500)  # the trigger of HTTP is no JSON; its metadata is
            told = api.ask(rest("POST", "/api/things/1", headers=[("traceparent",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]),
                           Lambda_Runtime_Trace_Id="Root=1-5759e988-bd862e3fe1be46a994272793;"
                                                   "Parent=53995c3f42cd8ad8;Sampled=1").json()
            self.assertIn("trace 00-0af7651916cd43dd8448eb211c80319c-", told["body"])
            told = api.ask(rest("POST", "/api/things/1"),
                           Lambda_Runtime_Trace_Id="Root=1-5759e988-bd862e3fe1be46a994272793;"
                                                   "Parent=53995c3f42cd8ad8;Sampled=1").json()
            self.assertIn("trace 00-5759e988bd862e3fe1be46a994272793-", told["body"])

    def test_an_answer_in_pieces_is_one_where_nothing_streams(self):
        with RuntimeApi() as api, Lambda(api):
            told = api.ask(url("GET", "/api/pieces")).json()
            self.assertEqual((told["statusCode"], told["body"]), (200, "one two three"))
            result = api.ask(url("GET", "/api/pieces", [("cut", "1")]))
            self.assertEqual((result.failed, result.type), (True, "Function.Cut"))

    def test_a_function_url_streams_where_it_is_set_to(self):
        with RuntimeApi() as api, Lambda(api, top="lambda: {stream: true}"):
            result = api.ask(url("GET", "/api/pieces"))
            self.assertEqual(result.headers["lambda-runtime-function-response-mode"], "streaming")
            self.assertEqual(result.headers["content-type"],
                             "application/vnd.awslambda.http-integration-response")
            prelude, body = result.body.split(b"\0" * 8)
            prelude = json.loads(prelude)
            self.assertEqual(prelude["statusCode"], 200)
            self.assertEqual(prelude["headers"]["content-type"], "text/plain")
            self.assertEqual(body, b"one two three")
            self.assertEqual(result.trailers, {})
            result = api.ask(url("GET", "/api/pieces", [("cut", "1")]))
            self.assertEqual(result.body.split(b"\0" * 8)[1], b"one two ")
            self.assertEqual(result.trailers["lambda-runtime-function-error-type"], "Function.Cut")
            told = json.loads(base64.b64decode(
                result.trailers["lambda-runtime-function-error-body"]))
            self.assertEqual(told["errorType"], "Function.Cut")
            result = api.ask(url("POST", "/api/things/1"))
            self.assertEqual(len(json.loads(result.body.split(b"\0" * 8)[0])["cookies"]), 2)
            size = 20 * 1024 * 1024
            result = api.ask(url("GET", "/api/bulk", [("bytes", str(size))]))
            self.assertEqual(len(result.body.split(b"\0" * 8)[1]), size)
            self.assertEqual(api.ask(second("GET", "/api/things/1")).json()["statusCode"], 201)
            self.assertEqual(api.faults, [])

    def test_a_stream_that_lambda_has_enough_of_ends(self):
        with RuntimeApi() as api, Lambda(api, top="lambda: {stream: true}") as host:
            api.refuse_with = 413
            api.ask(url("GET", "/api/pieces"))
            host.wait_for("does not take what came of event .*: status 413")
            api.refuse_with = None
            self.assertFalse(api.ask(url("GET", "/api/things/1")).failed)

    def test_what_is_too_large_is_a_failure_where_nothing_streams(self):
        with RuntimeApi() as api, Lambda(api):
            result = api.ask(url("GET", "/api/bulk", [("bytes", str(7 * 1024 * 1024))]))
            self.assertEqual((result.failed, result.type), (True, "Function.ResponseSizeTooLarge"))
            self.assertFalse(api.ask(url("GET", "/api/bulk", [("bytes", "6000000")])).failed)
            self.assertEqual(api.faults, [])

    def test_a_balancer_that_takes_one_value_is_told_so(self):
        with RuntimeApi() as api, Lambda(api) as host:
            told = api.ask(balancer("GET", "/api/things/1", [("q", "1")], many=False)).json()
            self.assertEqual(told["statusDescription"], "201 Created")
            self.assertEqual(told["headers"]["x-many"], "one, two")
            self.assertIn("q=1", told["body"])
            host.wait_for("turn on multi-value headers of its target group")

    def test_at_the_deadline_a_client_has_its_answer_and_the_function_is_woken(self):
        for top in ("", "lambda: {stream: true}"):
            with self.subTest(top), RuntimeApi() as api, Lambda(api, top=top) as host:
                result = api.ask(url("GET", "/api/nap"), seconds=0.6)
                told = json.loads(result.body.split(b"\0" * 8)[0])
                self.assertEqual((result.failed, told["statusCode"]), (False, 504))
                host.wait_for("woken")
                self.assertEqual(api.faults, [])

    def test_a_body_that_is_no_base64_is_refused(self):
        with RuntimeApi() as api, Lambda(api):
            result = api.ask(url("POST", "/api/turn", body="!", encoded=True))
            self.assertEqual(result.type, "Runtime.InvalidEvent")


if __name__ == "__main__":
    main()
