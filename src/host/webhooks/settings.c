/* SPDX-License-Identifier: Apache-2.0 */
/* `webhooks` of host.yaml, and what follows from it for one output. */
#include "base/text.h"
#include "config/message.h"
#include "host/webhooks/internal.h"
#include "host/webhooks/request.h"
#include "url/authority.h"

#include <stddef.h>

const char *const iswi_webhook_methods[] = { "POST", "PUT", "PATCH", NULL };

#define MAYBE(member, kind, yaml, text)                                                       \
    { .name = (yaml), .type = ISW_OPTION_##kind, .optional = true,                            \
      .offset = offsetof(iswi_named_webhook, member), .help = (text) }

static const isw_option named_rows[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_named_webhook, name),
      .help = "FUNCTION.OUTPUT, a pattern (* and ?)" },
    MAYBE(url, STRING, "url", "instead of the function's own; may have ${VARIABLE}s"),
    MAYBE(secret, SECRET, "secret",
          "what requests are signed with, as Standard Webhooks has it (whsec_...); left out: they "
          "are not"),
    MAYBE(old_secret, SECRET, "old_secret",
          "the one before, while receivers change: requests bear both signatures"),
    MAYBE(headers, PROPERTIES, "headers", "more of them, such as authorization"),
    ISWI_WEBHOOK_BOUNDS(iswi_named_webhook, bounds, "0", "0", "0", "0", "0", 0),
    { 0 },
};

static const isw_option rows[] = {
    ISWI_WEBHOOK_BOUNDS(iswi_webhooks_settings, bounds, "15s", "20", "8", "5s", "2h", 1),
    { .name = "ca_file", .type = ISW_OPTION_PATH, .optional = true,
      .offset = offsetof(iswi_webhooks_settings, ca_file),
      .help = "certificates of those who vouch for receivers; left out: the system's" },
    { .name = "named", .type = ISW_OPTION_GROUP_LIST, .optional = true, .group = named_rows,
      .group_size = sizeof(iswi_named_webhook), .offset = offsetof(iswi_webhooks_settings, named),
      .help = "instead, for outputs of a name; 0: as the function or all say; the last match counts" },
    { 0 },
};

/* -- Parts ------------------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Where the authority of a URL begins and ends, with who logs in before '@'; false: it has none. */
static bool find_authority(const char *url, isw_str *out)
{
    size_t scheme = begins_with(url, "http://") ? 7 : begins_with(url, "https://") ? 8 : 0;

    *out = (isw_str){ url + scheme, strcspn(url + scheme, "/?#") };
    return scheme && out->size;
}

static isw_str without_login(isw_str authority)
{
    const char *at = NULL;

    for (size_t i = 0; i < authority.size; i++)
        if (authority.data[i] == '@')
            at = authority.data + i;
    return at ? (isw_str){ at + 1, (size_t)(authority.data + authority.size - at - 1) } : authority;
}

static isw_status check_url(const char *url, isw_error *error)
{
    isw_str authority;

    if (!find_authority(url, &authority) || !iswi_authority_valid(without_login(authority)))
        return isw_error_set(error, ISW_E_CONFIG,
                             "url is to be http:// or https:// with a host, and perhaps a port and "
                             "a path");
    for (const char *at = url; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return isw_error_set(error, ISW_E_CONFIG, "url has a space or a control character; "
                                                      "write those as %%20 and the like");
    return ISW_OK;
}

static isw_status read_key(const char *text, const char *option, iswi_target *target,
                           isw_error *error)
{
    isw_error own = { ISW_OK, "" };

    if (!text)
        return ISW_OK;
    if (iswi_signing_key_read(text, &target->keys[target->key_count], &own) != ISW_OK)
        return isw_error_set(error, own.status, "%s %s", option, own.message);
    target->key_count++;
    return ISW_OK;
}

static isw_status read_keys(const iswi_named_webhook *named, iswi_target *target, isw_error *error)
{
    if (read_key(named->secret, "secret", target, error) != ISW_OK)
        return error->status;
    return read_key(named->old_secret, "old_secret", target, error);
}

static isw_pair header_at(const isw_option_strings *texts, size_t index)
{
    return (isw_pair){ isw_str_of(texts->items[index]), isw_str_of(texts->items[index + 1]) };
}

static isw_status check_headers(const isw_option_strings *texts, isw_error *error)
{
    isw_error own = { ISW_OK, "" };

    for (size_t i = 0; i + 1 < texts->count; i += 2) {
        const isw_pair header = header_at(texts, i);

        if (iswi_request_check_header(&header, &own) != ISW_OK)
            return isw_error_set(error, ISW_E_CONFIG, "headers: %s", own.message);
    }
    if (texts->count / 2 > ISWI_REQUEST_HEADERS_MAX)
        return isw_error_set(error, ISW_E_CONFIG, "headers: there are more than %d",
                             ISWI_REQUEST_HEADERS_MAX);
    return ISW_OK;
}

/* -- Checking ---------------------------------------------------------------------------------- */

static isw_status check_named(iswi_config *config, const iswi_named_webhook *named,
                              const iswi_node *node, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    iswi_target target = { .key_count = 0 };
    const char *option = "url";

    if (!named->url || check_url(named->url, &own) == ISW_OK) {
        option = "headers";
        check_headers(&named->headers, &own);
    }
    if (own.status == ISW_OK && read_keys(named, &target, &own) != ISW_OK)
        option = target.key_count ? "old_secret" : "secret";
    if (own.status == ISW_OK)
        return ISW_OK;
    node = iswi_node_find(node, option) ? iswi_node_find(node, option) : node;
    return iswi_config_refuse(config, node, error, "%s", own.message);
}

static isw_status check(iswi_config *config, const iswi_host_settings *all, const void *settings,
                        isw_error *error)
{
    const isw_option_list *named = &((const iswi_webhooks_settings *)settings)->named;
    const iswi_named_webhook *items = named->items;
    const iswi_node *list =
        iswi_node_find(iswi_node_find(iswi_config_root(config), "webhooks"), "named");
    isw_status status = ISW_OK;
    bool on = true;

    (void)all;
    for (size_t i = 0; on && i < named->count; i++)
        on = iswi_faults_go_on(iswi_config_faults(config),
                               check_named(config, &items[i], &list->children[i], error), &status);
    return status;
}

static const iswi_settings_names names[] = { { ISWI_NAMES_OUTPUTS, "named", "name" }, { 0 } };

const iswi_settings_group iswi_webhooks_group = {
    .name = "webhooks",
    .summary = "requests that functions have the host send (outputs of the types http and "
               "cloudevents)",
    .options = rows,
    .size = sizeof(iswi_webhooks_settings),
    .check = check,
    .names = names,
};

/* -- Of one output ----------------------------------------------------------------------------- */

static int64_t first_said(int64_t a, int64_t b, int64_t c)
{
    return a ? a : b ? b : c;
}

static void set_bounds(const iswi_webhook_bounds *named, const iswi_webhook_bounds *own,
                       const iswi_webhook_bounds *all, iswi_webhook_bounds *out)
{
#define SET(member) out->member = first_said(named->member, own->member, all->member)
    SET(timeout_ms);
    SET(max_attempts);
    SET(concurrency);
    SET(retry_delay_ms);
    SET(retry_delay_max_ms);
#undef SET
}

static const iswi_named_webhook *find_named(const iswi_webhooks_settings *settings,
                                            const char *name)
{
    static const iswi_named_webhook none;
    const iswi_named_webhook *items = settings->named.items;
    const iswi_named_webhook *found = &none;

    for (size_t i = 0; i < settings->named.count; i++)
        if (iswi_glob_match(items[i].name, name))
            found = &items[i];
    return found;
}

/* That nobody has given it a URL; a pattern that may have been meant for it is named. */
static isw_status refuse_without_url(const iswi_webhooks_settings *settings, const char *name,
                                     iswi_arena *arena, isw_error *error)
{
    const iswi_named_webhook *items = settings->named.items;
    const char **patterns = iswi_arena_calloc(arena, settings->named.count + 1, sizeof *patterns);
    const char *nearest;

    if (!patterns)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    for (size_t i = 0, count = 0; i < settings->named.count; i++)
        if (items[i].url && !iswi_glob_match(items[i].name, name))
            patterns[count++] = items[i].name;
    nearest = iswi_config_nearest(name, patterns);
    return isw_error_set(error, ISW_E_CONFIG,
                         "nobody says where to; give it the property url, or host.yaml "
                         "`webhooks: {named: [{name: %s, url: ...}]}`%s%s%s", name,
                         nearest ? ", whose \"" : "", nearest ? nearest : "",
                         nearest ? "\" does not match it" : "");
}

static bool copy_headers(const isw_option_strings *texts, iswi_arena *arena, isw_pairs *out)
{
    isw_pair *pairs = iswi_arena_calloc(arena, texts->count / 2 + 1, sizeof *pairs);

    for (size_t i = 0; pairs && i < texts->count / 2; i++)
        pairs[i] = header_at(texts, 2 * i);
    *out = (isw_pairs){ pairs, texts->count / 2 };
    return pairs != NULL;
}

isw_status iswi_target_make(const iswi_webhooks_settings *settings, const char *name,
                            const iswi_webhook_properties *properties, iswi_arena *arena,
                            iswi_target *out, isw_error *error)
{
    const iswi_named_webhook *named = find_named(settings, name);
    iswi_target target = { .url = named->url ? named->url : properties->url,
                           .method = iswi_webhook_methods[properties->method],
                           .ca_file = settings->ca_file };
    isw_str host;

    if (!target.url)
        return refuse_without_url(settings, name, arena, error);
    if (check_url(target.url, error) != ISW_OK || read_keys(named, &target, error) != ISW_OK)
        return error->status;
    find_authority(target.url, &host);
    host = without_login(host);
    target.shown = iswi_arena_printf(arena, "%.*s", (int)host.size, host.data);
    set_bounds(&named->bounds, &properties->bounds, &settings->bounds, &target.bounds);
    if (!target.shown || !copy_headers(&named->headers, arena, &target.headers))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    *out = target;
    return ISW_OK;
}
