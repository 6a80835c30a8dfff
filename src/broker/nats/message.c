/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on the wire: the body is the message's, and the header "Isoworker" has the rest, as the
 * query of an URL would: "id=order-7&put=1700000000000&type=text/plain". */
#include "broker/nats/internal.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

static const char HEADER[] = "Isoworker";

/* -- Writing ----------------------------------------------------------------------------------- */

static bool is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != '%' && c != '&' && c != '=' && c != '+';
}

static void add_encoded(iswi_buffer *out, isw_str text)
{
    for (size_t i = 0, end; i < text.size; i = end) {
        for (end = i; end < text.size && is_plain((unsigned char)text.data[end]);)
            end++;
        iswi_buffer_append(out, text.data + i, end - i);
        if (end < text.size)
            iswi_buffer_printf(out, "%%%02X", (unsigned char)text.data[end++]);
    }
}

static void add_text(iswi_buffer *out, const char *name, isw_str text)
{
    if (text.size == 0)
        return;
    iswi_buffer_printf(out, "&%s=", name);
    add_encoded(out, text);
}

static void add_number(iswi_buffer *out, const char *name, int64_t number)
{
    if (number)
        iswi_buffer_printf(out, "&%s=%lld", name, (long long)number);
}

static void write_meta(iswi_buffer *out, const iswi_nats_meta *meta)
{
    iswi_buffer_append_text(out, "id=");
    add_encoded(out, meta->id);
    add_text(out, "type", meta->content_type);
    add_text(out, "trace", meta->trace);
    add_text(out, "cause", meta->cause);
    add_number(out, "put", meta->put_ms);
    add_number(out, "due", meta->due_ms);
    add_number(out, "delay", meta->delay_ms);
    add_number(out, "expires", meta->expires_ms);
    add_number(out, "died", meta->died_ms);
    add_number(out, "attempts", meta->attempts);
    add_text(out, "root", meta->root);
    add_number(out, "copies", meta->copies);
}

static const char *subject_of(iswi_nats *nats, const iswi_nats_queue *queue,
                              iswi_nats_where where, int64_t due_ms, uint64_t number)
{
    iswi_buffer *out = &nats->subject;

    iswi_buffer_reset(out);
    iswi_buffer_printf(out, "%s.%s.%s.", nats->address.prefix,
                       where == ISWI_NATS_DEAD ? "dead" : "queue", queue->token);
    if (where == ISWI_NATS_READY)
        iswi_buffer_append_text(out, "ready");
    else if (where == ISWI_NATS_LATE)
        iswi_buffer_printf(out, "late.%lld", (long long)due_ms);
    else
        iswi_buffer_printf(out, "%llu", (unsigned long long)number);
    return out->failed ? NULL : iswi_buffer_text(out);
}

static bool set_headers(iswi_nats *nats, natsMsg *msg, const iswi_nats_meta *meta,
                        const char *known_as)
{
    iswi_buffer *text = &nats->text;

    iswi_buffer_reset(text);
    write_meta(text, meta);
    if (text->failed ||
        nats->lib.natsMsgHeader_Set(msg, HEADER, iswi_buffer_text(text)) != NATS_OK)
        return false;
    iswi_buffer_reset(text);
    if (known_as)
        iswi_buffer_append_text(text, known_as);
    else
        add_encoded(text, meta->id);
    return !text->failed &&
           nats->lib.natsMsgHeader_Set(msg, "Nats-Msg-Id", iswi_buffer_text(text)) == NATS_OK;
}

natsMsg *iswi_nats_make(iswi_nats *nats, const iswi_nats_queue *queue, iswi_nats_where where,
                        const iswi_nats_meta *meta, isw_bytes body, const char *known_as,
                        uint64_t number, const char *reply)
{
    const char *subject = subject_of(nats, queue, where, meta->due_ms, number);
    natsMsg *msg = NULL;

    if (subject && nats->lib.natsMsg_Create(&msg, subject, reply, body.size ? body.data : "",
                                            (int)body.size) == NATS_OK) {
        if (set_headers(nats, msg, meta, known_as))
            return msg;
        nats->lib.natsMsg_Destroy(msg);
    }
    iswi_nats_lose(nats, "there is no memory for a message");
    return NULL;
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* In place; what is no hexadecimal stays. */
static isw_str decode(char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%' && i + 2 < size && iswi_hex_digit(text[i + 1]) >= 0 &&
            iswi_hex_digit(text[i + 2]) >= 0) {
            text[used++] =
                (char)(iswi_hex_digit(text[i + 1]) << 4 | iswi_hex_digit(text[i + 2]));
            i += 2;
        } else {
            text[used++] = text[i];
        }
    }
    text[used] = '\0';
    return (isw_str){ text, used };
}

static void read_one(iswi_nats_meta *out, isw_str name, char *value, size_t size)
{
    const struct { const char *name; isw_str *text; int64_t *number; } rows[] = {
        { "id", &out->id, NULL },           { "type", &out->content_type, NULL },
        { "trace", &out->trace, NULL },     { "cause", &out->cause, NULL },
        { "root", &out->root, NULL },
        { "put", NULL, &out->put_ms },      { "due", NULL, &out->due_ms },
        { "expires", NULL, &out->expires_ms }, { "died", NULL, &out->died_ms },
        { "delay", NULL, &out->delay_ms },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!isw_str_equal(name, isw_str_of(rows[i].name)))
            continue;
        if (rows[i].text)
            *rows[i].text = decode(value, size);
        else
            *rows[i].number = strtoll(value, NULL, 10);
        return;
    }
    if (isw_str_equal(name, isw_str_of("attempts")))
        out->attempts = (unsigned)strtoul(value, NULL, 10);
    else if (isw_str_equal(name, isw_str_of("copies")))
        out->copies = (unsigned)strtoul(value, NULL, 10);
}

bool iswi_nats_read_meta(iswi_nats *nats, isw_str header, iswi_arena *arena, iswi_nats_meta *out)
{
    char *text = iswi_arena_strndup(arena, header.size ? header.data : "", header.size);
    char *end;

    (void)nats;
    memset(out, 0, sizeof *out);
    for (char *at = text; at && *at; at = end) {
        const size_t size = strcspn(at, "&");
        const size_t name = strcspn(at, "=&");

        end = at + size + (at[size] == '&');
        at[size] = '\0';
        if (name < size)
            read_one(out, (isw_str){ at, name }, at + name + 1, size - name - 1);
    }
    return text != NULL;
}

void iswi_nats_root_of(const iswi_nats_meta *meta, uint64_t number, char out[ISWI_NATS_ROOT_BYTES])
{
    const isw_str root = meta->root.size ? meta->root : meta->id;

    if (root.size > 0 && root.size < ISWI_NATS_ROOT_BYTES)
        snprintf(out, ISWI_NATS_ROOT_BYTES, "%.*s", (int)root.size, root.data);
    else /* put by another program */
        snprintf(out, ISWI_NATS_ROOT_BYTES, "#%llu", (unsigned long long)number);
}

isw_str iswi_nats_header_of(iswi_nats *nats, natsMsg *msg)
{
    const char *value = NULL;

    return nats->lib.natsMsgHeader_Get(msg, HEADER, &value) == NATS_OK ? isw_str_of(value)
                                                                       : (isw_str){ "", 0 };
}

isw_bytes iswi_nats_body_of(iswi_nats *nats, natsMsg *msg)
{
    return (isw_bytes){ nats->lib.natsMsg_GetData(msg),
                        (size_t)nats->lib.natsMsg_GetDataLength(msg) };
}

iswi_delivery *iswi_nats_delivery(const iswi_nats_queue *queue, iswi_nats *nats, isw_str header,
                                  isw_bytes body, iswi_nats_meta *meta)
{
    iswi_delivery *made = iswi_delivery_create();
    char *name = made ? iswi_arena_strndup(&made->arena, queue->name, queue->view.size) : NULL;
    char *data = name ? iswi_arena_strndup(&made->arena, body.size ? body.data : "", body.size)
                      : NULL;

    if (!data || !iswi_nats_read_meta(nats, header, &made->arena, meta)) {
        iswi_delivery_free(made);
        return NULL;
    }
    made->queue = (isw_str){ name, queue->view.size };
    made->body = (isw_bytes){ data, body.size };
    made->id = meta->id;
    made->key = (isw_str){ "", 0 };
    made->content_type = meta->content_type;
    made->trace = meta->trace;
    made->last_error = meta->cause;
    made->put_ms = meta->put_ms;
    made->due_ms = meta->due_ms ? meta->due_ms : meta->put_ms;
    made->expires_ms = meta->expires_ms;
    made->died_ms = meta->died_ms;
    made->attempt = meta->attempts;
    return made;
}
