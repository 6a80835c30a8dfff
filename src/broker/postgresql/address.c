/* SPDX-License-Identifier: Apache-2.0 */
/* Places: "postgresql://..." as libpq has it, and in its query "schema=NAME", which is ours. */
#include "base/alloc.h"
#include "broker/postgresql/internal.h"

#include <stdio.h>

static const char SCHEMA[] = "schema=";

/* Where "schema=" is among the parameters; NULL: nowhere. */
static char *find_schema(char *text)
{
    char *at = strchr(text, '?');

    while (at && strncmp(at + 1, SCHEMA, sizeof SCHEMA - 1) != 0)
        at = strchr(at + 1, '&');
    return at;
}

static bool is_name(const char *name, size_t size)
{
    if (size == 0 || size >= ISWI_PG_SCHEMA_BYTES || (*name >= '0' && *name <= '9') ||
        (size >= 3 && memcmp(name, "pg_", 3) == 0))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
              name[i] == '_'))
            return false;
    return true;
}

/* Take it out of the text. */
static bool take_schema(char *text, char schema[ISWI_PG_SCHEMA_BYTES])
{
    char *at = find_schema(text);
    const char *name = at ? at + sizeof SCHEMA : "isoworker";
    const size_t size = strcspn(name, "&");
    const char *rest = name + size;

    if (!is_name(name, size))
        return false;
    memcpy(schema, name, size);
    schema[size] = '\0';
    if (at && *rest)
        memmove(at + 1, rest + 1, strlen(rest + 1) + 1);
    else if (at)
        *at = '\0';
    return true;
}

char *iswi_pg_address(const char *place, char schema[ISWI_PG_SCHEMA_BYTES], isw_error *error)
{
    char *text = iswi_strdup(place);

    if (!text)
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a place");
    else if (strncmp(place, "postgresql://", 13) != 0)
        isw_error_set(error, ISW_E_CONFIG,
                      "\"%s\" is no place in PostgreSQL: it is postgresql://USER@HOST/DATABASE",
                      place);
    else if (!take_schema(text, schema))
        isw_error_set(error, ISW_E_CONFIG,
                      "the schema of a place in PostgreSQL is named by small letters, digits and "
                      "'_', %d at most, not beginning with a digit or \"pg_\"",
                      ISWI_PG_SCHEMA_BYTES - 1);
    else
        return text;
    iswi_free(text);
    return NULL;
}

static bool is_port(const char *text, size_t size)
{
    long number = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || number > 65535)
            return false;
        number = number * 10 + (text[i] - '0');
    }
    return size == 0 || (number > 0 && number <= 65535); /* none: the usual one */
}

/* libpq takes any text for ports, one for each host, until it connects. */
static void check_ports(const PQconninfoOption *options, isw_error *error)
{
    const PQconninfoOption *port = options;

    while (port && port->keyword && strcmp(port->keyword, "port") != 0)
        port++;
    if (!port || !port->keyword || !port->val)
        return;
    for (const char *at = port->val;; at++) {
        const size_t size = strcspn(at, ",");

        if (!is_port(at, size)) {
            isw_error_set(error, ISW_E_CONFIG, "\"%.*s\" is no port of a place in PostgreSQL: that "
                          "is a number from 1 to 65535", (int)size, at);
            return;
        }
        at += size;
        if (!*at)
            return;
    }
}

isw_status iswi_pg_check(const char *place, isw_error *error)
{
    char schema[ISWI_PG_SCHEMA_BYTES];
    char *address = iswi_pg_address(place, schema, error);
    char *why = NULL;
    iswi_pq_calls pq;
    PQconninfoOption *options;

    if (!address)
        return error->status;
    if (iswi_pq_load(&pq, error) == ISW_OK) {
        options = pq.conninfoParse(address, &why);
        if (!options)
            isw_error_set(error, ISW_E_CONFIG, "libpq does not know this place: %s",
                          why ? why : "no memory");
        check_ports(options, error);
        pq.conninfoFree(options);
        pq.freemem(why);
    }
    iswi_free(address);
    return error->status;
}
