/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to libyaml's events. A text that is not UTF-8, or larger than the limit, never reaches
 * libyaml; neither does one of no bytes, which it takes for a mistake of its caller and aborts. */
#include "config/reader.h"

#include "base/text.h"

iswi_place iswi_yaml_place(yaml_mark_t mark)
{
    return (iswi_place){ (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

/* The place of byte `offset`; columns count characters, as libyaml's do. */
static iswi_place place_at(const char *text, size_t offset)
{
    iswi_place place = { 1, 1 };

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n')
            place = (iswi_place){ place.line + 1, 1 };
        else if (((unsigned char)text[i] & 0xc0) != 0x80)
            place.column++;
    }
    return place;
}

/* The offset of the first byte that is not part of a well-formed character. */
static size_t find_malformed(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t step = 1;

        while (step <= 4 && step <= size - at && !iswi_utf8_valid(text + at, step))
            step++;
        if (step > 4 || step > size - at)
            break;
        at += step;
    }
    return at;
}

/* An editor may cut a file short before it writes it anew, so nothing is never taken for "all
 * defaults": that would be a chain without its middleware. */
isw_status iswi_yaml_refuse_empty(const iswi_yaml_reader *r, iswi_place place)
{
    return iswi_config_refuse_at(r->config, place, r->error,
                                 "the document is empty; write {} if nothing is meant to stand "
                                 "in it");
}

static isw_status check_bytes(iswi_yaml_reader *r, const char *text, size_t size)
{
    const char *nul = size ? memchr(text, '\0', size) : NULL;

    if (size == 0)
        return iswi_yaml_refuse_empty(r, (iswi_place){ 1, 1 });
    if (size > ISWI_CONFIG_MAX_BYTES)
        return iswi_config_refuse_at(r->config, (iswi_place){ 1, 1 }, r->error,
                                     "the file is larger than %d bytes", ISWI_CONFIG_MAX_BYTES);
    if (!iswi_utf8_valid(text, size))
        return iswi_config_refuse_at(r->config, place_at(text, find_malformed(text, size)),
                                     r->error, "not UTF-8 text");
    if (nul)
        return iswi_config_refuse_at(r->config, place_at(text, (size_t)(nul - text)), r->error,
                                     "a NUL byte; the file is not text");
    return ISW_OK;
}

/* What people who know no YAML by heart write; "": nothing to add. */
static const char *hint_of(const yaml_parser_t *yaml)
{
    const char *line = (const char *)yaml->input.string.start;
    const char *end = (const char *)yaml->input.string.end;
    const char *stop;

    for (size_t i = 0; line && i < yaml->problem_mark.line; i++) {
        line = memchr(line, '\n', (size_t)(end - line));
        line = line ? line + 1 : NULL;
    }
    if (!line)
        return "";
    stop = memchr(line, '\n', (size_t)(end - line));
    stop = stop ? stop : end;
    if (memmem(line, (size_t)(stop - line), "${", 2))
        return "; within [ ] and { } a ${NAME} stands in quotes: \"${NAME}\"";
    if (strstr(yaml->problem, "tab"))
        return "";
    for (; line < stop && (*line == ' ' || *line == '\t'); line++)
        if (*line == '\t')
            return "; the line begins with a tab, and YAML takes spaces alone there";
    return "";
}

static isw_status refuse_syntax(iswi_yaml_reader *r)
{
    const yaml_parser_t *yaml = &r->yaml;
    const char *text = (const char *)yaml->input.string.start;

    if (yaml->error == YAML_MEMORY_ERROR)
        return iswi_config_no_memory(r->config, r->error);
    if (yaml->error == YAML_READER_ERROR)
        return iswi_config_refuse_at(r->config, place_at(text, yaml->problem_offset), r->error,
                                     "%s", yaml->problem);
    if (yaml->context)
        return iswi_config_refuse_at(r->config, iswi_yaml_place(yaml->problem_mark), r->error,
                                     "%s (%s that starts at line %zu)%s", yaml->problem,
                                     yaml->context, yaml->context_mark.line + 1, hint_of(yaml));
    return iswi_config_refuse_at(r->config, iswi_yaml_place(yaml->problem_mark), r->error, "%s%s",
                                 yaml->problem, hint_of(yaml));
}

isw_status iswi_yaml_init(iswi_yaml_reader *r, iswi_config *config, const char *text, size_t size,
                          isw_error *error)
{
    isw_status status;

    *r = (iswi_yaml_reader){ .config = config, .error = error };
    status = check_bytes(r, text, size);
    if (status != ISW_OK)
        return status;
    if (!yaml_parser_initialize(&r->yaml))
        return iswi_config_no_memory(config, error);
    yaml_parser_set_input_string(&r->yaml, (const unsigned char *)text, size);
    return ISW_OK;
}

void iswi_yaml_fini(iswi_yaml_reader *r)
{
    yaml_parser_delete(&r->yaml);
}

isw_status iswi_yaml_next(iswi_yaml_reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->yaml, event) ? ISW_OK : refuse_syntax(r);
}
