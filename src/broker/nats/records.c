/* SPDX-License-Identifier: Apache-2.0 */
/* Records: a bucket of NATS' key-value store, KV_PREFIX, which `nats kv` shows, too. The revision
 * of a key is the record's version. */
#include "broker/nats/internal.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { OTHER_REVISION = 10071, NAME_IN_USE = 10058, KEY_BYTES = 3 * ISWI_RECORD_NAME_MAX + 1,
       TRIES = 3 };

/* -- Keys: what a key may not have is "=XX" ---------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '/';
}

static void write_key(isw_str name, char out[KEY_BYTES])
{
    for (size_t i = 0; i < name.size; i++)
        if (is_plain(name.data[i]))
            *out++ = name.data[i];
        else
            out += sprintf(out, "=%02X", (unsigned char)name.data[i]);
    *out = '\0';
}

/* In the arena; NULL: no memory. */
static char *read_key(iswi_arena *arena, const char *key, size_t *size)
{
    char *name = iswi_arena_strndup(arena, key, strlen(key));
    char *out = name;

    for (const char *at = key; name && *at;)
        if (*at == '=' && iswi_hex_digit(at[1]) >= 0 && iswi_hex_digit(at[2]) >= 0) {
            *out++ = (char)(iswi_hex_digit(at[1]) << 4 | iswi_hex_digit(at[2]));
            at += 3;
        } else {
            *out++ = *at++;
        }
    if (name)
        *out = '\0';
    *size = name ? (size_t)(out - name) : 0;
    return name;
}

/* -- The bucket -------------------------------------------------------------------------------- */

static bool have_bucket(iswi_nats *nats)
{
    char name[128];
    char subject[128];
    json_t *config;
    json_t *json;
    char *text;
    int code = 0;

    if (nats->has_bucket)
        return true;
    snprintf(name, sizeof name, "KV_%s", nats->address.prefix);
    snprintf(subject, sizeof subject, "$KV.%s.>", nats->address.prefix);
    config = json_pack("{s:s,s:[s],s:s,s:s,s:i,s:i,s:b,s:b,s:b}", "name", name, "subjects", subject,
                       "discard", "new", "storage", "file", "max_msgs_per_subject", 1,
                       "num_replicas", nats->address.replicas, "allow_rollup_hdrs", 1,
                       "deny_delete", 1, "allow_direct", 1);
    text = config ? json_dumps(config, JSON_COMPACT) : NULL;
    json_decref(config);
    if (!text)
        return iswi_nats_lose(nats, "there is no memory for what is asked");
    json = iswi_nats_api(nats, &code, text, "STREAM.CREATE.%s", name);
    free(text);
    nats->has_bucket = json != NULL || code == NAME_IN_USE;
    json_decref(json);
    return nats->has_bucket;
}

/* What a key has; *exists: it is no mark of one that was removed. False: a fault. */
static bool read_last(iswi_nats *nats, const char *key, iswi_arena *arena, iswi_record *out,
                      bool *exists)
{
    const char *number = NULL;
    const char *removed = NULL;
    char text[KEY_BYTES + 128];
    natsMsg *msg;
    isw_bytes body;
    char *value;

    snprintf(text, sizeof text, "{\"last_by_subj\":\"$KV.%s.%s\"}", nats->address.prefix, key);
    iswi_nats_forget(nats);
    *exists = false;
    out->version = 0;
    if (!iswi_nats_ask_api(nats, text, "DIRECT.GET.KV_%s", nats->address.prefix) ||
        !iswi_nats_answers(nats))
        return false;
    msg = nats->asks[0].answer;
    if (nats->lib.natsMsgHeader_Get(msg, "Nats-Sequence", &number) != NATS_OK)
        return true;
    out->version = strtoull(number, NULL, 10);
    *exists = nats->lib.natsMsgHeader_Get(msg, "KV-Operation", &removed) != NATS_OK;
    if (!arena)
        return true;
    body = iswi_nats_body_of(nats, msg);
    value = iswi_arena_strndup(arena, body.size ? body.data : "", body.size);
    out->value = (isw_bytes){ value, body.size };
    return value || iswi_nats_lose(nats, "there is no memory for a record");
}

/* -- Operations -------------------------------------------------------------------------------- */

static void read_record(iswi_nats *nats, iswi_broker_op *op)
{
    iswi_record *record = &op->as.record.record;
    iswi_record found = { .name = record->name };
    char key[KEY_BYTES];
    bool exists;

    write_key(record->name, key);
    if (!read_last(nats, key, op->as.record.arena, &found, &exists)) {
        iswi_nats_fail(nats, op);
    } else if (!exists) {
        iswi_nats_refuse(op, ISW_E_NOT_FOUND, "there is no record %.*s", (int)record->name.size,
                         record->name.data);
    } else {
        *record = found;
        iswi_nats_done(op);
    }
}

/* Over that revision alone. 0: it is another one; -1: a fault. */
static int try_write(iswi_nats *nats, const char *key, isw_bytes value, uint64_t over,
                     uint64_t *version)
{
    char subject[KEY_BYTES + ISWI_NATS_PREFIX_BYTES + 8];
    char number[32];
    char reply[64];
    natsMsg *msg = NULL;
    json_t *json;
    int code = 0;

    snprintf(subject, sizeof subject, "$KV.%s.%s", nats->address.prefix, key);
    snprintf(number, sizeof number, "%llu", (unsigned long long)over);
    iswi_nats_forget(nats);
    iswi_nats_ask_reply(nats, reply);
    if (nats->lib.natsMsg_Create(&msg, subject, reply, value.size ? value.data : "",
                                 (int)value.size) != NATS_OK ||
        nats->lib.natsMsgHeader_Set(msg, "Nats-Expected-Last-Subject-Sequence", number) !=
            NATS_OK ||
        (!value.data && nats->lib.natsMsgHeader_Set(msg, "KV-Operation", "DEL") != NATS_OK)) {
        nats->lib.natsMsg_Destroy(msg);
        iswi_nats_lose(nats, "there is no memory for a record");
        return -1;
    }
    if (!iswi_nats_ask_msg(nats, msg, (iswi_nats_ask){ 0 }) || !iswi_nats_answers(nats))
        return -1;
    json = iswi_nats_answer(nats, 0, &code);
    *version = (uint64_t)iswi_nats_int(json, "seq");
    json_decref(json);
    return json ? 1 : code == OTHER_REVISION ? 0 : -1;
}

static void write_record(iswi_nats *nats, iswi_broker_op *op)
{
    iswi_record *record = &op->as.record.record;
    iswi_record last = { .version = record->version };
    char key[KEY_BYTES];
    bool exists = false;
    int written = 0;

    write_key(record->name, key);
    for (int i = 0; i < TRIES && written == 0; i++) {
        uint64_t version;

        written = try_write(nats, key, record->value, last.version, &version);
        if (written > 0)
            record->version = version;
        else if (written == 0 && !read_last(nats, key, NULL, &last, &exists))
            written = -1;
        if (exists || record->version)
            break; /* over none only the mark of one that was removed may be written */
    }
    if (written > 0)
        iswi_nats_done(op);
    else if (written < 0)
        iswi_nats_fail(nats, op);
    else
        iswi_nats_refuse(op, ISW_E_CONFLICT, "the record %.*s has version %llu, not %llu",
                         (int)record->name.size, record->name.data,
                         (unsigned long long)(exists ? last.version : 0),
                         (unsigned long long)record->version);
}

static int by_name(const void *a, const void *b)
{
    return iswi_text_compare(((const iswi_record *)a)->name, ((const iswi_record *)b)->name);
}

/* 1: it is listed; 0: it is not; -1: a fault. */
static int list_one(iswi_nats *nats, iswi_broker_op *op, const char *key, iswi_record *out)
{
    const isw_str prefix = op->as.record.record.name;
    bool exists;

    out->name.data = read_key(op->as.record.arena, key, &out->name.size);
    if (!out->name.data) {
        iswi_nats_lose(nats, "there is no memory for records");
        return -1;
    }
    if (out->name.size < prefix.size ||
        (prefix.size && memcmp(out->name.data, prefix.data, prefix.size) != 0))
        return 0;
    return read_last(nats, key, op->as.record.arena, out, &exists) ? exists : -1;
}

static void list_records(iswi_nats *nats, iswi_broker_op *op)
{
    const size_t skip = strlen(nats->address.prefix) + 5; /* "$KV.PREFIX." */
    char text[128];
    json_t *json;
    json_t *subjects;
    json_t *value;
    const char *subject;
    int code;
    int found = 0;

    snprintf(text, sizeof text, "{\"subjects_filter\":\"$KV.%s.>\"}", nats->address.prefix);
    json = iswi_nats_api(nats, &code, text, "STREAM.INFO.KV_%s", nats->address.prefix);
    subjects = json_object_get(json_object_get(json, "state"), "subjects");
    op->as.record.count = 0;
    op->as.record.items = iswi_arena_calloc(op->as.record.arena, json_object_size(subjects) + 1,
                                            sizeof *op->as.record.items);
    json_object_foreach(subjects, subject, value)
    {
        if (found < 0 || strlen(subject) <= skip || !op->as.record.items)
            break;
        found = list_one(nats, op, subject + skip, &op->as.record.items[op->as.record.count]);
        op->as.record.count += found > 0;
    }
    if (json && found >= 0 && op->as.record.items) {
        qsort(op->as.record.items, op->as.record.count, sizeof *op->as.record.items, by_name);
        iswi_nats_done(op);
    } else {
        iswi_nats_fail(nats, op);
    }
    json_decref(json);
}

void iswi_nats_record(iswi_nats *nats, iswi_broker_op *op)
{
    if (!have_bucket(nats))
        iswi_nats_fail(nats, op);
    else if (op->kind == ISWI_BROKER_RECORD_READ)
        read_record(nats, op);
    else if (op->kind == ISWI_BROKER_RECORD_WRITE)
        write_record(nats, op);
    else
        list_records(nats, op);
    iswi_nats_forget(nats);
}
