/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file as a message: JSON that says where it is and what it was when it was found. Its id is made
 * of what tells it from others, so that a file which is put once more, since nobody could note that
 * it was, is not put twice.
 */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/file/internal.h"
#include "value/value.h"

#include <stdio.h>

void iswi_file_id(const iswi_file_identity *identity, const char *name,
                  char id[ISWI_MESSAGE_ID_MAX + 1])
{
    snprintf(id, ISWI_MESSAGE_ID_MAX + 1, "%llx-%llx-%llx-%016llx",
             (unsigned long long)identity->inode, (unsigned long long)identity->size,
             (unsigned long long)identity->modified_ns, (unsigned long long)iswi_file_hash(name));
}

static void write_body(const iswi_inbox *inbox, const iswi_file_task *task, iswi_buffer *out)
{
    iswi_buffer path = { 0 };

    iswi_buffer_printf(&path, "%s/%s", inbox->path, task->name);
    iswi_buffer_append_text(out, "{\"path\":");
    iswi_json_string(out, (isw_str){ (const char *)path.data, path.size });
    iswi_buffer_append_text(out, ",\"name\":");
    iswi_json_string(out, isw_str_of(task->name));
    iswi_buffer_printf(out, ",\"size\":%lld,\"modified_ms\":%lld,\"found_ms\":%lld}",
                       (long long)task->identity.size,
                       (long long)(task->identity.modified_ns / 1000000),
                       (long long)(iswi_wall_us() / 1000));
    out->failed = out->failed || path.failed;
    iswi_buffer_fini(&path);
}

bool iswi_file_message(const iswi_inbox *inbox, const iswi_file_task *task, iswi_arena *arena,
                       iswi_queue_put *out)
{
    char id[ISWI_MESSAGE_ID_MAX + 1];
    iswi_buffer body = { 0 };

    iswi_file_id(&task->identity, task->name, id);
    write_body(inbox, task, &body);
    *out = (iswi_queue_put){ .queue = isw_str_of(inbox->queue),
                             .content_type = isw_str_of("application/json"),
                             .id = isw_str_of(iswi_arena_strndup(arena, id, strlen(id))) };
    if (!body.failed)
        out->body = (isw_bytes){ iswi_arena_strndup(arena, (const char *)body.data, body.size),
                                 body.size };
    iswi_buffer_fini(&body);
    return out->id.size && out->body.data;
}

/* A map. What somebody else has put into the queue and is none comes as text. */
isw_value iswi_file_value(const iswi_delivery *message, iswi_arena *arena)
{
    isw_str text = { message->body.data, message->body.size };
    isw_value value;

    return iswi_json_parse(arena, text, &value, NULL) == ISW_OK ? value : isw_value_text(text);
}
