/* SPDX-License-Identifier: Apache-2.0 */
/* A zone: the table of its file, and the rule behind that. */
#include "cron/zone.h"

#include "base/alloc.h"
#include "cron/tzif.h"
#include "cron/zone_names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "/usr/share/zoneinfo"
#define LOCALTIME "/etc/localtime"

enum { FILE_BYTES_MOST = 1 << 18 };

struct iswi_zone {
    iswi_tzif table;
    char name[ISWI_ZONE_NAME_MAX + 1];
};

/* -- Files ------------------------------------------------------------------------------------- */

static const char *folder_of_zones(void)
{
    const char *folder = getenv("TZDIR");

    return folder && *folder ? folder : FOLDER;
}

/* As text for a sentence; NULL: it was read. */
static const char *read_file(const char *path, iswi_tzif *table)
{
    unsigned char *bytes = iswi_calloc(1, FILE_BYTES_MOST);
    FILE *file = bytes ? fopen(path, "re") : NULL;
    const char *why = bytes ? strerror(errno) : "there is no memory for it";
    size_t size;

    if (file) {
        size = fread(bytes, 1, FILE_BYTES_MOST, file);
        why = ferror(file)              ? strerror(errno)
              : size == FILE_BYTES_MOST ? "it is too large"
                                        : iswi_tzif_read(bytes, size, table);
        fclose(file);
    }
    iswi_free(bytes);
    return why;
}

static bool is_there(const char *folder, const char *file)
{
    char path[PATH_MAX];
    FILE *opened;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    opened = fopen(path, "re");
    if (opened)
        fclose(opened);
    return opened != NULL;
}

static isw_status refuse_name(const char *name, isw_error *error)
{
    const char *folder = folder_of_zones();
    char near[ISWI_ZONE_NAME_MAX + 1];

    if (iswi_zone_name_near(folder, name, near))
        return isw_error_set(error, ISW_E_CONFIG, "there is no time zone \"%s\"; is \"%s\" meant?",
                             name, near);
    if (!is_there(folder, "zone.tab"))
        return isw_error_set(error, ISW_E_CONFIG,
                             "time zone \"%s\" cannot be read: %s has none; install the package "
                             "tzdata, or say UTC", name, folder);
    return isw_error_set(error, ISW_E_CONFIG,
                         "there is no time zone \"%s\"; write UTC, local, or a name of %s, such as "
                         "Europe/Berlin", name, folder);
}

static isw_status open_named(const char *name, iswi_zone *zone, isw_error *error)
{
    const char *folder = folder_of_zones();
    char path[PATH_MAX];
    const char *why;

    if (!iswi_zone_name_valid(name) || !is_there(folder, name))
        return refuse_name(name, error);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    why = read_file(path, &zone->table);
    return why ? isw_error_set(error, ISW_E_CONFIG, "time zone \"%s\" cannot be read from %s: %s",
                               name, path, why)
               : ISW_OK;
}

static isw_status open_utc(iswi_zone *zone)
{
    zone->table.has_footer = iswi_footer_read(isw_str_of("UTC0"), &zone->table.footer);
    return ISW_OK;
}

static isw_status open_local(iswi_zone *zone, isw_error *error)
{
    const char *named = getenv("TZ");
    const char *why;

    if (named && *named == ':')
        named++;
    if (named && *named)
        return open_named(named, zone, error);
    if (named || !is_there("/etc", "localtime"))
        return open_utc(zone);
    why = read_file(LOCALTIME, &zone->table);
    return why ? isw_error_set(error, ISW_E_CONFIG, "the local time zone cannot be read from "
                               LOCALTIME ": %s", why)
               : ISW_OK;
}

/* -- Life -------------------------------------------------------------------------------------- */

isw_status iswi_zone_open(const char *name, iswi_zone **out, isw_error *error)
{
    iswi_zone *zone = iswi_calloc(1, sizeof *zone);
    isw_status status;

    if (!zone)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a time zone");
    if (strcmp(name, "UTC") == 0)
        status = open_utc(zone);
    else if (strcmp(name, "local") == 0)
        status = open_local(zone, error);
    else
        status = open_named(name, zone, error);
    if (status != ISW_OK) {
        iswi_zone_close(zone);
        return status;
    }
    snprintf(zone->name, sizeof zone->name, "%s", name);
    *out = zone;
    return ISW_OK;
}

void iswi_zone_close(iswi_zone *zone)
{
    if (zone)
        iswi_tzif_fini(&zone->table);
    iswi_free(zone);
}

const char *iswi_zone_name(const iswi_zone *zone)
{
    return zone->name;
}

/* -- Spans ------------------------------------------------------------------------------------- */

/* How many changes are not behind an instant. */
static size_t changes_until(const iswi_tzif *table, int64_t instant_s)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->at_s[middle] <= instant_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int offset_before(const iswi_tzif *table, size_t index)
{
    if (index < table->count || table->count || !table->has_footer)
        return table->offsets_s[index ? index - 1 : 0];
    return table->footer.offset_s[0];
}

void iswi_zone_span_of(const iswi_zone *zone, int64_t instant_s, iswi_zone_span *out)
{
    const iswi_tzif *table = &zone->table;
    size_t index = changes_until(table, instant_s);
    bool by_rule = index == table->count && table->has_footer;

    if (by_rule)
        iswi_footer_span(&table->footer, instant_s, out);
    else
        *out = (iswi_zone_span){ .from_s = INT64_MIN,
                                 .until_s = index < table->count ? table->at_s[index] : INT64_MAX,
                                 .offset_s = table->offsets_s[index],
                                 .before_s = table->offsets_s[index] };
    if (index && out->from_s <= table->at_s[index - 1]) {
        out->from_s = table->at_s[index - 1];
        out->before_s = offset_before(table, index);
    }
}
