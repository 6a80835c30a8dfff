/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that come into a folder. Each *.csv that is put into `incoming` is counted and moved to `done`;
 * one that cannot be read as numbers is tried three times, and is dead then.
 *
 * RUN     isoworker run samples/inbox &  printf '1\n2\n39\n' > samples/inbox/incoming/sums.csv
 * OUTPUT  sums.csv: 3 numbers, 42 in all
 */
#include <isoworker/isoworker.h>

#include <stdio.h>

typedef struct file {
    const char *path, *name;
} file;

static const isw_field file_fields[] = {
    { ISW_FIELD(STRING, file, path), .required = true },
    { ISW_FIELD(STRING, file, name), .required = true },
    { 0 },
};

static isw_status add_up(isw_context *ctx)
{
    long number, sum = 0;
    int count = 0;
    bool whole;
    file came;
    FILE *in;

    if (isw_bind_payload(ctx, "file", file_fields, &came) != ISW_OK)
        return ISW_E_INVALID;
    in = fopen(came.path, "r");
    if (!in)
        return isw_fail(ctx, ISW_E_IO, "%s cannot be opened", came.path);
    for (; fscanf(in, "%ld", &number) == 1; count++)
        sum += number;
    whole = feof(in);
    fclose(in);
    if (!whole)
        return isw_fail(ctx, ISW_E_INVALID, "line %d is no number", count + 1);
    isw_log(ctx, ISW_LOG_INFO, "%s: %d numbers, %ld in all", came.name, count, sum);
    return ISW_OK;
}

static const isw_property incoming[] = {
    { "path", "incoming" }, { "pattern", "*.csv" }, { "done", "done" }, { "retry_delay", "100ms" }, { 0 },
};

static const isw_function functions[] = {
    { .name = "sums", .trigger = ISW_TRIGGER("file", incoming), .handler = add_up },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
