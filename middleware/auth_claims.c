/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: for us, from our issuer, in time. A claim of another type than RFC 7519 says is refused,
 * never converted: what cannot be read exactly gives no rights. */
#include "auth_claims.h"

#include <string.h>

/* A NumericDate (RFC 7519, section 2) in whole seconds. False for other types and for numbers that
 * a double does not hold exactly. */
static bool get_date(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value) || json_real_value(value) < -9e15 || json_real_value(value) > 9e15)
        return false;
    *out = (int64_t)json_real_value(value);
    return true;
}

static bool is_ours(const json_t *audience, const auth_jwt_options *options)
{
    const char *text = json_string_value(audience);

    for (size_t i = 0; text && i < options->audience.count; i++)
        if (strcmp(text, options->audience.items[i]) == 0)
            return true;
    return false;
}

/* RFC 7519, section 4.1.3: a string, or an array of them in which one is enough. */
static bool is_for_us(const json_t *audience, const auth_jwt_options *options)
{
    for (size_t i = 0; i < json_array_size(audience); i++)
        if (is_ours(json_array_get(audience, i), options))
            return true;
    return is_ours(audience, options);
}

/* Sections 4.1.4 to 4.1.6. The skew is taken from or added to the clock, never to the token's own
 * number, which may be the largest there is. */
static const char *refuse_dates(const json_t *claims, int64_t now_s, int64_t skew_s)
{
    const json_t *not_before = json_object_get(claims, "nbf");
    const json_t *issued = json_object_get(claims, "iat");
    int64_t date;

    if (!get_date(json_object_get(claims, "exp"), &date))
        return "the token has no exp that is a date";
    if (date <= now_s - skew_s)
        return "the token has expired";
    if (not_before && !get_date(not_before, &date))
        return "the token's nbf is no date";
    if (not_before && date > now_s + skew_s)
        return "the token is not valid yet";
    if (issued && !get_date(issued, &date))
        return "the token's iat is no date";
    if (issued && date > now_s + skew_s)
        return "the token was issued in the future";
    return NULL;
}

const char *auth_claims_refuse(const json_t *claims, const auth_jwt_options *options, int64_t now_s)
{
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    const json_t *subject = json_object_get(claims, "sub");

    if (!issuer || strcmp(issuer, options->issuer) != 0)
        return "the token is from another issuer";
    if (!json_object_get(claims, options->audience_claim))
        return "the token names no audience where jwt.audience_claim looks for it";
    if (!is_for_us(json_object_get(claims, options->audience_claim), options))
        return "the token is for another audience";
    if (subject && !json_is_string(subject))
        return "the token's sub is no text";
    return refuse_dates(claims, now_s, options->clock_skew_ms / 1000);
}

/* -- The principal ----------------------------------------------------------------------------- */

static bool copy_text(isw_context *ctx, const json_t *text, isw_str *out)
{
    const size_t size = json_string_length(text);
    const char *copy = isw_context_strndup(ctx, size ? json_string_value(text) : "", size);

    *out = (isw_str){ copy, size };
    return copy != NULL;
}

/* The claim that `path` names, or NULL: a member of that very name, or of a part of it up to a dot,
 * in which the rest is looked for. So names may have dots themselves, as URLs and clients do:
 * "https://example.com/roles", "resource_access.my.client.roles". The longest name wins. */
static const json_t *find_claim(const json_t *object, const char *path)
{
    size_t size = strlen(path);
    const json_t *found = json_object_getn(object, path, size);

    while (!found && size > 0) {
        size--;
        if (path[size] == '.')
            found = find_claim(json_object_getn(object, path, size), path + size + 1);
    }
    return found;
}

/* An array of texts; what else is in it is skipped. */
static bool copy_array(isw_context *ctx, const json_t *array, const isw_str **out, size_t *count)
{
    isw_str *items = isw_context_alloc(ctx, (json_array_size(array) + 1) * sizeof *items);
    size_t used = 0;

    for (size_t i = 0; items && i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);

        if (json_is_string(item) && !copy_text(ctx, item, &items[used++]))
            return false;
    }
    *out = items;
    *count = used;
    return items != NULL;
}

/* RFC 8693, section 4.2: a `scope` is one string of words with single spaces between. */
static bool copy_words(isw_context *ctx, const json_t *text, const isw_str **out, size_t *count)
{
    const size_t most = json_string_length(text) / 2 + 1;
    isw_str *items = isw_context_alloc(ctx, most * sizeof *items);
    size_t used = 0;
    isw_str all;

    if (!items || !copy_text(ctx, text, &all))
        return false;
    for (const char *word = all.data; *word; word += strspn(word, " ")) {
        const size_t size = strcspn(word, " ");

        if (size)
            items[used++] = (isw_str){ word, size };
        word += size;
    }
    *out = items;
    *count = used;
    return true;
}

/* A role given as one string is one role even if it has spaces in it: to cut "not admin" into
 * words would give rights. */
static bool copy_roles(isw_context *ctx, const json_t *roles, isw_principal *principal)
{
    isw_str *one;

    if (!json_is_string(roles))
        return copy_array(ctx, roles, &principal->roles, &principal->role_count);
    one = isw_context_alloc(ctx, sizeof *one);
    if (!one || !copy_text(ctx, roles, one))
        return false;
    principal->roles = one;
    principal->role_count = 1;
    return true;
}

bool auth_claims_principal(isw_context *ctx, const json_t *claims, const auth_jwt_options *options,
                           isw_principal *principal)
{
    const json_t *roles = find_claim(claims, options->roles_claim);
    const json_t *scopes = find_claim(claims, options->scopes_claim);

    memset(principal, 0, sizeof *principal);
    principal->scheme = isw_str_of("jwt");
    principal->issuer = isw_str_of(options->issuer);
    if (!copy_text(ctx, json_object_get(claims, "sub"), &principal->subject))
        return false;
    if (!copy_roles(ctx, roles, principal))
        return false;
    return json_is_string(scopes)
               ? copy_words(ctx, scopes, &principal->scopes, &principal->scope_count)
               : copy_array(ctx, scopes, &principal->scopes, &principal->scope_count);
}
