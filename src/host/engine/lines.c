/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of calls. Invariant: a line is listed while somebody is in it, and while its first one is
 * lifted out for a try. */
#include "host/engine/lines.h"

#include "host/engine/engine.h"

/* -- Turns ------------------------------------------------------------------------------------- */

static void list(iswi_lines *lines, iswi_line *line)
{
    line->listed = true;
    line->next = NULL;
    if (lines->last)
        lines->last->next = line;
    else
        lines->first = line;
    lines->last = line;
}

static void unlist(iswi_lines *lines, iswi_line *line)
{
    iswi_line *before = NULL;

    for (iswi_line *at = lines->first; at != line; at = at->next)
        before = at;
    if (before)
        before->next = line->next;
    else
        lines->first = line->next;
    if (lines->last == line)
        lines->last = before;
    line->listed = false;
}

void iswi_lines_settle(iswi_lines *lines, iswi_line *line)
{
    unlist(lines, line);
    if (line->first)
        list(lines, line);
}

/* -- Calls ------------------------------------------------------------------------------------- */

static iswi_call **bucket_of(iswi_lines *lines, uint64_t id)
{
    return &lines->by_id[id % ISWI_LINES_BUCKETS];
}

void iswi_lines_add(iswi_lines *lines, iswi_call *call, bool front)
{
    iswi_line *line = &call->function->line;
    iswi_queued *wait = &call->wait;
    iswi_call **bucket = bucket_of(lines, wait->id);

    if (!line->listed)
        list(lines, line);
    wait->before = front ? NULL : line->last;
    wait->behind = front ? line->first : NULL;
    *(wait->before ? &wait->before->wait.behind : &line->first) = call;
    *(wait->behind ? &wait->behind->wait.before : &line->last) = call;
    line->count++;
    wait->same = *bucket;
    *bucket = call;
}

void iswi_lines_lift(iswi_lines *lines, iswi_call *call)
{
    iswi_line *line = &call->function->line;
    iswi_queued *wait = &call->wait;
    iswi_call **at = bucket_of(lines, wait->id);

    *(wait->before ? &wait->before->wait.behind : &line->first) = wait->behind;
    *(wait->behind ? &wait->behind->wait.before : &line->last) = wait->before;
    line->count--;
    while (*at != call)
        at = &(*at)->wait.same;
    *at = wait->same;
}

void iswi_lines_remove(iswi_lines *lines, iswi_call *call)
{
    iswi_lines_lift(lines, call);
    if (!call->function->line.first)
        unlist(lines, &call->function->line);
}

/* Those of one line, before `due`. */
static iswi_call *take_due_of(iswi_lines *lines, iswi_line *line, int64_t now_ns, iswi_call *due,
                              int64_t *next_ns)
{
    iswi_call *behind;

    for (iswi_call *call = line->first; call; call = behind) {
        behind = call->wait.behind;
        if (call->wait.until_ns > now_ns) {
            *next_ns = call->wait.until_ns < *next_ns ? call->wait.until_ns : *next_ns;
            continue;
        }
        iswi_lines_remove(lines, call);
        call->wait.behind = due;
        due = call;
    }
    return due;
}

iswi_call *iswi_lines_take_due(iswi_lines *lines, int64_t now_ns, int64_t *next_ns)
{
    iswi_call *due = NULL;
    iswi_line *next;

    *next_ns = INT64_MAX;
    for (iswi_line *line = lines->first; line; line = next) {
        next = line->next;
        due = take_due_of(lines, line, now_ns, due, next_ns);
    }
    return due;
}

iswi_line *iswi_lines_longest(const iswi_lines *lines)
{
    iswi_line *longest = lines->first;

    for (iswi_line *line = lines->first; line; line = line->next)
        if (line->count > longest->count)
            longest = line;
    return longest;
}

iswi_call *iswi_lines_find(const iswi_lines *lines, uint64_t id)
{
    iswi_call *call = lines->by_id[id % ISWI_LINES_BUCKETS];

    while (call && call->wait.id != id)
        call = call->wait.same;
    return call;
}

iswi_call *iswi_lines_find_named(const iswi_lines *lines, const char *invocation_id)
{
    for (const iswi_line *line = lines->first; line; line = line->next)
        for (iswi_call *call = line->first; call; call = call->wait.behind)
            if (strcmp(call->invocation_id, invocation_id) == 0)
                return call;
    return NULL;
}

int64_t iswi_lines_oldest_ns(const iswi_lines *lines)
{
    int64_t oldest_ns = 0;

    for (const iswi_line *line = lines->first; line; line = line->next)
        if (!oldest_ns || line->first->wait.since_ns < oldest_ns)
            oldest_ns = line->first->wait.since_ns;
    return oldest_ns;
}
