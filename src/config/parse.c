/* SPDX-License-Identifier: Apache-2.0 */
/* Text to tree: the bytes, libyaml's events, and the frame around the one document of a file. A
 * text that is not UTF-8, or larger than the limit, never reaches libyaml; neither does one of no
 * bytes, which it takes for a mistake of its caller and aborts. */
#include "config/parse.h"

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
static isw_status refuse_empty(const iswi_yaml_reader *r, iswi_place place)
{
    return iswi_config_refuse_at(r->config, place, r->error,
                                 "the document is empty; write {} if nothing is meant to stand "
                                 "in it");
}

static isw_status check_bytes(iswi_yaml_reader *r, const char *text, size_t size)
{
    const char *nul = size ? memchr(text, '\0', size) : NULL;

    if (size == 0)
        return refuse_empty(r, (iswi_place){ 1, 1 });
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

isw_status iswi_yaml_next(iswi_yaml_reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->yaml, event) ? ISW_OK : refuse_syntax(r);
}

/* -- The document ------------------------------------------------------------------------------ */

/* Skip an event of the frame around documents; *got is its type. */
static isw_status skip(iswi_yaml_reader *r, yaml_event_type_t *got, iswi_place *place)
{
    yaml_event_t event;
    isw_status status = iswi_yaml_next(r, &event);

    if (status != ISW_OK)
        return status;
    *got = event.type;
    *place = iswi_yaml_place(event.start_mark);
    yaml_event_delete(&event);
    return ISW_OK;
}

static isw_status read_root(iswi_yaml_reader *r, iswi_node *root)
{
    yaml_event_t event;
    isw_status status = iswi_yaml_next(r, &event);

    if (status != ISW_OK)
        return status;
    status = iswi_yaml_read(r, &event, 1, root);
    yaml_event_delete(&event);
    if (status != ISW_OK)
        return status;
    if (root->wrong && root->type != ISWI_NODE_MAP)
        return isw_error_set(r->error, ISW_E_CONFIG, "%s", r->config->wrong.message);
    if (iswi_node_is_empty(root))
        return refuse_empty(r, iswi_node_place(root));
    if (root->type != ISWI_NODE_MAP)
        return iswi_config_refuse_at(r->config, iswi_node_place(root), r->error,
                                     "the document must be a mapping, such as \"name: value\"");
    return ISW_OK;
}

static isw_status read_stream(iswi_yaml_reader *r, iswi_node *root)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    iswi_place place = { 1, 1 };
    isw_status status = skip(r, &type, &place);

    if (status == ISW_OK)
        status = skip(r, &type, &place);
    if (status != ISW_OK)
        return status;
    if (type == YAML_STREAM_END_EVENT)
        return refuse_empty(r, (iswi_place){ 1, 1 });
    status = read_root(r, root);
    if (status == ISW_OK)
        status = skip(r, &type, &place);
    if (status == ISW_OK)
        status = skip(r, &type, &place);
    if (status == ISW_OK && type != YAML_STREAM_END_EVENT)
        status = iswi_config_refuse_at(r->config, place, r->error,
                                       "a second document starts here; a file holds one");
    return status;
}

isw_status iswi_config_parse(iswi_config *config, const char *text, size_t size,
                             const iswi_node **out, isw_error *error)
{
    iswi_yaml_reader r = { .config = config, .error = error };
    iswi_node *root = iswi_arena_calloc(&config->arena, 1, sizeof *root);
    isw_status status = root ? check_bytes(&r, text, size) : iswi_config_no_memory(config, error);

    if (status != ISW_OK)
        return status;
    if (!yaml_parser_initialize(&r.yaml))
        return iswi_config_no_memory(config, error);
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, size);
    status = read_stream(&r, root);
    yaml_parser_delete(&r.yaml);
    if (status == ISW_OK)
        *out = root;
    return status;
}
