/* SPDX-License-Identifier: Apache-2.0 */
/* A connection without its socket. */
#include "http1/transcript.h"

#include "http1/body.h"
#include "http1/head.h"
#include "url/fields.h"
#include "url/percent.h"

#include <stdlib.h>

enum { BODY_LIMIT = 1 << 20 };

typedef struct connection {
    const char *come; /* what has not been given to a reader */
    size_t left;
    size_t piece;
    char *kept; /* what the reader has, and may want again */
    size_t kept_size;
    iswi_arena arena;
    iswi_buffer *out;
} connection;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool receive(connection *c)
{
    size_t size = c->left < c->piece ? c->left : c->piece;
    char *moved = malloc(c->kept_size + size + !(c->kept_size + size));

    must(moved != NULL);
    if (c->kept_size)
        memcpy(moved, c->kept, c->kept_size);
    if (size)
        memcpy(moved + c->kept_size, c->come, size);
    free(c->kept);
    c->kept = moved;
    c->kept_size += size;
    c->come += size;
    c->left -= size;
    return size > 0;
}

static void drop(connection *c, size_t size)
{
    must(size <= c->kept_size);
    c->kept_size -= size;
    memmove(c->kept, c->kept + size, c->kept_size);
}

static bool refused(connection *c, const iswi_http1_refusal *refusal)
{
    must(refusal->status >= 400 && refusal->status != 503 && refusal->what);
    iswi_buffer_printf(c->out, "refused %d %s\n", refusal->status,
                       iswi_http1_refusal_text(refusal, &c->arena));
    return false;
}

static void put(iswi_buffer *out, const char *name, isw_str text)
{
    iswi_buffer_printf(out, "%s ", name);
    iswi_buffer_append(out, text.data, text.size);
    iswi_buffer_append_text(out, "\n");
}

static void check(const iswi_http1_head *head)
{
    must(iswi_field_is_token(head->method) && head->url.size > 0);
    must(head->url.data[0] == '/' || isw_str_equal(head->url, isw_str_of("*")));
    must(iswi_percent_valid(head->url) && (head->minor == 0 || head->minor == 1));
    for (size_t i = 0; i < head->fields.count; i++) {
        const isw_pair *field = &head->fields.items[i];

        must(iswi_field_is_token(field->name) && iswi_field_is_value(field->value));
        must(isw_str_equal(iswi_field_trim(field->value), field->value));
    }
}

static void put_head(connection *c, const iswi_http1_head *head)
{
    check(head);
    iswi_buffer_printf(c->out, "head %zu 1.%d %d %d %s%s\n", head->size, head->minor,
                       (int)head->form, (int)head->framing, head->keep_alive ? "keep" : "close",
                       head->expects_continue ? " continue" : "");
    put(c->out, "method", head->method);
    put(c->out, "target", head->target);
    put(c->out, "url", head->url);
    put(c->out, "authority", head->authority);
    put(c->out, "upgrade", head->upgrade);
    for (size_t i = 0; i < head->fields.count; i++) {
        put(c->out, "name", head->fields.items[i].name);
        put(c->out, "value", head->fields.items[i].value);
    }
}

static bool transcribe_head(connection *c, iswi_http1_head *head)
{
    iswi_http1_result result;

    iswi_http1_head_begin(head, &c->arena, 0);
    do
        result = iswi_http1_head_read(head, c->kept, c->kept_size);
    while (result == ISWI_HTTP1_MORE && receive(c));
    if (result == ISWI_HTTP1_MORE)
        iswi_buffer_printf(c->out, "more%s\n", iswi_http1_head_has_begun(head) ? "" : " empty");
    if (result == ISWI_HTTP1_REFUSED)
        return refused(c, &head->refusal);
    if (result == ISWI_HTTP1_DONE)
        put_head(c, head);
    return result == ISWI_HTTP1_DONE;
}

static bool transcribe_body(connection *c, const iswi_http1_head *head)
{
    iswi_http1_body body;
    iswi_http1_result result;

    iswi_http1_body_begin(&body, head, BODY_LIMIT);
    drop(c, head->size);
    iswi_buffer_append_text(c->out, "body ");
    do {
        isw_bytes piece;
        size_t used;

        result = iswi_http1_body_read(&body, c->kept, c->kept_size, &used, &piece);
        must(used <= c->kept_size && piece.size <= used);
        iswi_buffer_append(c->out, piece.data, piece.size);
        drop(c, used);
    } while (result == ISWI_HTTP1_MORE && (c->kept_size || receive(c)));
    iswi_buffer_append_text(c->out, "\n");
    if (result == ISWI_HTTP1_REFUSED)
        return refused(c, &body.refusal);
    must(body.payload <= BODY_LIMIT);
    iswi_buffer_append_text(c->out, result == ISWI_HTTP1_DONE ? "done\n" : "more\n");
    return result == ISWI_HTTP1_DONE;
}

void transcribe(const char *bytes, size_t size, size_t piece, iswi_buffer *out)
{
    connection c = { .come = bytes, .left = size, .piece = piece, .out = out };
    iswi_http1_head head;

    iswi_arena_init(&c.arena, 2048);
    receive(&c);
    while (c.left + c.kept_size > 0 && transcribe_head(&c, &head) && transcribe_body(&c, &head) &&
           head.keep_alive)
        iswi_arena_reset(&c.arena);
    iswi_arena_fini(&c.arena);
    free(c.kept);
}
