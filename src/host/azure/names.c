/* SPDX-License-Identifier: Apache-2.0 */
#include "host/azure/names.h"

#include <string.h>

enum { FUNCTION_NAME_MAX = 128 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void iswi_azure_binding_name(isw_str name, char out[ISWI_AZURE_NAME_BYTES])
{
    size_t size = 0;
    bool capital = false;

    for (size_t i = 0; i < name.size && size + 2 < ISWI_AZURE_NAME_BYTES; i++) {
        char c = name.data[i];

        if (!is_letter(c) && !is_digit(c)) {
            capital = size != 0;
            continue;
        }
        if (!size && is_digit(c))
            out[size++] = 'x';
        out[size++] = capital && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        capital = false;
    }
    if (!size)
        out[size++] = 'x';
    out[size] = '\0';
}

bool iswi_azure_is_function_name(const char *name)
{
    size_t size = 0;

    while (is_letter(name[size]) || is_digit(name[size]) || name[size] == '_' || name[size] == '-')
        size++;
    return !name[size] && size <= FUNCTION_NAME_MAX && is_letter(name[0]) &&
           !isw_str_equal_nocase(isw_str_of(name), isw_str_of("host"));
}
