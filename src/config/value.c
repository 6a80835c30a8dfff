/* SPDX-License-Identifier: Apache-2.0 */
/* One scalar to its plain form. What a secret refers to is written to the plain text and nowhere
 * else: no message is ever made from it, nor from what stands in its place. */
#include "config/value.h"

#include "base/text.h"
#include "config/expand.h"
#include "config/file.h"
#include "config/message.h"
#include "config/phrase.h"
#include "config/scalar.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct value {
    iswi_config *config;
    const isw_option *row;
    const iswi_node *node;
    iswi_buffer *out;
    isw_error *error;
} value;

/* `must be <type>, not <value>` and, if it helps, why. */
static isw_status refuse(const value *v, const char *instead, const char *before, const char *why,
                         const char *after)
{
    iswi_buffer type = { 0 };
    isw_status status;

    iswi_option_describe(v->row, &type);
    if (iswi_buffer_text(&type))
        status = iswi_config_refuse_at(v->config, iswi_node_place(v->node), v->error,
                                       "\"%s\" must be %s, not %s%s%s%s", v->row->name,
                                       iswi_buffer_text(&type), instead, before, why, after);
    else
        status = iswi_config_no_memory(v->config, v->error);
    iswi_buffer_fini(&type);
    return status;
}

static isw_status refuse_text(const value *v, const char *why)
{
    return refuse(v, iswi_config_quote(v->config, v->node->text), " (", why, ")");
}

/* -- Plain forms ------------------------------------------------------------------------------- */

/* The code point at `s`, which is well-formed UTF-8; *step is its size. */
static uint32_t code_at(const unsigned char *s, size_t *step)
{
    uint32_t code = s[0];

    *step = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (*step > 1)
        code &= 0x7fu >> *step;
    for (size_t i = 1; i < *step; i++)
        code = code << 6 | (s[i] & 0x3f);
    return code;
}

/* In double quotes, and pure ASCII: YAML has line breaks and forbidden characters beyond it. */
static isw_status put_text(const value *v, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    /* The tree is UTF-8, but the name of a folder that a path lies in need not be. */
    if (!iswi_utf8_valid(text, strlen(text)))
        return iswi_config_refuse(v->config, v->node, v->error, "\"%s\" is not UTF-8 text",
                                  v->row->name);
    iswi_buffer_append(v->out, "\"", 1);
    while (*s) {
        size_t step;
        uint32_t code = code_at(s, &step);

        if (code == '"' || code == '\\')
            iswi_buffer_printf(v->out, "\\%c", (int)code);
        else if (code >= 0x20 && code < 0x7f)
            iswi_buffer_append(v->out, s, 1);
        else
            iswi_buffer_printf(v->out, "\\U%08" PRIx32, code);
        s += step;
    }
    iswi_buffer_append(v->out, "\"", 1);
    return ISW_OK;
}

static isw_status put_integer(const value *v, int64_t number)
{
    iswi_buffer_printf(v->out, "%" PRId64, number);
    return ISW_OK;
}

static isw_status put_in_range(const value *v, int64_t number)
{
    if (number < v->row->min)
        return refuse_text(v, "it is too small");
    if (number > iswi_option_max(v->row))
        return refuse_text(v, "it is too large");
    return put_integer(v, number);
}

/* -- Secrets ----------------------------------------------------------------------------------- */

static isw_status put_secret(const value *v, const char *kind, const char *name, const char *text,
                             size_t size)
{
    if (size == 0 || strlen(text) != size || !iswi_utf8_valid(text, size))
        return iswi_config_refuse_at(v->config, iswi_node_place(v->node), v->error,
                                     "\"%s\" refers to %s %s, which %s", v->row->name, kind,
                                     iswi_config_quote(v->config, name),
                                     size == 0 ? "is empty" : "is not text");
    return put_text(v, text);
}

static isw_status put_secret_from_env(const value *v, const char *name)
{
    const char *text = getenv(name);

    if (!text)
        return iswi_config_refuse_at(v->config, iswi_node_place(v->node), v->error,
                                     "\"%s\" refers to environment variable \"%s\", "
                                     "which is not set",
                                     v->row->name, name);
    return put_secret(v, "environment variable", name, text, strlen(text));
}

static isw_status put_secret_from_file(const value *v, const char *name)
{
    const char *path = iswi_config_path(v->config, name);
    const char *why = "";
    iswi_buffer text = { 0 };
    isw_status status;

    if (!path)
        return iswi_config_no_memory(v->config, v->error);
    status = iswi_file_read(path, ISWI_CONFIG_MAX_SECRET_BYTES, &text, &why);
    while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
        text.size--;
    if (status == ISW_E_NO_MEMORY || !iswi_buffer_text(&text))
        status = iswi_config_no_memory(v->config, v->error);
    else if (status != ISW_OK)
        status = iswi_config_refuse_at(v->config, iswi_node_place(v->node), v->error,
                                       "\"%s\" refers to file %s, which cannot be read: %s",
                                       v->row->name, iswi_config_quote(v->config, path), why);
    else
        status = put_secret(v, "file", path, (const char *)text.data, text.size);
    iswi_buffer_fini(&text);
    return status;
}

static isw_status check_secret(const value *v)
{
    const char *text = v->node->text;

    if (strncmp(text, "env:", 4) == 0 && iswi_variable_name_valid(text + 4, strlen(text + 4)))
        return put_secret_from_env(v, text + 4);
    if (strncmp(text, "file:", 5) == 0 && text[5])
        return put_secret_from_file(v, text + 5);
    return refuse(v, "the secret itself", "", "", "");
}

/* -- The other types --------------------------------------------------------------------------- */

static isw_status check_number(const value *v)
{
    int64_t number = 0;
    const char *wrong = v->row->type == ISW_OPTION_INT ? iswi_scalar_int(v->node->text, &number)
                        : v->row->type == ISW_OPTION_SIZE
                            ? iswi_scalar_size(v->node->text, &number)
                            : iswi_scalar_duration(v->node->text, &number);

    return wrong ? refuse_text(v, wrong) : put_in_range(v, number);
}

static isw_status check_bool(const value *v)
{
    bool truth = false;
    const char *wrong = iswi_scalar_bool(v->node->text, &truth);

    if (wrong)
        return refuse_text(v, wrong);
    iswi_buffer_append_text(v->out, truth ? "true" : "false");
    return ISW_OK;
}

static isw_status check_double(const value *v)
{
    double number = 0;
    const char *wrong = iswi_scalar_double(v->node->text, &number);

    if (wrong)
        return refuse_text(v, wrong);
    /* In the locale's spelling, since libcyaml reads it in the locale's spelling. */
    iswi_buffer_printf(v->out, "\"%.17g\"", number);
    return ISW_OK;
}

static isw_status check_enum(const value *v)
{
    const char *nearest;

    for (int64_t i = 0; v->row->choices[i]; i++)
        if (strcmp(v->row->choices[i], v->node->text) == 0)
            return put_integer(v, i);
    nearest = iswi_config_nearest(v->node->text, v->row->choices);
    return refuse(v, iswi_config_quote(v->config, v->node->text),
                  nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static isw_status check_path(const value *v)
{
    const char *path = iswi_config_path(v->config, v->node->text);

    if (v->node->text[0] == '\0')
        return refuse(v, "\"\"", "", "", "");
    return path ? put_text(v, path) : iswi_config_no_memory(v->config, v->error);
}

isw_status iswi_check_scalar(iswi_config *config, const isw_option *row, const iswi_node *node,
                             iswi_buffer *out, isw_error *error)
{
    const value v = { config, row, node, out, error };

    if (node->type != ISWI_NODE_SCALAR)
        return refuse(&v, iswi_config_describe(config, node), "", "", "");
    if (iswi_node_is_empty(node))
        return iswi_config_refuse(config, node, error, "\"%s\" has no value%s", row->name,
                                  row->type == ISW_OPTION_STRING ? "; write \"\" for an empty text"
                                                                 : "");
    switch (row->type) {
    case ISW_OPTION_BOOL:
        return check_bool(&v);
    case ISW_OPTION_DOUBLE:
        return check_double(&v);
    case ISW_OPTION_ENUM:
        return check_enum(&v);
    case ISW_OPTION_SECRET:
        return check_secret(&v);
    case ISW_OPTION_PATH:
        return check_path(&v);
    case ISW_OPTION_INT:
    case ISW_OPTION_DURATION:
    case ISW_OPTION_SIZE:
        return check_number(&v);
    default:
        return put_text(&v, node->text);
    }
}
