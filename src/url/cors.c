/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a policy for scripts of other sites allows, and the headers that say so. */
#include <isoworker/sys/facts.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_host_part(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!text[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", text[i]))
            return false;
    return size > 0;
}

static bool matches(const char *pattern, const char *origin)
{
    const char *star = strchr(pattern, '*');
    size_t before = star ? (size_t)(star - pattern) : 0;
    size_t after = star ? strlen(star + 1) : 0;
    size_t size = strlen(origin);

    if (!star)
        return strcmp(pattern, origin) == 0;
    return size > before + after && strncmp(pattern, origin, before) == 0 &&
           strcmp(star + 1, origin + size - after) == 0 &&
           is_host_part(origin + before, size - before - after);
}

static bool takes_any(const isw_cors *policy)
{
    for (size_t i = 0; i < policy->origin_count; i++)
        if (strcmp(policy->origins[i], "*") == 0)
            return true;
    return false;
}

bool isw_cors_allows(const isw_cors *policy, const char *origin)
{
    if (origin && takes_any(policy))
        return true;
    for (size_t i = 0; origin && i < policy->origin_count; i++)
        if (matches(policy->origins[i], origin))
            return true;
    return false;
}

typedef struct list {
    isw_pair *items;
    size_t count;
} list;

static void add(list *out, const char *name, const char *value)
{
    if (value && *value)
        out->items[out->count++] = (isw_pair){ isw_str_of(name), isw_str_of(value) };
}

size_t isw_cors_headers(const isw_cors *policy, const char *origin, bool preflight,
                        char digits[24], isw_pair items[ISW_CORS_HEADERS_MAX])
{
    bool any = takes_any(policy);
    list out = { items, 0 };

    if (!any) /* caches must not give it to another origin */
        add(&out, "vary", "Origin");
    if (isw_cors_allows(policy, origin)) {
        add(&out, "access-control-allow-origin", any ? "*" : origin);
        if (policy->credentials)
            add(&out, "access-control-allow-credentials", "true");
        if (preflight) {
            snprintf(digits, 24, "%" PRId64, policy->max_age_s);
            add(&out, "access-control-allow-methods", policy->methods);
            add(&out, "access-control-allow-headers", policy->headers);
            add(&out, "access-control-max-age", digits);
        } else {
            add(&out, "access-control-expose-headers", policy->expose);
        }
    }
    return out.count;
}
