/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <math.h>
#include <string.h>

/* Not isalpha, which asks the locale. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Letters, digits and underscores, not beginning with a digit; colons where they are allowed. */
static bool is_name(isw_str name, bool colons)
{
    for (size_t i = 0; i < name.size; i++)
        if (!is_letter(name.data[i]) && !(colons && name.data[i] == ':') &&
            !(i && name.data[i] >= '0' && name.data[i] <= '9'))
            return false;
    return name.size != 0 && name.size <= ISWI_METRIC_NAME_MAX;
}

static bool begins_with(isw_str text, const char *start)
{
    return text.size >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

/* Of those that are kept, `le` and `worker` are the host's, the ones in __ Prometheus's own. */
static bool is_kept(isw_str label)
{
    return isw_str_equal(label, isw_str_of("le")) || isw_str_equal(label, isw_str_of("worker")) ||
           begins_with(label, "__");
}

const char *iswi_metric_fault(isw_str name, const isw_str *labels, size_t label_count)
{
    if (!is_name(name, true))
        return "no name for a metric; that is [a-zA-Z_:][a-zA-Z0-9_:]*, at most 127";
    for (size_t i = 0; i < label_count; i++) {
        if (!is_name(labels[i], false))
            return "no names for labels; those are [a-zA-Z_][a-zA-Z0-9_]*, at most 127";
        if (is_kept(labels[i]))
            return "no names for labels; le, worker and what begins with __ are kept";
        for (size_t j = 0; j < i; j++)
            if (isw_str_equal(labels[i], labels[j]))
                return "no names for labels; one of them is there twice";
    }
    return NULL;
}

const char *iswi_metric_bounds_fault(const double *bounds, size_t count, size_t most)
{
    if (count == 0 || count > most)
        return "no bounds for a histogram; it has 1 to 64";
    for (size_t i = 0; i < count; i++)
        if (!isfinite(bounds[i]) || (i && bounds[i] <= bounds[i - 1]))
            return "no bounds for a histogram; they are finite and ascend";
    return NULL;
}

bool iswi_metric_is_hosts(isw_str name)
{
    return isw_str_equal(name, isw_str_of("isoworker_build_info")) ||
           begins_with(name, "isoworker_host_");
}

static bool is_line_of(isw_str name, isw_str histogram)
{
    static const char *const endings[] = { "_bucket", "_sum", "_count" };

    if (name.size < histogram.size || memcmp(name.data, histogram.data, histogram.size) != 0)
        return false;
    name.data += histogram.size;
    name.size -= histogram.size;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (isw_str_equal(name, isw_str_of(endings[i])))
            return true;
    return false;
}

bool iswi_metric_clash(isw_str a, bool a_is_histogram, isw_str b, bool b_is_histogram)
{
    return (b_is_histogram && is_line_of(a, b)) || (a_is_histogram && is_line_of(b, a));
}
