# SPDX-License-Identifier: Apache-2.0
"""Functions for the tests of samples/languages/python; functions.js has the same."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../../samples/languages/python"))
import asyncio  # noqa: E402

import isoworker  # noqa: E402

app = isoworker.App()
state = {"warm": False, "ill": ""}


@app.http(route="hello/{name}")
def hello(request):
    return isoworker.Response(f"Hello, {request.params['name']}!\n", 200,
                              {"Content-Type": "text/plain"})


@app.http()
def nap(request, context):
    context.log.info("napping in %d", os.getpid())
    context.sleep(int(request.query.get("ms", 0)) / 1000)
    return str(os.getpid())


@app.http()
async def doze(request, context):
    context.log.info("napping in %d", os.getpid())
    await asyncio.sleep(int(request.query.get("ms", 0)) / 1000)
    return str(os.getpid())


@app.http(methods="POST")
def echo(request):
    kind = request.headers.get("Content-Type", "application/octet-stream")
    return isoworker.Response(request.body, 200, {"content-type": kind})


@app.http(route="shape/{kind}")
def shape(request):
    replies = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-of", "grüße")]
    return {"none": None, "text": "grüße", "bytes": b"\x00\xff", "json": {"a": [1, 2.5, None]},
            "list": [True], "number": 7,
            "reply": isoworker.Response({"made": 1}, 201, replies)}[request.params["kind"]]


@app.http(route="fail/{kind}", methods=["GET", "POST"])
def fail(request):
    kind = request.params["kind"]
    if kind == "conflict":
        raise isoworker.Failure("it is there already", isoworker.Status.CONFLICT)
    if kind == "own":
        reply = isoworker.Response("not like this", 422)
        raise isoworker.Failure("refused", isoworker.Status.INVALID, result=reply)
    if kind == "later":
        raise isoworker.RetryLater("not now", after=7)
    if kind == "json":
        return request.json()
    try:
        raise LookupError("no such key")
    except LookupError as error:
        raise ValueError("it cannot be") from error


def pieces(size):
    while size:
        piece = b"x" * min(size, 100_000)
        size -= len(piece)
        yield piece


@app.http()
def pour(request):
    return isoworker.Response(pieces(int(request.query["bytes"])), headers={"content-type": "a/b"})


@app.http()
async def drip(request):
    async def drops():
        for number in range(3):
            yield f"drop {number}\n"
            await asyncio.sleep(0)
    return isoworker.Response(drops(), 202)


@app.http()
def breaks(request):
    def some():
        yield "a beginning"
        raise RuntimeError("and no end")
    return some()


@app.http(methods="PUT", streams=True)
def swallow(request):
    return {"bytes": sum(len(piece) for piece in request)}


@app.http(methods="POST", streams=True)
def converse(request):
    return (piece.upper() for piece in request)


@app.http(methods="POST", outputs={"lines": {"type": "file", "path": "lines.jsonl"},
                                   "jobs": {"type": "queue", "queue": "jobs"},
                                   "many": {"type": "queue", "queue": "many"}})
def tell(request, context):
    what = request.json()
    if "line" in what:
        context.output("lines", {"n": 1, "half": 0.5, "list": ["a", None, True], "of": what["line"]})
        context.emit("lines", "at once")
    for job in what.get("jobs", []):
        context.output("jobs", job)
    for one in what.get("many", []):
        context.output("many", one)


@app.http(methods="POST", outputs={
    "hook": {"type": "http"},
    "event": {"type": "cloudevents", "properties": {"type": "org.example.bare"}}})
def sends(request, context):
    context.output("hook", isoworker.Response({"a": "grüße"}, headers={"x-some": "thing"}))
    context.output("hook", {"$queue": {"id": "7"}, "body": b"\x00\xff"})
    context.output("event", {"specversion": "1.0", "type": "org.example.sent", "shop": 7,
                             "data": {"b": [1.5, None]}})
    context.output("event", "only data")


@app.file(path="inbox", pattern="*.txt", properties={"quiet": "10ms", "retry_delay": "10ms"})
def reads(file, context):
    with open(file.path) as text:
        context.log.info("file %s says %s, %d bytes, delivery %d", file.name, text.read(), file.size,
                         file.dequeue_count)
    if file.dequeue_count == 1:
        raise RuntimeError("not yet")


@app.cloudevents(route="events", types=["org.example.*", "com.example.paid"])
def hears(event, context):
    data = event.data
    return {"id": event.id, "type": event.type, "shop": event.attributes.get("shop"),
            "data": data.hex() if isinstance(data, bytes) else data, "method": event.method}


@app.http(route="ends/{how}")
def ends(request, context):
    if request.params["how"] == "exit":
        os._exit(3)
    if request.params["how"] == "code":
        raise OddError("a code of its own")
    if request.params["how"] == "value":
        return object()
    return context.output("nowhere", 1)


class OddError(Exception):
    code = 9


@app.queue(queue="jobs", properties={"retry_delay": "10ms"})
def work(message, context):
    context.log.info("job %s, delivery %d, of %s", message.body, message.dequeue_count, message.queue)
    if message.body == "again" and message.dequeue_count == 1:
        raise RuntimeError("not yet")
    if message.body == "dead":
        context.settle("dead_letter", reason="as it says")


@app.queue(queue="many", batch_size=3, properties={"batch_wait": "100ms", "retry_delay": "10ms"})
def batch(messages, context):
    for message in messages:
        context.log.info("one %s, delivery %d", message.body, message.dequeue_count)
    return [message for message in messages
            if message.body == "bad" and message.dequeue_count == 1]


@app.timer(schedule="@every 1s")
def tick(timer, context):
    context.log.info("tick attempt %d at %s", timer.attempt, timer.scheduled_for)


@app.warmup
def warm():
    state["warm"] = True


@app.http(route="facts/{one?}")
def facts(request, context):
    return {"warm": state["warm"], "method": request.method, "query": request.query.get("q"),
            "header": request.headers["X-Some"], "client": request.client,
            "scheme": context.metadata.get("scheme", "http"), "trace": context.traceparent,
            "id": len(context.invocation_id) > 0}


@app.http()
def lines(request, context):
    context.log.debug("hidden by the host")
    context.log.warning("a warning", extra={"fields": {"order": 7}})


@app.http(methods="POST")
def ill(request):
    state["ill"] = request.text()


@app.health
def well():
    return state["ill"]


@app.http()
def late(request, context):
    """It does not hear that it is cancelled."""
    time.sleep(int(request.query["ms"]) / 1000)
    return str(context.cancelled)


if __name__ == "__main__":
    app.run()
