/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns, and whose certificate one is. */
#include "auth_grant.h"

/* After a mismatch only the last '*' needs another try, so this takes no more than the product of
 * both lengths. */
bool auth_pattern_matches(const char *pattern, isw_str text)
{
    const char *star = NULL;
    size_t retry = 0;
    size_t at = 0;

    while (at < text.size) {
        if (*pattern == '*') {
            star = pattern++;
            retry = at;
        } else if (*pattern && (*pattern == '?' || *pattern == text.data[at])) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool auth_grant_opens(const auth_grant *grant, const char *function)
{
    for (size_t i = 0; i < grant->functions.count; i++)
        if (auth_pattern_matches(grant->functions.items[i], isw_str_of(function)))
            return true;
    return grant->functions.count == 0;
}

/* -- Certificates ------------------------------------------------------------------------------ */

static bool is_alternative(const char *name)
{
    static const char *const kinds[] = { "DNS:", "URI:", "email:", "IP:" };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

isw_status auth_certificates_check(const isw_option_list *list, isw_error *error)
{
    const auth_certificate_options *entries = list->items;

    for (size_t i = 0; i < list->count; i++)
        if (!is_alternative(entries[i].name) && !strchr(entries[i].name, '='))
            return isw_error_set(error, ISW_E_CONFIG,
                                 "certificates: \"%s\" is neither a subject, such as "
                                 "CN=orders,O=Example, nor an alternative name, such as "
                                 "DNS:orders.example", entries[i].name);
    return ISW_OK;
}

static bool has_name(const isw_client_certificate *certificate, const char *name)
{
    if (!is_alternative(name))
        return isw_str_equal(certificate->subject, isw_str_of(name));
    for (size_t i = 0; i < certificate->name_count; i++)
        if (auth_pattern_matches(name, certificate->names[i]))
            return true;
    return false;
}

const auth_certificate_options *auth_certificates_find(const isw_option_list *list,
                                                       const isw_client_certificate *certificate)
{
    const auth_certificate_options *entries = list->items;

    for (size_t i = 0; i < list->count; i++)
        if (has_name(certificate, entries[i].name))
            return &entries[i];
    return NULL;
}
