/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of experiments, for people and as JSON. Invariant: a value that there is not is "-" or
 * null, never 0. */
#include "bench/table.h"

#include <math.h>
#include <string.h>

double iswi_bench_number(const iswi_bench_line *line)
{
    return line->point->number;
}

double iswi_bench_payload(const iswi_bench_line *line)
{
    return line->row->payload;
}

double iswi_bench_in_flight(const iswi_bench_line *line)
{
    return line->row->in_flight;
}

double iswi_bench_p50(const iswi_bench_line *line)
{
    return line->row->p50_us;
}

double iswi_bench_p99(const iswi_bench_line *line)
{
    return line->row->p99_us;
}

double iswi_bench_per_s(const iswi_bench_line *line)
{
    return line->row->per_s;
}

double iswi_bench_cpu(const iswi_bench_line *line)
{
    return line->row->cpu_us;
}

static double ratio(double value, double to)
{
    return to > 0 ? value / to : NAN;
}

double iswi_bench_ratio_p50(const iswi_bench_line *line)
{
    return line->first ? ratio(line->row->p50_us, line->first->p50_us) : NAN;
}

double iswi_bench_ratio_per_s(const iswi_bench_line *line)
{
    return line->first ? ratio(line->row->per_s, line->first->per_s) : NAN;
}

const iswi_bench_row *iswi_bench_row_of(const iswi_bench_report *report,
                                        const iswi_bench_point *point, iswi_bench_mode mode)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->rows[i].mode == mode && strcmp(report->rows[i].name, point->setup) == 0)
            return &report->rows[i];
    return NULL;
}

/* -- Showing ----------------------------------------------------------------------------------- */

static void show_head(const iswi_bench_experiment *experiment, FILE *out)
{
    fprintf(out, "\n%s: %s\n  %-18s", experiment->name, experiment->title, "CASE");
    for (const iswi_bench_column *column = experiment->columns; column->key; column++)
        fprintf(out, " %12s", column->head);
    fputc('\n', out);
}

static void show_line(const iswi_bench_line *line, FILE *out)
{
    fprintf(out, "  %-18s", line->point->label);
    for (const iswi_bench_column *column = line->experiment->columns; column->key; column++) {
        double value = column->value(line);

        if (isnan(value))
            fprintf(out, " %12s", "-");
        else
            fprintf(out, " %12.*f", column->digits, value);
    }
    fputc('\n', out);
}

/* More digits than for people: who reads JSON computes. */
static void show_object(const iswi_bench_line *line, FILE *out)
{
    fprintf(out, "{\"case\":\"%s\",\"mode\":\"%s\"", line->point->label, line->experiment->name);
    for (const iswi_bench_column *column = line->experiment->columns; column->key; column++) {
        double value = column->value(line);

        if (isnan(value))
            fprintf(out, ",\"%s\":null", column->key);
        else
            fprintf(out, ",\"%s\":%.*f", column->key, column->digits ? column->digits + 2 : 0,
                    value);
    }
    fputs("}\n", out);
}

void iswi_bench_show_table(const iswi_bench_experiment *experiment,
                           const iswi_bench_report *report, bool json, FILE *out)
{
    iswi_bench_line line = { .experiment = experiment, .report = report };

    if (!json && report->count)
        show_head(experiment, out);
    for (unsigned mode = 0; mode < ISWI_BENCH_MODES; mode++)
        for (unsigned i = 0; i < experiment->point_count; i++) {
            line.point = &experiment->points[i];
            line.row = iswi_bench_row_of(report, line.point, mode);
            line.first = iswi_bench_row_of(report, &experiment->points[0], mode);
            if (line.row && json)
                show_object(&line, out);
            else if (line.row)
                show_line(&line, out);
        }
}
