/* SPDX-License-Identifier: Apache-2.0 */
/* What a host tells of an event beside its data (PROTOCOL.md: timers, queues, CloudEvents), made up
 * where there is no host: so a handler that reads it finds what it will find there. */
#include "worker/program/local.h"

#include "base/clock.h"
#include "base/text.h"
#include "url/fields.h"
#include "url/percent.h"

#include <time.h>

enum { MEMBERS = 8 /* that any trigger is told of */ };

static const char attribute[] = "ce-";

bool iswi_local_is_request(const isw_function *function)
{
    return strcmp(function->trigger.type, "http") == 0 ||
           strcmp(function->trigger.type, "cloudevents") == 0;
}

/* -- Members ----------------------------------------------------------------------------------- */

static bool has(const isw_map *map, isw_str name)
{
    for (size_t i = 0; i < map->count; i++)
        if (isw_str_equal(map->items[i].name, name))
            return true;
    return false;
}

/* What is said already stays as it is. False: no memory. */
static bool add_all(isw_map *map, const isw_named_value *items, size_t count, iswi_arena *arena)
{
    isw_named_value *all = iswi_arena_calloc(arena, map->count + count + 1, sizeof *all);
    size_t used = map->count;

    if (!all)
        return false;
    if (map->count)
        memcpy(all, map->items, map->count * sizeof *all);
    for (size_t i = 0; i < count; i++)
        if (!has(map, items[i].name))
            all[used++] = items[i];
    *map = (isw_map){ all, used };
    return true;
}

/* -- Timers ------------------------------------------------------------------------------------ */

/* It is due now, for the first time as far as anybody knows; when again, only a host can tell. */
static bool make_timer(iswi_local *local, iswi_arena *arena)
{
    const time_t now = (time_t)(iswi_wall_us() / 1000000);
    char *stamp = iswi_arena_alloc(arena, 32);
    isw_named_value members[MEMBERS];
    struct tm parts;
    size_t count = 0;

    if (!stamp || !gmtime_r(&now, &parts))
        return false;
    strftime(stamp, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
    members[count++] = isw_named("scheduled_for", isw_value_string(stamp));
    members[count++] = isw_named("is_past_due", isw_value_bool(false));
    members[count++] = isw_named("last", isw_value_none());
    members[count++] = isw_named("next", isw_value_none());
    members[count++] = isw_named("attempt", isw_value_int((int64_t)local->retry.count + 1));
    if (!add_all(&local->trigger_metadata, members, count, arena))
        return false;
    if (local->trigger.type == ISW_VALUE_NONE)
        local->trigger = isw_value_map(local->trigger_metadata.items, local->trigger_metadata.count);
    return true;
}

/* -- Queues and files -------------------------------------------------------------------------- */

static size_t describe(const iswi_local *local, const char *queue, isw_str id,
                       isw_named_value members[MEMBERS])
{
    const isw_retry *retry = &local->retry;
    size_t count = 0;

    members[count++] = isw_named("id", isw_value_text(id));
    members[count++] = isw_named("queue", isw_value_string(queue));
    members[count++] = isw_named("dequeue_count", isw_value_int((int64_t)retry->count + 1));
    members[count++] =
        isw_named("max_dequeue_count", isw_value_int(retry->max ? (int64_t)retry->max + 1 : 0));
    members[count++] = isw_named("inserted_ms", isw_value_int(iswi_wall_us() / 1000));
    members[count++] = isw_named("priority", isw_value_int(0));
    if (retry->last_error.size)
        members[count++] = isw_named("last_error", isw_value_text(retry->last_error));
    return count;
}

/* An array is a batch. */
static bool make_batch(iswi_local *local, const char *queue, isw_str id, iswi_arena *arena)
{
    const size_t count = local->trigger.as.array.count;
    isw_value *maps = iswi_arena_calloc(arena, count + 1, sizeof *maps);
    isw_named_value members[MEMBERS];
    isw_named_value told[2];

    for (size_t i = 0; maps && i < count; i++) {
        const char *own = iswi_arena_printf(arena, "%.*s.%zu", (int)id.size, id.data, i);
        isw_map map = { NULL, 0 };

        if (!own || !add_all(&map, members, describe(local, queue, isw_str_of(own), members), arena))
            return false;
        maps[i] = isw_value_map(map.items, map.count);
    }
    told[0] = isw_named("queue", isw_value_string(queue));
    told[1] = isw_named("messages", isw_value_array(maps, count));
    return maps && add_all(&local->trigger_metadata, told, 2, arena);
}

static bool make_message(const isw_function *function, isw_str id, iswi_local *local,
                         iswi_arena *arena)
{
    const bool is_file = strcmp(function->trigger.type, "file") == 0;
    const char *queue = is_file                   ? iswi_arena_printf(arena, "file.%s", function->name)
                        : function->trigger.route ? function->trigger.route
                                                  : function->name;
    const char *own = iswi_arena_strndup(arena, id.data, id.size);
    isw_named_value members[MEMBERS];

    if (!queue || !own)
        return false;
    if (local->trigger.type == ISW_VALUE_ARRAY)
        return make_batch(local, queue, id, arena);
    return add_all(&local->trigger_metadata, members,
                   describe(local, queue, isw_str_of(own), members), arena);
}

/* -- Events ------------------------------------------------------------------------------------ */

/* The attribute that a header names, in small letters; empty: none, or no memory. */
static isw_str attribute_of(isw_str header, iswi_arena *arena)
{
    const size_t prefix = sizeof attribute - 1;
    char *name;

    if (header.size <= prefix ||
        !iswi_field_equal((isw_str){ header.data, prefix }, attribute))
        return (isw_str){ "", 0 };
    name = iswi_arena_strndup(arena, header.data + prefix, header.size - prefix);
    return name ? isw_str_of(iswi_lower_case(name)) : (isw_str){ "", 0 };
}

/* As a host reads it: percent-encoded, where that is what it is. */
static isw_value decoded(isw_str text, iswi_arena *arena)
{
    char *plain = iswi_percent_valid(text) ? iswi_arena_alloc(arena, text.size + 1) : NULL;
    size_t size = plain ? iswi_percent_decode(text, false, plain) : 0;

    return plain && iswi_utf8_valid(plain, size) ? isw_value_text((isw_str){ plain, size })
                                                 : isw_value_text(text);
}

static bool make_event(iswi_local *local, iswi_arena *arena)
{
    const isw_pairs headers = local->trigger.type == ISW_VALUE_HTTP
                                  ? local->trigger.as.http->headers
                                  : (isw_pairs){ NULL, 0 };
    isw_named_value *members = iswi_arena_calloc(arena, headers.count + 1, sizeof *members);
    const isw_str data_type = isw_str_of("datacontenttype");
    isw_named_value event;
    size_t count = 0;

    for (size_t i = 0; members && i < headers.count; i++) {
        const isw_pair *header = &headers.items[i];
        isw_str name = attribute_of(header->name, arena);

        if (iswi_field_equal(header->name, "content-type"))
            members[count++] = (isw_named_value){ data_type, isw_value_text(header->value) };
        else if (name.size && !isw_str_equal(name, data_type))
            members[count++] = (isw_named_value){ name, decoded(header->value, arena) };
    }
    event = isw_named("cloudevent", isw_value_map(members, count));
    return members && (!count || add_all(&local->trigger_metadata, &event, 1, arena));
}

const char *iswi_local_event_lacks(const isw_function *function, const isw_http *http)
{
    static const char *const needed[] = { "ce-specversion", "ce-id", "ce-source", "ce-type" };
    const bool is_event = strcmp(function->trigger.type, "cloudevents") == 0;

    for (size_t i = 0; is_event && i < sizeof needed / sizeof needed[0]; i++) {
        bool found = false;

        for (size_t j = 0; j < http->headers.count && !found; j++)
            found = iswi_field_equal(http->headers.items[j].name, needed[i]) &&
                    http->headers.items[j].value.size;
        if (!found)
            return needed[i];
    }
    return NULL;
}

/* -- All --------------------------------------------------------------------------------------- */

bool iswi_local_make_up(const isw_function *function, isw_str id, iswi_local *local,
                        iswi_arena *arena)
{
    const char *type = function->trigger.type;

    if (strcmp(type, "timer") == 0)
        return make_timer(local, arena);
    if (strcmp(type, "queue") == 0 || strcmp(type, "file") == 0)
        return make_message(function, id, local, arena);
    return strcmp(type, "cloudevents") != 0 || make_event(local, arena);
}
