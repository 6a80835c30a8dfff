/* SPDX-License-Identifier: Apache-2.0 */
/* A file or a text to a document. */
#include "config/document.h"
#include "config/file.h"
#include "config/parse.h"

isw_status iswi_config_open_text(const char *name, const char *text, size_t size,
                                 iswi_faults *faults, iswi_config **out, isw_error *error)
{
    iswi_config *config = iswi_config_create(name, faults);
    isw_status status;

    if (!config)
        return isw_error_set(error, ISW_E_NO_MEMORY, "%s: out of memory", name);
    status = iswi_config_parse(config, text, size, &config->root, error);
    if (status != ISW_OK) {
        iswi_config_close(config);
        return status;
    }
    *out = config;
    return ISW_OK;
}

isw_status iswi_config_open(const char *path, iswi_faults *faults, iswi_config **out,
                            isw_error *error)
{
    iswi_buffer text = { 0 };
    const char *why = "";
    isw_status status = iswi_file_read(path, ISWI_CONFIG_MAX_BYTES, &text, &why);

    if (status == ISW_OK)
        status = iswi_config_open_text(path, (const char *)text.data, text.size, faults, out,
                                       error);
    else if (status == ISW_E_TOO_LARGE)
        status = isw_error_set(error, ISW_E_CONFIG, "%s:1:1: the file is larger than %d bytes",
                               path, ISWI_CONFIG_MAX_BYTES);
    else
        status = isw_error_set(error, status, "%s: cannot be read: %s", path, why);
    iswi_buffer_fini(&text);
    return status;
}
