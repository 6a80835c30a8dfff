/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms, a cookie, a redirect, an upload whose files are measured, and downloads.
 * RUN     isoworker run samples/http_forms_and_files
 *         curl -F letters=@letters.txt http://127.0.0.1:7071/api/upload
 * OUTPUT  letters: "letters.txt", text/plain, 27 bytes
 */
#include <isoworker/isoworker.h>

static isw_status color(isw_context *ctx)
{
    const char *kept = isw_http_cookie(ctx, "color");

    return isw_http_reply(ctx, 200, "text/plain", "Your color: %s\n", kept ? kept : "none");
}

static isw_status choose(isw_context *ctx)
{
    const char *chosen = isw_form_field(ctx, "color");
    const isw_cookie cookie = { .name = "color", .value = chosen, .max_age_s = 3600 };

    if (!chosen || isw_http_set_cookie(ctx, &cookie) != ISW_OK)
        return isw_fail(ctx, ISW_E_INVALID, "choose a color");
    return isw_http_redirect(ctx, 303, "color"); /* a reload does not send the form again */
}

static isw_status upload(isw_context *ctx)
{
    const isw_part *parts;
    size_t count;
    const char *text = "";

    if (isw_multipart_read(ctx, &parts, &count) != ISW_OK)
        return ISW_E_INVALID; /* what is wrong with the body is recorded already */
    for (const isw_part *at = parts; at < parts + count; at++)
        text = isw_context_printf(ctx, "%s%.*s: \"%.*s\", %.*s, %zu bytes\n", text,
                                  (int)at->name.size, at->name.data, (int)at->filename.size,
                                  at->filename.data, (int)at->content_type.size,
                                  at->content_type.data, at->data.size);
    return isw_http_reply(ctx, 200, "text/plain", "%s", text);
}

static isw_status download(isw_context *ctx)
{
    isw_file_options options = ISW_FILE_OPTIONS_INIT;

    options.root = "files"; /* whatever the path says, nothing outside is sent */
    options.download_name = isw_http_query(ctx, "as");
    return isw_http_reply_file(ctx, isw_http_param(ctx, "path"), &options);
}

static const isw_function functions[] = {
    { .name = "color", .trigger = ISW_HTTP("GET", NULL), .handler = color },
    { .name = "choose", .trigger = ISW_HTTP("POST", "color"), .handler = choose },
    { .name = "upload", .trigger = ISW_HTTP("POST", NULL), .handler = upload },
    { .name = "files", .trigger = ISW_HTTP("GET HEAD", "files/{*path}"), .handler = download },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
