# SPDX-License-Identifier: Apache-2.0
"""
RUN     isoworker run samples/languages
        curl http://127.0.0.1:7071/api/python/hello/World
OUTPUT  Hello from Python, World!
"""
import isoworker

app = isoworker.App()


@app.http(route="python/hello/{name}")
def python_hello(request):
    return f"Hello from Python, {request.params['name']}!\n"


app.run()
