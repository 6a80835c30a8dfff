/* SPDX-License-Identifier: Apache-2.0 */
/* Content types and names to save under. */
#include "worker/http/types.h"

#include <string.h>

static const struct {
    const char *end;
    const char *type;
} types[] = {
    { "7z", "application/x-7z-compressed" },
    { "avif", "image/avif" },
    { "bmp", "image/bmp" },
    { "bz2", "application/x-bzip2" },
    { "css", "text/css; charset=utf-8" },
    { "csv", "text/csv; charset=utf-8" },
    { "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    { "epub", "application/epub+zip" },
    { "flac", "audio/flac" },
    { "gif", "image/gif" },
    { "gz", "application/gzip" },
    { "htm", "text/html; charset=utf-8" },
    { "html", "text/html; charset=utf-8" },
    { "ico", "image/vnd.microsoft.icon" },
    { "ics", "text/calendar; charset=utf-8" },
    { "jpeg", "image/jpeg" },
    { "jpg", "image/jpeg" },
    { "js", "text/javascript; charset=utf-8" },
    { "json", "application/json" },
    { "jsonld", "application/ld+json" },
    { "log", "text/plain; charset=utf-8" },
    { "m4a", "audio/mp4" },
    { "map", "application/json" },
    { "md", "text/markdown; charset=utf-8" },
    { "mjs", "text/javascript; charset=utf-8" },
    { "mp3", "audio/mpeg" },
    { "mp4", "video/mp4" },
    { "ods", "application/vnd.oasis.opendocument.spreadsheet" },
    { "odt", "application/vnd.oasis.opendocument.text" },
    { "oga", "audio/ogg" },
    { "ogg", "audio/ogg" },
    { "ogv", "video/ogg" },
    { "otf", "font/otf" },
    { "pdf", "application/pdf" },
    { "png", "image/png" },
    { "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
    { "svg", "image/svg+xml" },
    { "tar", "application/x-tar" },
    { "tif", "image/tiff" },
    { "tiff", "image/tiff" },
    { "ttf", "font/ttf" },
    { "txt", "text/plain; charset=utf-8" },
    { "wasm", "application/wasm" },
    { "wav", "audio/wav" },
    { "weba", "audio/webm" },
    { "webm", "video/webm" },
    { "webmanifest", "application/manifest+json" },
    { "webp", "image/webp" },
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "xhtml", "application/xhtml+xml" },
    { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    { "xml", "application/xml" },
    { "yaml", "application/yaml" },
    { "yml", "application/yaml" },
    { "zip", "application/zip" },
    { "zst", "application/zstd" },
};

const char *iswi_content_type_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && dot > name && i < sizeof types / sizeof types[0]; i++)
        if (isw_str_equal_nocase(isw_str_of(dot + 1), isw_str_of(types[i].end)))
            return types[i].type;
    return "application/octet-stream";
}

/* attr-char of RFC 8187, section 3.2.1. */
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$&+-.^_`|~", c));
}

/* What every recipient reads as itself within quotes (RFC 6266, appendix D). */
static bool is_safe_in_quotes(char c)
{
    return c >= ' ' && c < 0x7f && !strchr("\"\\%/", c);
}

void iswi_disposition_write(iswi_buffer *out, const char *name)
{
    bool safe = true;

    iswi_buffer_append_text(out, "attachment; filename=\"");
    for (const char *at = name; *at; at++) {
        bool itself = is_safe_in_quotes(*at);

        if (((unsigned char)*at & 0xc0) != 0x80) /* one '_' for a character of several bytes */
            iswi_buffer_append(out, itself ? at : "_", 1);
        safe = safe && itself;
    }
    iswi_buffer_append_text(out, "\"");
    if (safe)
        return;
    iswi_buffer_append_text(out, "; filename*=UTF-8''");
    for (const char *at = name; *at; at++) {
        if (is_plain(*at))
            iswi_buffer_append(out, at, 1);
        else
            iswi_buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
    }
}
