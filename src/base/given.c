/* SPDX-License-Identifier: Apache-2.0 */
#include "base/given.h"

#include <errno.h>
#include <stdio.h>

static isw_status read_stream(FILE *file, const char *name, iswi_buffer *out, isw_error *error)
{
    char block[65536];
    size_t got;

    while ((got = fread(block, 1, sizeof block, file)) > 0)
        iswi_buffer_append(out, block, got);
    if (ferror(file))
        return isw_error_set(error, ISW_E_IO, "%s cannot be read: %s", name, strerror(errno));
    return out->failed ? isw_error_set(error, ISW_E_NO_MEMORY, "no memory for %s", name) : ISW_OK;
}

isw_status iswi_given_data(const char *word, iswi_buffer *out, isw_error *error)
{
    isw_status status;
    FILE *file;

    if (strcmp(word, "-") == 0)
        return read_stream(stdin, "standard input", out, error);
    if (*word != '@')
        return iswi_buffer_append_text(out, word)
                   ? ISW_OK
                   : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the data");
    file = fopen(word + 1, "rbe");
    if (!file)
        return isw_error_set(error, ISW_E_IO, "%s cannot be read: %s", word + 1, strerror(errno));
    status = read_stream(file, word + 1, out, error);
    fclose(file);
    return status;
}

bool iswi_given_pair(const char *word, isw_pair *out)
{
    const char *equals = strchr(word, '=');

    if (equals)
        *out = (isw_pair){ { word, (size_t)(equals - word) }, isw_str_of(equals + 1) };
    return equals != NULL;
}
