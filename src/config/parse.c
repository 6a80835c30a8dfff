/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of events around the one document of a text; what is in it tree.c reads. */
#include "config/parse.h"

#include "config/tree.h"

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
    isw_status status = iswi_yaml_read(r, root);

    if (status != ISW_OK)
        return status;
    if (root->wrong && root->type != ISWI_NODE_MAP)
        return isw_error_set(r->error, ISW_E_CONFIG, "%s", r->config->wrong.message);
    if (iswi_node_is_empty(root))
        return iswi_yaml_refuse_empty(r, iswi_node_place(root));
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
        return iswi_yaml_refuse_empty(r, (iswi_place){ 1, 1 });
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
    iswi_node *root = iswi_arena_calloc(&config->arena, 1, sizeof *root);
    iswi_yaml_reader r;
    isw_status status;

    if (!root)
        return iswi_config_no_memory(config, error);
    status = iswi_yaml_init(&r, config, text, size, error);
    if (status != ISW_OK)
        return status;
    status = read_stream(&r, root);
    iswi_yaml_fini(&r);
    if (status == ISW_OK)
        *out = root;
    return status;
}
