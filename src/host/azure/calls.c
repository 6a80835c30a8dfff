/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations of the Azure Functions host, by the id that they have here: theirs without its
 * dashes, so that who reads both logs finds them. */
#include "host/azure/internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

enum { KEY_DIGITS = ISWI_AZURE_KEY_BYTES - 1, HALF = 8 };

#define MOMENT_NS INT64_C(60000000000)

void iswi_azure_calls_init(iswi_azure_calls *calls)
{
    pthread_mutex_init(&calls->lock, NULL);
    calls->early_end = &calls->early;
}

void iswi_azure_calls_fini(iswi_azure_calls *calls)
{
    for (size_t i = 0; i < ISWI_AZURE_LINES; i++)
        while (calls->lines[i]) {
            iswi_azure_call *call = calls->lines[i];

            calls->lines[i] = call->next;
            iswi_azure_call_free(call);
        }
    while (calls->given_up) {
        iswi_azure_call *call = calls->given_up;

        calls->given_up = call->next;
        iswi_azure_call_free(call);
    }
    pthread_mutex_destroy(&calls->lock);
}

/* FNV-1a, for ids that are no 32 digits. */
static uint64_t hash(isw_str id, uint64_t value)
{
    for (size_t i = 0; i < id.size; i++)
        value = (value ^ (unsigned char)id.data[i]) * UINT64_C(1099511628211);
    return value;
}

static void name_other(isw_str id, char key[ISWI_AZURE_KEY_BYTES])
{
    const uint64_t halves[] = { hash(id, UINT64_C(14695981039346656037)),
                                hash(id, UINT64_C(1099511628211)) };
    unsigned char bytes[2 * HALF];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(halves[i / HALF] >> (8 * (i % HALF)));
    iswi_hex(bytes, sizeof bytes, key);
}

void iswi_azure_key(isw_str id, char key[ISWI_AZURE_KEY_BYTES])
{
    size_t digits = 0;

    for (size_t i = 0; i < id.size && digits <= KEY_DIGITS; i++) {
        if (id.data[i] == '-')
            continue;
        if (iswi_hex_digit(id.data[i]) < 0)
            digits = KEY_DIGITS;
        else if (digits < KEY_DIGITS)
            key[digits] = id.data[i];
        digits++;
    }
    key[KEY_DIGITS] = '\0';
    if (digits != KEY_DIGITS)
        name_other(id, key);
    else
        iswi_lower_case(key);
}

iswi_azure_call *iswi_azure_call_create(iswi_azure *azure, isw_str id)
{
    iswi_azure_call *call = iswi_calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->azure = azure;
    iswi_arena_init(&call->arena, 4096);
    iswi_arena_init(&call->read, 4096);
    iswi_azure_key(id, call->key);
    call->id = iswi_arena_strndup(&call->arena, id.data, id.size);
    if (call->id)
        return call;
    iswi_azure_call_free(call);
    return NULL;
}

void iswi_azure_call_free(iswi_azure_call *call)
{
    if (call->outputs)
        call->outputs->drop(call->outputs);
    iswi_arena_fini(&call->read);
    iswi_arena_fini(&call->arena);
    iswi_buffer_fini(&call->bytes);
    iswi_buffer_fini(&call->body);
    iswi_free(call);
}

/* -- With the lock ----------------------------------------------------------------------------- */

static iswi_azure_call **line_of(iswi_azure_calls *calls, const char *key)
{
    return &calls->lines[hash(isw_str_of(key), 0) % ISWI_AZURE_LINES];
}

iswi_azure_call *iswi_azure_find(iswi_azure_calls *calls, const char *key)
{
    iswi_azure_call *call = *line_of(calls, key);

    while (call && strcmp(call->key, key) != 0)
        call = call->next;
    return call;
}

/* The oldest of those whose invocation has not come, and perhaps never will. */
static void forget_early(iswi_azure_calls *calls)
{
    iswi_azure_call *oldest = calls->early;

    iswi_azure_find_remove(calls, oldest);
    iswi_azure_call_free(oldest);
}

void iswi_azure_find_add(iswi_azure_calls *calls, iswi_azure_call *call)
{
    iswi_azure_call **line = line_of(calls, call->key);

    call->next = *line;
    *line = call;
    call->since_ns = iswi_now_ns();
    if (call->way != ISWI_AZURE_EARLY) {
        atomic_fetch_add(&calls->count, 1);
        return;
    }
    call->later = NULL;
    *calls->early_end = call;
    calls->early_end = &call->later;
    if (++calls->early_count > ISWI_AZURE_EARLY_MAX)
        forget_early(calls);
}

static void remove_early(iswi_azure_calls *calls, iswi_azure_call *call)
{
    iswi_azure_call **at = &calls->early;

    while (*at != call)
        at = &(*at)->later;
    *at = call->later;
    if (!*at)
        calls->early_end = at;
    calls->early_count--;
}

void iswi_azure_find_remove(iswi_azure_calls *calls, iswi_azure_call *call)
{
    iswi_azure_call **at = line_of(calls, call->key);

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    if (call->way == ISWI_AZURE_EARLY)
        remove_early(calls, call);
    else if (call->way == ISWI_AZURE_ABANDONED)
        atomic_fetch_sub(&calls->abandoned, 1);
    else
        atomic_fetch_sub(&calls->count, 1);
}

void iswi_azure_find_abandon(iswi_azure_calls *calls, iswi_azure_call *call)
{
    call->way = ISWI_AZURE_ABANDONED;
    atomic_fetch_sub(&calls->count, 1);
    atomic_fetch_add(&calls->abandoned, 1);
}

void iswi_azure_find_bury(iswi_azure_calls *calls, iswi_azure_call *call)
{
    const int64_t now_ns = iswi_now_ns();
    iswi_azure_call **at = &calls->given_up;

    call->abandoned_ns = now_ns;
    call->next = calls->given_up;
    calls->given_up = call;
    while (*at && now_ns - (*at)->abandoned_ns < MOMENT_NS)
        at = &(*at)->next;
    while (*at) {
        iswi_azure_call *old = *at;

        *at = old->next;
        iswi_azure_call_free(old);
    }
}
