// SPDX-License-Identifier: Apache-2.0
/*
 * RUN     isoworker run samples/languages
 *         curl http://127.0.0.1:7071/api/node/hello/World
 * OUTPUT  Hello from Node, World!
 */
'use strict';
const { app } = require('./isoworker');

app.http('node_hello', {
    route: 'node/hello/{name}',
    handler: async (request) => `Hello from Node, ${request.params.name}!\n`,
});

app.start();
