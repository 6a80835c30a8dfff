// SPDX-License-Identifier: Apache-2.0
// Functions for the tests of samples/languages/node; functions.py has the same.
'use strict';
const fs = require('node:fs');
const timers = require('node:timers/promises');
const { app, Failure, Response, RetryLater, Status } =
    require('../../../samples/languages/node/isoworker.js');

const state = { warm: false, ill: '' };

app.http('hello', {
    route: 'hello/{name}',
    handler: (request) => new Response(`Hello, ${request.params.name}!\n`,
        { status: 200, headers: { 'content-type': 'text/plain' } }),
});

async function nap(request, context) {
    context.info(`napping in ${process.pid}`);
    await timers.setTimeout(Number(request.query.get('ms') ?? 0), undefined,
        { signal: context.signal });
    return String(process.pid);
}
app.http('nap', { handler: nap });
app.http('doze', { handler: nap });

app.http('echo', {
    methods: 'POST',
    handler: (request) => new Response(request.body,
        { status: 200, headers: { 'content-type': request.headers.get('Content-Type') } }),
});

app.http('shape', {
    route: 'shape/{kind}',
    handler: (request) => ({
        none: undefined, text: 'grüße', bytes: Buffer.from([0, 255]), json: { a: [1, 2.5, null] },
        list: [true], number: 7,
        reply: new Response({ made: 1 },
            { status: 201, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-of', 'grüße']] }),
    })[request.params.kind],
});

app.http('fail', {
    route: 'fail/{kind}',
    methods: ['GET', 'POST'],
    handler: async (request) => {
        switch (request.params.kind) {
            case 'conflict':
                throw new Failure('it is there already', { code: Status.CONFLICT });
            case 'own':
                throw new Failure('refused', { code: Status.INVALID,
                    result: new Response('not like this', { status: 422 }) });
            case 'later':
                throw new RetryLater('not now', { afterMs: 7000 });
            case 'json':
                return request.json();
            default:
                throw new TypeError('it cannot be', { cause: new RangeError('no such key') });
        }
    },
});

async function* pieces(size) {
    for (; size; size -= Math.min(size, 100000))
        yield Buffer.alloc(Math.min(size, 100000), 'x');
}
app.http('pour', {
    handler: (request) => new Response(pieces(Number(request.query.get('bytes'))),
        { headers: { 'content-type': 'a/b' } }),
});

app.http('drip', {
    handler: () => new Response((async function* drops() {
        for (let number = 0; number < 3; number++)
            yield `drop ${number}\n`;
    })(), { status: 202 }),
});

app.http('breaks', {
    handler: async function* some() {
        yield 'a beginning';
        throw new Error('and no end');
    },
});

app.http('swallow', {
    methods: 'PUT',
    streams: true,
    handler: async (request) => {
        let bytes = 0;
        for await (const piece of request)
            bytes += piece.length;
        return { bytes };
    },
});

app.http('converse', {
    methods: 'POST',
    streams: true,
    handler: async function* upper(request) {
        for await (const piece of request)
            yield piece.toString().toUpperCase();
    },
});

app.http('tell', {
    methods: 'POST',
    outputs: { lines: { type: 'file', path: 'lines.jsonl' }, jobs: { type: 'queue', queue: 'jobs' },
        many: { type: 'queue', queue: 'many' } },
    handler: async (request, context) => {
        const what = await request.json();
        if (what.line) {
            context.output('lines', { n: 1, half: 0.5, list: ['a', null, true], of: what.line });
            context.emit('lines', 'at once');
        }
        (what.jobs ?? []).forEach((job) => context.output('jobs', job));
        (what.many ?? []).forEach((one) => context.output('many', one));
    },
});

app.http('sends', {
    methods: 'POST',
    outputs: { hook: { type: 'http' },
        event: { type: 'cloudevents', properties: { type: 'org.example.bare' } } },
    handler: async (request, context) => {
        context.output('hook', new Response({ a: 'grüße' }, { headers: { 'x-some': 'thing' } }));
        context.output('hook', { $queue: { id: '7' }, body: Buffer.from([0, 255]) });
        context.output('event', { specversion: '1.0', type: 'org.example.sent', shop: 7,
            data: { b: [1.5, null] } });
        context.output('event', 'only data');
    },
});

app.file('reads', {
    path: 'inbox',
    pattern: '*.txt',
    properties: { quiet: '10ms', retry_delay: '10ms' },
    handler: async (file, context) => {
        context.info(`file ${file.name} says ${fs.readFileSync(file.path, 'utf8')}, ` +
            `${file.size} bytes, delivery ${file.dequeueCount}`);
        if (file.dequeueCount === 1)
            throw new Error('not yet');
    },
});

app.cloudevents('hears', {
    route: 'events',
    types: ['org.example.*', 'com.example.paid'],
    handler: async (event) => {
        const data = await event.data();
        return { id: event.id, type: event.type, shop: event.attributes.shop ?? null,
            data: Buffer.isBuffer(data) ? data.toString('hex') : data, method: event.method };
    },
});

app.http('ends', {
    route: 'ends/{how}',
    handler: async (request, context) => {
        switch (request.params.how) {
            case 'exit':
                return process.exit(3);
            case 'code':
                throw Object.assign(new Error('a code of its own'), { code: 9 });
            case 'value':
                return Symbol('x');
            default:
                return context.output('nowhere', 1);
        }
    },
});

app.queue('work', {
    queue: 'jobs',
    properties: { retry_delay: '10ms' },
    handler: (message, context) => {
        context.info(`job ${message.body}, delivery ${message.dequeueCount}, of ${message.queue}`);
        if (message.body === 'again' && message.dequeueCount === 1)
            throw new Error('not yet');
        if (message.body === 'dead')
            context.settle('dead_letter', { reason: 'as it says' });
    },
});

app.queue('batch', {
    queue: 'many',
    batchSize: 3,
    properties: { batch_wait: '100ms', retry_delay: '10ms' },
    handler: (messages, context) => {
        for (const message of messages)
            context.info(`one ${message.body}, delivery ${message.dequeueCount}`);
        return messages.filter((one) => one.body === 'bad' && one.dequeueCount === 1);
    },
});

app.timer('tick', {
    schedule: '@every 1s',
    handler: (timer, context) => context.info(`tick attempt ${timer.attempt} at ${timer.scheduled_for}`),
});

app.warmup('warm', () => {
    state.warm = true;
});

app.http('facts', {
    route: 'facts/{one?}',
    handler: (request, context) => ({
        warm: state.warm, method: request.method, query: request.query.get('q'),
        header: request.headers.get('X-Some'), client: request.client,
        scheme: context.metadata.scheme ?? 'http', trace: context.traceparent,
        id: context.invocationId.length > 0,
    }),
});

app.http('lines', {
    handler: (request, context) => {
        context.debug('hidden by the host');
        context.warn('a warning', { order: 7 });
    },
});

app.http('ill', {
    methods: 'POST',
    handler: async (request) => {
        state.ill = await request.text();
    },
});
app.health(() => state.ill);

app.http('late', { // it does not hear that it is cancelled
    handler: async (request, context) => {
        await timers.setTimeout(Number(request.query.get('ms')));
        return String(context.signal.aborted);
    },
});

app.start();
