/* SPDX-License-Identifier: Apache-2.0 */
#include "cron/zone_names.h"

#include "base/text.h"

#include <limits.h>
#include <stdio.h>

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
}

bool iswi_zone_name_valid(const char *name)
{
    size_t size = strlen(name);

    if (!size || size > ISWI_ZONE_NAME_MAX || *name == '/' || name[size - 1] == '/')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_name_char(name[i]))
            return false;
    return true;
}

/* The third column of a line "CODES<tab>COORDINATES<tab>NAME[<tab>COMMENTS]". */
static bool name_in(const char *line, char out[ISWI_ZONE_NAME_MAX + 1])
{
    return *line != '#' && sscanf(line, "%*s\t%*s\t%63s", out) == 1;
}

bool iswi_zone_name_near(const char *folder, const char *name, char out[ISWI_ZONE_NAME_MAX + 1])
{
    size_t least = 1 + strlen(name) / 4;
    char path[PATH_MAX], line[512], other[ISWI_ZONE_NAME_MAX + 1];
    bool found = false;
    FILE *list;

    snprintf(path, sizeof path, "%s/zone.tab", folder);
    list = fopen(path, "re");
    while (list && fgets(line, sizeof line, list)) {
        size_t distance = name_in(line, other) ? iswi_edit_distance(name, other) : SIZE_MAX;

        if (distance <= least) {
            strcpy(out, other);
            least = distance ? distance - 1 : 0;
            found = true;
        }
    }
    if (list)
        fclose(list);
    return found;
}
