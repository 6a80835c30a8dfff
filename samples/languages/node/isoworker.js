// SPDX-License-Identifier: Apache-2.0
'use strict';
/*
 * Functions in JavaScript under an isoworker host: one file, which needs Node.js 18 and no package.
 *
 *     const { app } = require('./isoworker');
 *
 *     app.http('hello', {
 *         route: 'hello/{name}',
 *         handler: async (request, context) => {
 *             context.info(`greeting ${request.params.name}`);
 *             return `Hello, ${request.params.name}!\n`;
 *         },
 *     });
 *     app.start();
 *
 * It speaks src/wire/PROTOCOL.md on the socket, or by TLS to a host on another machine; numbers in
 * comments are sections of that page.
 * Invocations run side by side on the event loop, so that a function must not compute for longer
 * than the host bears without a word (some 8 s); one that does hands it to a worker thread.
 */
const { AsyncLocalStorage } = require('node:async_hooks');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');

// -- Words of the page ----------------------------------------------------------------------------

const [WORKER_HELLO, HOST_HELLO, METADATA_REQUEST, METADATA, LOAD, LOADED, INVOKE, RESPONSE, CANCEL,
    LOG, STATUS_REQUEST, STATUS, CREDIT, RELOAD, RELOADED, WARMUP, WARMED, TERMINATE, ERROR, GOODBYE,
    OUTPUT, HEAD, CHUNK, WINDOW] = Array.from({ length: 24 }, (_, at) => at + 1);
const [NONE, STRING, JSON_TEXT, BYTES, INT, DOUBLE, BOOL, HTTP, MODEL, ARRAY, MAP] =
    Array.from({ length: 11 }, (_, at) => at);
const [FAILED, SUCCESS, CANCELLED, LATER] = [0, 1, 2, 3];
const KINDS_MAX = 63;
const KEY_MAX = 63;
const DEPTH_MAX = 40;
const GREETING = Buffer.from('0053500000100000', 'hex');
const MESSAGE_MAX = 67108864;
const ANSWER_MAX = MESSAGE_MAX - 65536; // with room for the rest of its frame
const HEADERS_MAX = 32768;
const WINDOW_BYTES = 262144;
const CHUNK_BYTES = 65536;
const CLOSE_MS = 5000;
const SILENT_INTERVALS = 10;
const EX_UNAVAILABLE = 69;
const EX_PROTOCOL = 76;
const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'none'];

/** Codes of failures (7). */
const Status = Object.freeze(Object.fromEntries(['OK', 'FAILED', 'INVALID', 'UNAUTHENTICATED',
    'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'TOO_LARGE', 'BUSY', 'CANCELLED', 'INTERNAL',
    'UNSUPPORTED', 'WORKER_LOST', 'UNAVAILABLE', 'TIMEOUT', 'NO_MEMORY', 'CONFIG', 'PROTOCOL',
    'CLOSED', 'IO'].map((name, code) => [name, code])));

/** The invocation fails with this code. `result`, a Response of 400 to 599, is what its caller gets
 *  instead of a problem document. */
class Failure extends Error {
    constructor(message, { code = Status.FAILED, retriable = false, result, cause } = {}) {
        super(message, { cause });
        Object.assign(this, { name: 'Failure', code, retriable, result });
    }
}

/** Not now: the host is to come again, after so many milliseconds. */
class RetryLater extends Error {
    constructor(message, { afterMs = 0, code = Status.UNAVAILABLE } = {}) {
        super(message);
        Object.assign(this, { name: 'RetryLater', afterMs, code });
    }
}

/** The host broke the protocol (9). */
class Violation extends Error {}

// -- MessagePack, as far as the page has it ------------------------------------------------------

/** A map as it came: what is skipped may have any key, even twice. */
class Pairs extends Array {}

/** A double, which is never encoded as an integer (2), however round. */
class Double {
    constructor(value) {
        this.value = value;
    }
}

/** Text that is not UTF-8, or a type that the page does not have: it can only be skipped. */
const OPAQUE = Symbol('opaque');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }

    take(size) {
        if (this.at + size > this.bytes.length)
            throw new Violation('a frame is cut off');
        this.at += size;
        return this.at - size;
    }

    number(size, read) {
        return this.bytes[read](this.take(size));
    }

    big(read) {
        const value = this.bytes[read](this.take(8));
        const small = Number(value);
        return Number.isSafeInteger(small) ? small : value;
    }

    text(size) {
        const at = this.take(size);
        try {
            return utf8.decode(this.bytes.subarray(at, at + size));
        } catch {
            return OPAQUE;
        }
    }

    bin(size) {
        const at = this.take(size);
        return this.bytes.subarray(at, at + size);
    }

    array(count, depth) {
        return Array.from({ length: this.fits(count) }, () => this.value(depth + 1));
    }

    map(count, depth) {
        const pairs = new Pairs();
        for (let left = this.fits(count); left; left--)
            pairs.push([this.value(depth + 1), this.value(depth + 1)]);
        return pairs;
    }

    /** So many elements may still come: each has a byte. */
    fits(count) {
        if (count > this.bytes.length - this.at)
            throw new Violation('a length that the message does not hold');
        return count;
    }

    skip(size) {
        this.take(size);
        return OPAQUE;
    }

    value(depth = 0) {
        const first = this.number(1, 'readUInt8');
        if (depth > DEPTH_MAX)
            throw new Violation('values are nested too deep');
        if (first < 0x80)
            return first;
        if (first >= 0xe0)
            return first - 0x100;
        if (first < 0x90)
            return this.map(first & 15, depth);
        if (first < 0xa0)
            return this.array(first & 15, depth);
        if (first < 0xc0)
            return this.text(first & 31);
        const read = Reader.long[first];
        if (!read)
            throw new Violation('no MessagePack');
        return read(this, depth);
    }
}

Reader.long = {
    0xc0: () => null, 0xc2: () => false, 0xc3: () => true,
    0xc4: (r) => r.bin(r.number(1, 'readUInt8')), 0xc5: (r) => r.bin(r.number(2, 'readUInt16BE')),
    0xc6: (r) => r.bin(r.number(4, 'readUInt32BE')),
    0xc7: (r) => r.skip(r.number(1, 'readUInt8') + 1),
    0xc8: (r) => r.skip(r.number(2, 'readUInt16BE') + 1),
    0xc9: (r) => r.skip(r.number(4, 'readUInt32BE') + 1),
    0xca: (r) => r.number(4, 'readFloatBE'), 0xcb: (r) => r.number(8, 'readDoubleBE'),
    0xcc: (r) => r.number(1, 'readUInt8'), 0xcd: (r) => r.number(2, 'readUInt16BE'),
    0xce: (r) => r.number(4, 'readUInt32BE'), 0xcf: (r) => r.big('readBigUInt64BE'),
    0xd0: (r) => r.number(1, 'readInt8'), 0xd1: (r) => r.number(2, 'readInt16BE'),
    0xd2: (r) => r.number(4, 'readInt32BE'), 0xd3: (r) => r.big('readBigInt64BE'),
    0xd4: (r) => r.skip(2), 0xd5: (r) => r.skip(3), 0xd6: (r) => r.skip(5), 0xd7: (r) => r.skip(9),
    0xd8: (r) => r.skip(17),
    0xd9: (r) => r.text(r.number(1, 'readUInt8')), 0xda: (r) => r.text(r.number(2, 'readUInt16BE')),
    0xdb: (r) => r.text(r.number(4, 'readUInt32BE')),
    0xdc: (r, depth) => r.array(r.number(2, 'readUInt16BE'), depth),
    0xdd: (r, depth) => r.array(r.number(4, 'readUInt32BE'), depth),
    0xde: (r, depth) => r.map(r.number(2, 'readUInt16BE'), depth),
    0xdf: (r, depth) => r.map(r.number(4, 'readUInt32BE'), depth),
};

/** A head byte and a number in as many bytes as `write` says. */
function head(first, size, write, value) {
    const bytes = Buffer.alloc(1 + size);
    bytes[0] = first;
    bytes[write](value, 1);
    return bytes;
}

function lengthHead(size, [fixed, fixedMax], byte, word) {
    if (size <= fixedMax)
        return Buffer.from([fixed | size]);
    if (byte && size <= 0xff)
        return head(byte, 1, 'writeUInt8', size);
    return size <= 0xffff ? head(word, 2, 'writeUInt16BE', size)
        : head(word + 1, 4, 'writeUInt32BE', size);
}

function packInteger(value, out) {
    if (value >= 0 && value < 128)
        out.push(Buffer.from([Number(value)]));
    else if (value >= 0 && value <= 0xffffffff)
        out.push(head(0xce, 4, 'writeUInt32BE', Number(value)));
    else if (value >= 0)
        out.push(head(0xcf, 8, 'writeBigUInt64BE', BigInt(value)));
    else
        out.push(head(0xd3, 8, 'writeBigInt64BE', BigInt(value)));
}

/** Objects are maps whose keys are unsigned integers: bodies and structures. */
function pack(value, out) {
    if (value === null || value === undefined) {
        out.push(Buffer.from([0xc0]));
    } else if (typeof value === 'boolean') {
        out.push(Buffer.from([value ? 0xc3 : 0xc2]));
    } else if (typeof value === 'bigint' || Number.isInteger(value)) {
        packInteger(value, out);
    } else if (value instanceof Double) {
        out.push(head(0xcb, 8, 'writeDoubleBE', value.value));
    } else if (typeof value === 'string') {
        const bytes = Buffer.from(value);
        out.push(lengthHead(bytes.length, [0xa0, 31], 0xd9, 0xda), bytes);
    } else if (value instanceof Uint8Array) {
        out.push(lengthHead(value.length, [0, -1], 0xc4, 0xc5), value);
    } else if (Array.isArray(value)) {
        out.push(lengthHead(value.length, [0x90, 15], 0, 0xdc));
        value.forEach((one) => pack(one, out));
    } else {
        const entries = Object.entries(value).filter(([, one]) => one !== undefined);
        out.push(lengthHead(entries.length, [0x80, 15], 0, 0xde));
        for (const [key, one] of entries) {
            packInteger(Number(key), out);
            pack(one, out);
        }
    }
    return out;
}

// -- Frames (2) -----------------------------------------------------------------------------------

/** A body as an object, by key. */
function members(value) {
    if (!(value instanceof Pairs))
        throw new Violation('a map was due');
    const body = {};
    for (const [key, one] of value) {
        if (!Number.isInteger(key) || key < 0 || key > KEY_MAX)
            throw new Violation('a key is out of range');
        if (key in body)
            throw new Violation('a key comes twice');
        body[key] = one;
    }
    return body;
}

const isUnsigned = (value) => (typeof value === 'bigint' || Number.isInteger(value)) && value >= 0;
const KINDS = {
    uint: isUnsigned,
    bool: (value) => typeof value === 'boolean',
    str: (value) => typeof value === 'string',
    bin: (value) => value instanceof Uint8Array,
    list: (value) => Array.isArray(value) && !(value instanceof Pairs),
};

/** One of a body; without a default it must be there. */
function member(body, key, kind, otherwise) {
    const value = key in body ? body[key] : otherwise;
    if (!KINDS[kind](value))
        throw new Violation(`key ${key} is missing, or of another type`);
    return value;
}

function pairsOf(body, key) {
    const items = member(body, key, 'list', []);
    if (items.length % 2 || !items.every((text) => typeof text === 'string'))
        throw new Violation(`key ${key} is no list of pairs`);
    return Array.from({ length: items.length / 2 }, (_, at) => items.slice(2 * at, 2 * at + 2));
}

function* framesOf(message) {
    const reader = new Reader(message);
    while (reader.at < message.length) {
        const frame = reader.value();
        if (!KINDS.list(frame) || frame.length !== 3 || !isUnsigned(frame[0]) || !isUnsigned(frame[1]))
            throw new Violation('a frame is an array of a kind, an id and a body');
        if (frame[0] <= KINDS_MAX)
            yield [frame[0], frame[1], members(frame[2])];
    }
}

/** The socket: whole messages both ways (1). Frames of one turn of the loop share a message. */
class Connection {
    constructor(socket, { onMessage, onEnd }) {
        Object.assign(this, { socket, onMessage, onEnd, parts: [], size: 0, due: GREETING.length });
        this.state = 'greeting';
        this.waiting = [];
        socket.write(GREETING);
        socket.on('data', (part) => this.feed(part));
        socket.on('error', () => {});
        socket.on('close', () => this.onEnd());
    }

    send(...frames) {
        if (this.mute)
            return;
        if (!this.waiting.length)
            process.nextTick(() => this.flush());
        for (const frame of frames)
            pack(frame, this.waiting);
    }

    /** The last frame of this side. */
    sendLast(frame) {
        this.send(frame);
        this.mute = true;
    }

    flush() {
        const message = Buffer.concat(this.waiting);
        const before = Buffer.alloc(9);
        before[0] = 1;
        before.writeBigUInt64BE(BigInt(message.length), 1);
        this.waiting = [];
        this.socket.write(Buffer.concat([before, message]));
    }

    feed(part) {
        this.parts.push(part);
        this.size += part.length;
        while (this.size >= this.due && !this.socket.destroyed) {
            const all = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts);
            const taken = all.subarray(0, this.due);
            this.parts = [all.subarray(this.due)];
            this.size -= this.due;
            this.step(taken);
        }
    }

    step(taken) {
        if (this.state === 'greeting' && !taken.equals(GREETING)) {
            this.socket.destroy();
        } else if (this.state === 'head') {
            const size = taken.readBigUInt64BE(1);
            if (taken[0] !== 1 || size > MESSAGE_MAX)
                this.onMessage(null);
            [this.state, this.due] = ['body', Number(size)];
        } else {
            const message = this.state === 'body' ? taken : undefined;
            [this.state, this.due] = ['head', 9];
            if (message)
                this.onMessage(message);
        }
    }
}

// -- Values (6) -----------------------------------------------------------------------------------

/** A value that travels as a text of JSON. */
class Json {
    constructor(value) {
        this.text = JSON.stringify(value);
        if (this.text === undefined)
            throw new TypeError(`a ${typeof value} is no value that can travel`);
    }
}

const flat = (pairs) => (pairs ? (Array.isArray(pairs) || pairs instanceof Headers ? [...pairs]
    : Object.entries(pairs)) : []).flat().map(String);

/** Typed data of a value. Whole numbers are int, also 1.0, which JavaScript cannot tell from 1. */
function toData(value) {
    if (value === null || value === undefined)
        return [NONE, null];
    if (value instanceof Json)
        return [JSON_TEXT, value.text];
    if (value instanceof Response)
        return [HTTP, value.wire()];
    if (value instanceof Uint8Array)
        return [BYTES, value];
    if (Array.isArray(value))
        return [ARRAY, value.map(toData)];
    switch (typeof value) {
        case 'string':
            return [STRING, value];
        case 'boolean':
            return [BOOL, value];
        case 'bigint':
            if (BigInt.asIntN(64, value) !== value)
                throw new TypeError(`${value} does not fit into 64 bits`);
            return [INT, value];
        case 'number':
            return Number.isSafeInteger(value) ? [INT, value] : [DOUBLE, new Double(value)];
        case 'object':
            return [MAP, Object.entries(value).flatMap(([name, one]) => [name, toData(one)])];
        default:
            throw new TypeError(`a ${typeof value} is no value that can travel`);
    }
}

function fromData(data) {
    if (!KINDS.list(data) || data.length !== 2)
        throw new Violation('typed data is an array of two');
    const [kind, value] = data;
    switch (kind) {
        case JSON_TEXT:
            return JSON.parse(value);
        case HTTP:
            return new Request(members(value));
        case MODEL: {
            const { 1: version, 2: source, 3: contentType, 4: content } = members(value);
            return { version, source, contentType, content };
        }
        case ARRAY:
            return value.map(fromData);
        case MAP:
            return namedOf(value);
        default:
            return value;
    }
}

function namedOf(items) {
    const named = {};
    for (let at = 0; at + 1 < items.length; at += 2)
        named[items[at]] = fromData(items[at + 1]);
    return named;
}

// -- What functions see ---------------------------------------------------------------------------

/** An HTTP request (13). Of a function with `streams`, `for await (const piece of request)` has the
 *  body as it comes; bytes(), text() and json() have all of it. */
class Request {
    constructor(http, incoming) {
        this.method = member(http, 1, 'str', '');
        this.url = member(http, 2, 'str', '');
        this.headers = new Headers();
        this.rawHeaders = pairsOf(http, 3);
        for (const [name, value] of this.rawHeaders)
            this.headers.append(name, value);
        this.query = new URLSearchParams(pairsOf(http, 4));
        this.params = Object.fromEntries(pairsOf(http, 5));
        this.client = member(http, 7, 'str', '');
        this.body = Buffer.from(member(http, 6, 'bin', Buffer.alloc(0)));
        this.incoming = incoming;
    }

    async* [Symbol.asyncIterator]() {
        if (!this.incoming && this.body.length)
            yield this.body;
        for (let piece; this.incoming && (piece = await this.incoming.next());)
            yield piece;
    }

    async bytes() {
        if (!this.incoming)
            return this.body;
        const pieces = [];
        for await (const piece of this)
            pieces.push(piece);
        return Buffer.concat(pieces);
    }

    async text() {
        return (await this.bytes()).toString();
    }

    /** Throws a Failure of INVALID, 400, for what is none. */
    async json() {
        try {
            return JSON.parse(await this.text());
        } catch (cause) {
            throw new Failure(`the body is no JSON: ${cause.message}`, { code: Status.INVALID, cause });
        }
    }
}

const isStream = (body) => body !== null && typeof body === 'object' &&
    typeof body[Symbol.asyncIterator] === 'function';

/** A CloudEvent (19) with the request that it came with, whose body is its data: data() has that as
 *  its content type says, `attributes` has all, and of those that it has: id, source, type ... */
class Event extends Request {
    constructor(http, attributes) {
        super(http);
        this.attributes = attributes;
        for (const [name, value] of Object.entries(attributes))
            if (!(name in this))
                this[name] = value;
    }

    async data() {
        const type = (this.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
        if (type === 'application/json' || type.endsWith('+json'))
            return this.json();
        return type.startsWith('text/') ? this.text() : this.body.length ? this.body : null;
    }
}

/** The answer to a request, or a request to be sent (18). `body`: text, bytes, what becomes JSON, or an
 *  async iterable of text and bytes (a generator, a Readable), which is sent as it comes, as an answer.
 */
class Response {
    constructor(body, { status, headers } = {}) {
        this.body = body;
        this.status = status;
        this.headers = flat(headers);
        const [type, whole] = Response.encode(body);
        this.whole = whole;
        if (type && !this.headers.some((text, at) => at % 2 === 0 && /^content-type$/i.test(text)))
            this.headers.push('content-type', type);
    }

    static encode(body) {
        if (body === null || body === undefined)
            return [undefined, Buffer.alloc(0)];
        if (isStream(body))
            return ['application/octet-stream', Buffer.alloc(0)];
        if (typeof body === 'string')
            return ['text/plain; charset=utf-8', Buffer.from(body)];
        if (body instanceof Uint8Array)
            return ['application/octet-stream', body];
        return ['application/json', Buffer.from(new Json(body).text)];
    }

    wire() {
        const size = this.headers.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0);
        if (size > HEADERS_MAX)
            throw new Failure(`its headers have ${size} bytes, more than ${HEADERS_MAX}`,
                { code: Status.TOO_LARGE });
        return { 3: this.headers, 6: this.whole, 8: this.status };
    }
}

/** A message of a queue (17): its body and what is known of it, such as id and dequeueCount. */
class Message {
    constructor(body, facts) {
        Object.assign(this, { body, facts, id: facts.id, queue: facts.queue,
            dequeueCount: facts.dequeue_count ?? 0 });
    }
}

/** A file that came into a folder (17). */
class File extends Message {
    constructor(body, facts) {
        super(body, facts);
        Object.assign(this, { path: body.path, name: body.name, size: body.size,
            modifiedMs: body.modified_ms, foundMs: body.found_ms });
    }
}

const MESSAGES = { queue: Message, file: File };

/** One invocation. */
class Context {
    constructor(app, fn, id, body) {
        this.app = app;
        this.fn = fn;
        this.id = id;
        this.functionName = fn.name;
        this.invocationId = member(body, 2, 'str');
        const trace = members(body[7] ?? new Pairs());
        [this.traceparent, this.tracestate] = [trace[1], trace[2]];
        const retry = members(body[8] ?? new Pairs());
        [this.retryCount, this.lastError] = [retry[1] ?? 0, retry[3]];
        this.timeoutMs = Number(member(body, 6, 'uint', 0));
        this.metadata = namedOf(member(body, 5, 'list', []));
        this.abort = new AbortController();
        this.outputs = [];
        this.window = WINDOW_BYTES;
        this.wakers = [];
        this.begun = process.hrtime.bigint();
        this.answered = false;
    }

    /** Aborts when the host wants no answer any more; its reason is an AbortError. */
    get signal() {
        return this.abort.signal;
    }

    /** Put out with its success: to an output binding of the function. One of type queue, http or
     *  cloudevents takes { $queue: { key: ... }, body: value }, too; one of type http a Response, for its
     *  headers; one of type cloudevents an object with specversion and data, for attributes. */
    output(name, value) {
        this.outputs.push(name, this.putOut(name, value));
    }

    /** Put out at once; to a queue it is still with its success. */
    emit(name, value) {
        this.app.send([OUTPUT, this.id, { 1: name, 2: this.putOut(name, value) }]);
    }

    putOut(name, value) {
        const declared = this.fn.outputs ?? {};
        if (!Object.hasOwn(declared, name) && name !== '$settle')
            throw new Error(`function ${this.functionName} has no output ${name}; declared: ` +
                `${Object.keys(declared).join(', ') || 'none'}`);
        return toData(value);
    }

    /** Settle a message at once: complete, abandon, defer, dead_letter or extend (17). */
    settle(verdict, { index = 0, delayMs, reason } = {}) {
        const value = { index, verdict };
        if (delayMs !== undefined)
            value.delay_ms = Math.trunc(delayMs);
        if (reason !== undefined)
            value.reason = reason;
        this.emit('$settle', value);
    }

    log(message, fields) {
        this.app.log(2, `Function.${this.functionName}`, message, fields, this);
    }

    trace(message, fields) {
        this.app.log(0, `Function.${this.functionName}`, message, fields, this);
    }

    debug(message, fields) {
        this.app.log(1, `Function.${this.functionName}`, message, fields, this);
    }

    info(message, fields) {
        this.log(message, fields);
    }

    warn(message, fields) {
        this.app.log(3, `Function.${this.functionName}`, message, fields, this);
    }

    error(message, fields) {
        this.app.log(4, `Function.${this.functionName}`, message, fields, this);
    }

    cancelledBy(reason) {
        this.cancelReason = reason; // 1 deadline, 2 the caller left, 3 the host stops
        const error = new DOMException('the invocation was cancelled', 'AbortError');
        this.abort.abort(error);
        this.incoming?.fail(error);
        this.wake();
    }

    wake() {
        this.wakers.splice(0).forEach((resume) => resume());
    }

    /** A piece of a streamed answer, within the window (3, Streams). */
    async write(piece) {
        let data = typeof piece === 'string' ? Buffer.from(piece) : piece;
        while (data.length) {
            while (!this.window && !this.signal.aborted)
                await new Promise((resume) => this.wakers.push(resume));
            this.signal.throwIfAborted();
            const part = data.subarray(0, Math.min(this.window, CHUNK_BYTES));
            this.window -= part.length;
            this.app.send([CHUNK, this.id, { 1: part }]);
            data = data.subarray(part.length);
        }
    }
}

/** A request's body that comes in pieces. */
class Incoming {
    constructor(context) {
        Object.assign(this, { context, pieces: [], room: WINDOW_BYTES, taken: 0, wakers: [] });
    }

    come(body) {
        const data = member(body, 1, 'bin', Buffer.alloc(0));
        this.room -= data.length;
        if (this.room < 0)
            throw new Violation('a chunk beyond the window');
        if (data.length)
            this.pieces.push(Buffer.from(data));
        if (3 in body)
            this.fail(new Failure('the body broke off', { code: Status.IO }));
        this.over ||= member(body, 2, 'bool', false);
        this.wake();
    }

    fail(error) {
        this.error ??= error;
        this.wake();
    }

    wake() {
        this.wakers.splice(0).forEach((resume) => resume());
    }

    grant(size) {
        this.room += size;
        this.context.app.send([WINDOW, this.context.id, { 1: size }]);
    }

    /** The next piece, undefined at the end; a window is granted anew once half of it is used. */
    async next() {
        if (!this.begun) // whoever waits to be asked for the body is asked now
            this.grant(0);
        this.begun = true;
        while (!this.pieces.length && !this.over && !this.error)
            await new Promise((resume) => this.wakers.push(resume));
        if (this.error)
            throw this.error;
        const piece = this.pieces.shift();
        this.taken += piece ? piece.length : 0;
        if (this.taken >= WINDOW_BYTES / 2) {
            this.grant(this.taken);
            this.taken = 0;
        }
        return piece;
    }
}

// -- Failures -------------------------------------------------------------------------------------

/** Where it was thrown, or what of ours was called there: the first line of its stack that names
 *  another file, else a file. */
function placeOf(error) {
    const found = [...String(error?.stack ?? '')
        .matchAll(/^ +at (?:.*\()?(?:async )?((?:file:\/\/)?\/[^()\s]+:\d+):\d+\)?$/gm)].map((one) => one[1]);
    return (found.find((place) => !place.includes(__filename)) ?? found[0] ?? '').slice(-1024);
}

const causeOf = (error) => ({
    1: (error instanceof Failure || error instanceof RetryLater) &&
        Object.values(Status).includes(error.code) && error.code || Status.FAILED,
    2: String(error?.message ?? error) || 'it says nothing',
    3: String(error?.name ?? typeof error).slice(0, 127),
    4: placeOf(error),
});

/** [Status] of what was thrown, with what brought it about (5). */
function statusOf(error) {
    const causes = [];
    for (let at = error?.cause; at && causes.length < 16; at = at.cause)
        causes.push(causeOf(at));
    return { ...causeOf(error), 5: true, 6: Boolean(error?.retriable), 7: causes };
}

// -- The worker -----------------------------------------------------------------------------------

const complain = (sentence) =>
    fs.writeSync(2, `${path.basename(process.argv[1] ?? 'node')}: ${sentence}\n`);

/** The invocation from which something is called. */
const current = new AsyncLocalStorage();

/** What nobody has caught: its stack, and then in one line, which the host shows as the reason, what
 *  it says. */
function endWithPlace(error) {
    const place = placeOf(error);
    const fn = current.getStore()?.functionName;
    fs.writeSync(2, `${error?.stack ?? error}\n`);
    const words = String(error?.message ?? error).split('\n')[0];
    complain(`${error?.name ?? 'Error'}: ${words}${place && ` (${place})`}` +
        `${fn ? `, in function ${fn} and caught by nobody` : ''}`);
    process.exit(1);
}

if (process.env.ISOWORKER_URL && !process.listenerCount('uncaughtException'))
    process.on('uncaughtException', endWithPlace);

/** 64 bytes, by the descriptor that a host hands down, or from the file of one that waits. */
function readToken() {
    const { ISOWORKER_TOKEN_FD: number, ISOWORKER_TOKEN_FILE: file } = process.env;
    delete process.env.ISOWORKER_TOKEN_FD;
    if (!number && !file)
        throw new Error('there is no token');
    const token = fs.readFileSync(number ? Number(number) : file);
    if (number)
        fs.closeSync(Number(number));
    if (token.length !== 64)
        throw new Error('the token is not one of 64 bytes');
    return token;
}

/** A socket to the host, here or on another machine (1), and the event that says it is there. */
function dial(url) {
    if (url.startsWith('ipc://'))
        return [net.connect(url.slice('ipc://'.length)), 'connect'];
    const [, scheme, host, port] = /^(tls\+tcp|tcp):\/\/\[?([^\]/]+?)\]?:(\d+)$/.exec(url) ?? [];
    const { ISOWORKER_TLS_CA: ca, ISOWORKER_TLS_CERTIFICATE: cert, ISOWORKER_TLS_KEY: key,
        ISOWORKER_INSECURE: insecure } = process.env;
    if (!scheme)
        throw new Error(`${url} is no URL of a host`);
    if (scheme === 'tcp' && insecure !== 'true')
        throw new Error(`${url}: over tcp:// whoever sees the network reads and changes all; use ` +
            'tls+tcp://, or, where that is meant, set ISOWORKER_INSECURE=true');
    if (scheme === 'tcp')
        return [net.connect({ host, port, noDelay: true }), 'connect'];
    const socket = tls.connect({ host, port, servername: host, ca: fs.readFileSync(ca),
        cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
    return [socket.setNoDelay(true), 'secureConnect'];
}

const OPTIONS = ['handler', 'summary', 'outputs', 'metadata', 'timeoutMs', 'idempotent'];

/** The functions of a worker, and the worker. */
class App {
    constructor() {
        this.concurrency = 64;
        this.functions = new Map();
        this.numbers = new Map();
        this.running = new Map();
        this.well = 3;
        this.why = '';
        this.levels = [];
    }

    // -- Naming them --

    /** A function for requests: { methods, route, streams, handler } and what all may have: summary,
     *  outputs ({ name: { type, property... } }, and one that is called type itself in `properties`),
     *  metadata, timeoutMs, idempotent. */
    http(name, { methods = 'GET', route, ...options }) {
        const properties = { methods: [].concat(methods).join(' ') };
        if (route !== undefined)
            properties.route = route;
        this.register(name, 'http', properties, options);
    }

    /** A function for messages: { queue, batchSize, properties, handler }. It gets a Message, or with
     *  a batchSize of 2 and more an array of them, and may return those that failed, or their ids. */
    queue(name, { queue, batchSize, properties, ...options }) {
        this.register(name, 'queue', { ...(queue !== undefined && { queue }),
            ...(batchSize !== undefined && { batch_size: batchSize }), ...properties }, options);
    }

    /** A function for files that come into a folder, that of host.yaml where it is relative: { path,
     *  pattern, batchSize, properties, handler }. It gets a File, or more of them, as one for messages.
     *  Further properties (17): recursive, done, quiet, and those of a queue. */
    file(name, { path: folder, pattern, batchSize, properties, ...options }) {
        this.register(name, 'file', { path: folder, ...(pattern !== undefined && { pattern }),
            ...(batchSize !== undefined && { batch_size: batchSize }), ...properties }, options);
    }

    /** A function for CloudEvents that come by HTTP, in any of its modes: { route, types, sources,
     *  properties, handler }. It gets an Event each time, and replies as one for requests. `types`,
     *  `sources`: patterns of those that it wants, one or an array. */
    cloudevents(name, { route, types, sources, properties, ...options }) {
        const given = Object.entries({ route, types, sources, ...properties });
        this.register(name, 'cloudevents', Object.fromEntries(given
            .filter(([, value]) => value !== undefined)
            .map(([key, value]) => [key, [].concat(value).join(' ')])), options);
    }

    /** A function that runs when it is time: { schedule, properties, handler }. */
    timer(name, { schedule, properties, ...options }) {
        this.register(name, 'timer', { schedule, ...properties }, options);
    }

    /** Runs once in each process before it gets any call; if it fails, so does the start. */
    warmup(name, handler) {
        this.register(name, 'warmup', {}, { handler });
    }

    /** Says whether the application does its work: what it throws, or a text or false that it
     *  returns, says why not. */
    health(check) {
        this.check = check;
    }

    register(name, trigger, properties, options) {
        if (this.functions.has(name))
            throw new Error(`there are two functions ${name}`);
        if (typeof options.handler !== 'function')
            throw new TypeError(`function ${name} has no handler`);
        for (const key of Object.keys(options))
            if (!OPTIONS.includes(key) && !(key === 'streams' && trigger === 'http'))
                throw new TypeError(`function ${name}: there is no option ${key}; there are: ` +
                    `${OPTIONS.join(', ')}, and what its trigger has`);
        for (const [output, binding] of Object.entries(options.outputs ?? {}))
            if (typeof binding?.type !== 'string')
                throw new TypeError(`function ${name}: output ${output} has no type: write ${output}: ` +
                    `{ type: 'queue', ... }`);
        this.functions.set(name, { name, trigger, properties, ...options });
    }

    // -- The session (3) --

    /** Serve the host that has started this process; it exits with the session. */
    start() {
        try {
            const token = readToken();
            const [socket, event] = dial(process.env.ISOWORKER_URL ?? '');
            socket.once('error', (error) => !this.connection && this.noHost(error));
            socket.once(event, () => this.hello(socket, token));
        } catch (error) {
            this.noHost(error);
        }
    }

    noHost(error) {
        this.end(EX_UNAVAILABLE, 'there is no host (ISOWORKER_URL, and ISOWORKER_TOKEN_FD or ' +
            `ISOWORKER_TOKEN_FILE): ${error.message}`);
    }

    end(code, sentence) {
        if (sentence)
            complain(sentence);
        process.exit(code);
    }

    hello(socket, token) {
        this.token = token;
        this.connection = new Connection(socket, {
            onMessage: (message) => this.onMessage(message),
            onEnd: () => this.end(this.over ?? EX_UNAVAILABLE,
                this.over === undefined && 'the host has gone'),
        });
        const capabilities = ['stream', '1', ...(this.check ? ['health', '1'] : [])];
        this.send([WORKER_HELLO, 0, { 1: 1, 2: 1, 3: token.subarray(0, 32), 4: 'isoworker-node',
            5: process.versions.node, 6: capabilities, 7: process.pid }]);
        process.on('SIGTERM', () => this.leave());
        process.on('SIGINT', () => this.leave());
    }

    send(...frames) {
        this.connection.send(...frames);
    }

    onMessage(message) {
        if (this.over !== undefined)
            return;
        clearTimeout(this.silence);
        try {
            if (!message)
                throw new Violation('no message, or too long a one');
            for (const [kind, id, body] of framesOf(message))
                this.onFrame(kind, id, body);
        } catch (error) {
            if (!(error instanceof Violation))
                throw error;
            this.giveUp(error);
        }
        this.awaitSilence();
    }

    /** The host may be taken for gone after ten intervals, from its first question on. */
    awaitSilence() {
        if (this.listens && this.silentMs && this.over === undefined)
            this.silence = setTimeout(() => this.end(EX_UNAVAILABLE, 'the host has fallen silent'),
                this.silentMs);
    }

    giveUp(violation) {
        complain(`the host broke the protocol: ${violation.message}`);
        this.over = EX_PROTOCOL;
        this.connection.sendLast([ERROR, 0, { 1: { 1: Status.PROTOCOL, 2: violation.message } }]);
        setTimeout(() => this.end(EX_PROTOCOL), 1000);
    }

    onFrame(kind, id, body) {
        if (kind === ERROR)
            this.end(EX_PROTOCOL, `the host gave up: ${members(body[1])[2]}`);
        if (!this.greeted) {
            this.onHostHello(kind, body);
        } else {
            const answer = App.answers[kind];
            if (!answer)
                throw new Violation(`kind ${kind} is not for a worker now`);
            answer.call(this, id, body);
        }
    }

    /** Nothing is believed before the host's proof. */
    onHostHello(kind, body) {
        const proof = this.token.subarray(32);
        if (kind !== HOST_HELLO || !KINDS.bin(body[2]) || body[2].length !== proof.length ||
            !crypto.timingSafeEqual(body[2], proof))
            this.end(EX_PROTOCOL, 'the host did not prove itself');
        if (body[1] !== 1)
            this.end(EX_PROTOCOL, 'the host chose a version that was not offered');
        const agreed = new Map(pairsOf(body, 5));
        this.greeted = true;
        this.streams = agreed.has('stream');
        this.silentMs = SILENT_INTERVALS * Number(member(body, 6, 'uint', 0));
        this.levels = pairsOf(body, 7);
        this.lowest = new Map();
        this.send([CREDIT, 0, { 1: this.concurrency }]);
        if (agreed.has('health') && this.check)
            this.look(...[10, 11, 12].map((key) => Number(member(body, key, 'uint', 0))));
    }

    /** By a signal: no more, then a question, to know when the host has read that. */
    leave() {
        if (this.left || this.draining || !this.greeted)
            return;
        this.left = true;
        this.send([CREDIT, 0, { 1: 0 }], [STATUS_REQUEST, 1, {}]);
    }

    endIfIdle() {
        if (!this.draining || this.running.size || this.over !== undefined)
            return;
        this.over = 0;
        clearTimeout(this.silence);
        this.connection.sendLast([GOODBYE, 0, {}]);
        setTimeout(() => this.end(0), CLOSE_MS);
    }

    status() {
        const body = { 1: this.running.size, 3: process.memoryUsage.rss() };
        return this.check ? { ...body, 4: this.well, 5: this.why.slice(0, 256) } : body;
    }

    // -- An invocation --

    invoke(id, body) {
        const fn = this.numbers.get(member(body, 1, 'uint'));
        if (id == 0 || this.running.has(id) || this.terminated)
            throw new Violation('an invoke with the id 0, that of another, or after terminate');
        if (!fn) {
            this.send([RESPONSE, id, { 1: FAILED, 2: { 1: Status.NOT_FOUND,
                2: 'no such function is loaded' } }]);
            return;
        }
        const context = new Context(this, fn, id, body);
        if (member(body, 9, 'bool', false))
            context.incoming = new Incoming(context);
        this.running.set(id, context);
        current.run(context, () => this.run(context, body));
    }

    async run(context, body) {
        let response;
        try {
            response = await this.conclude(context,
                await context.fn.handler(this.triggerOf(context, body), context));
        } catch (error) {
            response = this.failed(context, error);
        }
        response[9] = process.hrtime.bigint() - context.begun;
        this.running.delete(context.id);
        context.answered = true;
        this.send([RESPONSE, context.id, response]);
        this.endIfIdle();
    }

    triggerOf(context, body) {
        const data = body[3] ?? [NONE, null];
        if (context.fn.trigger === 'http')
            return new Request(data[0] === HTTP ? members(data[1]) : {}, context.incoming);
        if (context.fn.trigger === 'cloudevents')
            return new Event(members(data[1]), context.metadata.cloudevent ?? {});
        const value = fromData(data);
        const Kind = MESSAGES[context.fn.trigger];
        if (!Kind)
            return value;
        return context.metadata.messages
            ? context.metadata.messages.map((facts, at) => new Kind(value[at], facts))
            : new Kind(value, context.metadata);
    }

    async conclude(context, result) {
        if (context.fn.trigger in MESSAGES && Array.isArray(result))
            return this.succeeded(context, { batchItemFailures: result.map((one) =>
                ({ itemIdentifier: one?.id ?? one })) });
        if (context.fn.trigger !== 'http' && context.fn.trigger !== 'cloudevents')
            return this.succeeded(context, result);
        const reply = isStream(result) ? new Response(result) : result;
        if (reply instanceof Response && isStream(reply.body))
            return this.stream(context, reply);
        const isPlain = reply === null || reply === undefined || typeof reply === 'string' ||
            reply instanceof Uint8Array || reply instanceof Response || reply instanceof Json;
        return this.succeeded(context, isPlain ? reply : new Json(reply));
    }

    async stream(context, reply) {
        if (!this.streams) {
            const pieces = [];
            for await (const piece of reply.body)
                pieces.push(Buffer.from(piece));
            reply.whole = Buffer.concat(pieces);
            return this.succeeded(context, reply);
        }
        this.send([HEAD, context.id, { 1: { 3: reply.wire()[3], 8: reply.status ?? 200 } }]);
        for await (const piece of reply.body)
            await context.write(piece);
        return this.succeeded(context, null);
    }

    succeeded(context, result) {
        const response = { 1: SUCCESS, 3: toData(result), 4: context.outputs };
        const size = pack(response, []).reduce((sum, part) => sum + part.length, 0);
        if (size > ANSWER_MAX)
            throw new Failure(`its answer has ${size} bytes, more than a message may have; stream it`,
                { code: Status.TOO_LARGE });
        return response;
    }

    failed(context, error) {
        if (context.signal.aborted && (error === context.signal.reason || error?.name === 'AbortError'))
            return { 1: CANCELLED, 2: { 1: Status.CANCELLED, 2: error.message } };
        if (error instanceof RetryLater)
            return { 1: LATER, 2: statusOf(error), 5: Math.trunc(error.afterMs) };
        const response = { 1: FAILED, 2: statusOf(error) };
        if (error?.result instanceof Response)
            response[3] = toData(error.result);
        return response;
    }

    // -- Logs --

    /** The lowest level that the host wants of a category: the last pattern that matches counts. */
    wanted(category) {
        if (!this.lowest.has(category)) {
            let lowest = LEVELS.indexOf('info');
            for (const [pattern, level] of this.levels) {
                const shape = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')
                    .replace(/\?/g, '.');
                if (new RegExp(`^${shape}$`, 's').test(category) && LEVELS.includes(level))
                    lowest = LEVELS.indexOf(level);
            }
            this.lowest.set(category, lowest);
        }
        return this.lowest.get(category);
    }

    /** A line of the host, of the invocation from which it is called. */
    log(level, category, message, fields, context = current.getStore()) {
        if (!this.greeted || level < this.wanted(category))
            return;
        const body = { 1: level, 2: category.slice(0, 255), 3: String(message).slice(0, 16384),
            4: Math.trunc((performance.timeOrigin + performance.now()) * 1000) };
        if (fields)
            body[5] = toData(fields)[1];
        if (context?.answered)
            Object.assign(body, { 6: context.invocationId, 7: context.functionName });
        this.send([LOG, context && !context.answered ? context.id : 0, body]);
    }

    // -- Health --

    /** Every so often, and no longer than that: a look that hangs is bad at once. */
    async look(everyMs, mostMs, failures) {
        const most = mostMs || 5000;
        for (let bad = 0; this.over === undefined;) {
            const why = await this.lookOnce(most);
            bad = why ? bad + 1 : 0;
            this.tell(!why || (bad < (failures || 3) && this.well === 1) ? 1 : 2, why);
            await new Promise((resume) => setTimeout(resume, everyMs || 10000).unref());
        }
    }

    async lookOnce(most) {
        let timer;
        const late = new Promise((resolve) => {
            timer = setTimeout(resolve, most, `its health check takes longer than ${most} ms`);
        });
        try {
            const found = await Promise.race([late, (async () => this.check())()]);
            return typeof found === 'string' ? found : found === false ? 'it says so' : '';
        } catch (error) {
            return String(error?.message || error);
        } finally {
            clearTimeout(timer);
        }
    }

    tell(well, why) {
        if (well === this.well && why === this.why)
            return;
        [this.well, this.why] = [well, why];
        this.send([STATUS, 0, this.status()]);
    }
}

/** [Function] (5). */
function wireFunction(fn) {
    const bindings = Object.entries(fn.outputs ?? {}).map(([name, { type, properties, ...given }]) =>
        ({ 1: name, 2: type, 3: 1, 4: flat({ ...given, ...properties }) }));
    return { 1: fn.name, 2: fn.summary ?? '', 3: fn.trigger, 5: flat(fn.properties), 6: bindings,
        7: flat(fn.metadata), 8: Math.trunc(fn.timeoutMs ?? 0), 9: Boolean(fn.idempotent),
        11: Boolean(fn.streams) };
}

function reload(body) {
    if (member(body, 3, 'bool', false))
        throw new Error('this worker reads no configuration');
    for (const [name, value] of pairsOf(body, 1)) {
        delete process.env[name];
        if (value)
            process.env[name] = value;
    }
    process.chdir(member(body, 2, 'str', '') || '.');
}

/** What frames of the host are answered with; `this` is the App. */
App.answers = {
    [METADATA_REQUEST](id) {
        this.send([METADATA, id, { 2: [...this.functions.values()].map(wireFunction) }]);
    },
    [LOAD](id, body) {
        const [number, name] = [member(body, 1, 'uint'), member(body, 2, 'str')];
        const fn = this.functions.get(name);
        if (fn)
            this.numbers.set(number, fn);
        this.send([LOADED, id, { 1: number, 2: fn ? undefined
            : { 1: Status.NOT_FOUND, 2: `there is no function ${name}` } }]);
    },
    [INVOKE](id, body) {
        this.invoke(id, body);
    },
    [CANCEL](id, body) {
        this.running.get(id)?.cancelledBy(member(body, 1, 'uint', 0));
    },
    [CHUNK](id, body) {
        this.running.get(id)?.incoming?.come(body);
    },
    [WINDOW](id, body) {
        const context = this.running.get(id);
        if (context) {
            context.window += Number(member(body, 1, 'uint'));
            context.wake();
        }
    },
    [STATUS_REQUEST](id) {
        this.listens = true;
        this.send([STATUS, id, this.status()]);
    },
    [STATUS]() {
        if (this.left) {
            this.draining = true;
            this.endIfIdle();
        }
    },
    [RELOAD](id, body) {
        try {
            reload(body);
            this.send([RELOADED, id, {}]);
        } catch (error) {
            if (error instanceof Violation)
                throw error;
            this.send([RELOADED, id, { 1: { 1: Status.UNSUPPORTED, 2: error.message } }]);
        }
    },
    [WARMUP](id) {
        this.send([WARMED, id, {}]);
    },
    [TERMINATE]() {
        if (this.terminated)
            throw new Violation('a second terminate');
        this.terminated = this.draining = true;
        this.endIfIdle();
    },
};

const app = new App();

module.exports = { app, App, Failure, RetryLater, Response, Json, Message, File, Event, Status };
