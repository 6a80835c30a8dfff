/* SPDX-License-Identifier: Apache-2.0 */
/* Files as replies (RFC 9110), whole or in pieces. What is sent is read and not mapped: a file that
 * is cut while it is mapped would end the worker. */
#include "base/clock.h"
#include "base/text.h"
#include "url/date.h"
#include "url/fields.h"
#include "worker/context/failure.h"
#include "worker/http/conditions.h"
#include "worker/http/file_open.h"
#include "worker/http/reply.h"
#include "worker/http/types.h"

#include <errno.h>
#include <fcntl.h>
#include <isoworker/stream.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WHOLE_MOST_BYTES = 32 * 1024 * 1024, /* what is larger goes out in pieces */
    PIECE_BYTES = 64 * 1024,
    ETAG_BYTES = 3 * 16 + 5
};

typedef struct file {
    const char *path;
    int fd;
    struct stat info;
    char etag[ETAG_BYTES];
    iswi_representation there;
} file;

/* -- Opening ----------------------------------------------------------------------------------- */

static isw_status fail_open(isw_context *ctx, const char *path, int error)
{
    const char *why = strerror(error);

    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case ENXIO: /* a socket */
        return iswi_fail(ctx, ISW_E_NOT_FOUND, "there is no file \"%s\"", path);
    case EACCES:
    case EPERM:
        return iswi_fail(ctx, ISW_E_FORBIDDEN, "the file \"%s\" may not be read: %s", path, why);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return iswi_fail(ctx, ISW_E_UNAVAILABLE, "the file \"%s\" cannot be opened now: %s", path,
                         why);
    default:
        return iswi_fail(ctx, ISW_E_IO, "the file \"%s\" cannot be opened: %s", path, why);
    }
}

static isw_status open_in(isw_context *ctx, const char *root, const char *path, int *fd)
{
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error;

    if (folder < 0)
        return iswi_fail(ctx, ISW_E_IO, "the root of files, \"%s\", cannot be opened: %s", root,
                         strerror(errno));
    *fd = iswi_open_below(folder, path);
    error = errno;
    close(folder);
    return *fd < 0 ? fail_open(ctx, path, error) : ISW_OK;
}

/* Everything that a reply says of the file but its content. */
static isw_status describe(isw_context *ctx, file *f)
{
    int64_t now_s = iswi_wall_us() / 1000000;
    int64_t modified_s;

    if (fstat(f->fd, &f->info) != 0)
        return fail_open(ctx, f->path, errno);
    if (!S_ISREG(f->info.st_mode))
        return iswi_fail(ctx, ISW_E_NOT_FOUND, "\"%s\" is no file but a folder or device",
                         f->path);
    snprintf(f->etag, sizeof f->etag, "\"%llx-%llx-%llx\"", (unsigned long long)f->info.st_size,
             (unsigned long long)f->info.st_mtim.tv_sec * 1000000000ULL +
                 (unsigned long long)f->info.st_mtim.tv_nsec,
             (unsigned long long)f->info.st_ino);
    /* Not later than the reply itself (RFC 9110, section 8.8.2.1). */
    modified_s = (int64_t)f->info.st_mtim.tv_sec;
    f->there = (iswi_representation){ .etag = isw_str_of(f->etag),
                                      .modified_s = modified_s < now_s ? modified_s : now_s,
                                      .now_s = now_s,
                                      .size = (uint64_t)f->info.st_size };
    return ISW_OK;
}

static isw_status open_file(isw_context *ctx, const char *root, file *f)
{
    isw_status status = ISW_OK;

    if (root)
        status = open_in(ctx, root, f->path, &f->fd);
    else if ((f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0)
        status = fail_open(ctx, f->path, errno);
    return status == ISW_OK ? describe(ctx, f) : status;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static isw_status fail_changed(isw_context *ctx, const file *f)
{
    return iswi_fail(ctx, ISW_E_UNAVAILABLE, "the file \"%s\" changed while it was read", f->path);
}

static bool has_changed(const file *f)
{
    struct stat now;

    return fstat(f->fd, &now) != 0 || now.st_size != f->info.st_size ||
           now.st_mtim.tv_sec != f->info.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != f->info.st_mtim.tv_nsec;
}

static isw_status read_range(isw_context *ctx, const file *f, iswi_range range, char *out)
{
    for (uint64_t got = 0; got < range.size;) {
        ssize_t more = pread(f->fd, out + got, range.size - got, (off_t)(range.first + got));

        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return iswi_fail(ctx, ISW_E_IO, "the file \"%s\" cannot be read: %s", f->path,
                             strerror(errno));
        if (more == 0)
            return fail_changed(ctx, f);
        got += (uint64_t)more;
    }
    return has_changed(f) ? fail_changed(ctx, f) : ISW_OK;
}

/* -- Replying ---------------------------------------------------------------------------------- */

static isw_status set_validators(isw_context *ctx, const file *f)
{
    char date[ISWI_HTTP_DATE_BYTES];
    isw_status status = iswi_reply_header(ctx, "etag", f->etag, true);

    if (status == ISW_OK && iswi_http_date_write(f->there.modified_s, date))
        status = iswi_reply_header(ctx, "last-modified", date, true);
    return status;
}

static isw_status set_disposition(isw_context *ctx, const char *download_name)
{
    iswi_buffer *text = &ctx->outgoing.bytes; /* warm, and nothing is being sent now */

    iswi_buffer_reset(text);
    iswi_disposition_write(text, download_name);
    if (!iswi_buffer_text(text))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a header");
    return iswi_reply_header(ctx, "content-disposition", iswi_buffer_text(text), true);
}

/* "bytes 0-99/1000"; "bytes *" in place of a range that is not there. */
static isw_status set_range(isw_context *ctx, const file *f, int status, iswi_range range)
{
    unsigned long long first = range.first;
    unsigned long long last = range.first + range.size - 1;
    unsigned long long size = f->there.size;
    char text[80];

    iswi_answer_head_forget(&ctx->head, "content-range");
    if (status == 206)
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", first, last, size);
    else if (status == 416)
        snprintf(text, sizeof text, "bytes */%llu", size);
    else
        return ISW_OK;
    return iswi_reply_header(ctx, "content-range", text, true);
}

static isw_status set_headers(isw_context *ctx, const file *f, int status, iswi_range range,
                              const isw_file_options *options)
{
    isw_status done = set_validators(ctx, f);

    if (done == ISW_OK)
        done = iswi_reply_header(ctx, "accept-ranges", "bytes", true);
    if (done == ISW_OK && options->download_name)
        done = set_disposition(ctx, options->download_name);
    return done == ISW_OK ? set_range(ctx, f, status, range) : done;
}

static const char *type_of(const file *f, const isw_file_options *options)
{
    return options->content_type ? options->content_type : iswi_content_type_of(f->path);
}

/* Content first: a reply that fails has no headers of the file. */
static isw_status send_whole(isw_context *ctx, const file *f, int status, iswi_range range,
                             const isw_file_options *options)
{
    char *body = isw_context_alloc(ctx, range.size);
    isw_status done;

    if (!body)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the file \"%s\"", f->path);
    done = read_range(ctx, f, range, body);
    if (done == ISW_OK)
        done = set_headers(ctx, f, status, range, options);
    if (done != ISW_OK)
        return done;
    return isw_http_reply_bytes(ctx, status, type_of(f, options), body, range.size);
}

static isw_status begin_pieces(isw_context *ctx, const file *f, int status, iswi_range range,
                               const isw_file_options *options)
{
    isw_status done = set_headers(ctx, f, status, range, options);
    char length[24];

    snprintf(length, sizeof length, "%llu", (unsigned long long)range.size);
    if (done == ISW_OK)
        done = iswi_reply_header(ctx, "content-length", length, true);
    return done == ISW_OK ? isw_http_begin(ctx, status, type_of(f, options)) : done;
}

/* Each piece is checked before it leaves, so that a body of two files breaks off. */
static isw_status send_pieces(isw_context *ctx, const file *f, int status, iswi_range range,
                              const isw_file_options *options)
{
    const isw_http *request = isw_http_request(ctx);
    bool head = request && isw_str_equal(request->method, isw_str_of("HEAD"));
    char *piece = isw_context_alloc(ctx, PIECE_BYTES);
    isw_status done = ISW_E_NO_MEMORY;

    if (piece)
        done = begin_pieces(ctx, f, status, range, options);
    else
        iswi_fail(ctx, done, "no memory for the file \"%s\"", f->path);
    for (uint64_t sent = 0; done == ISW_OK && !head && sent < range.size;) {
        uint64_t left = range.size - sent;
        iswi_range next = { range.first + sent, left < PIECE_BYTES ? left : PIECE_BYTES };

        done = read_range(ctx, f, next, piece);
        if (done == ISW_OK)
            done = isw_http_write(ctx, piece, next.size);
        sent += next.size;
    }
    return done;
}

/* With what the 200 would say of the content, for whoever stands outside: the host sends the length
 * alone of it. */
static isw_status reply_not_modified(isw_context *ctx, const file *f,
                                     const isw_file_options *options)
{
    char length[24];
    isw_status done = set_validators(ctx, f);

    snprintf(length, sizeof length, "%llu", (unsigned long long)f->there.size);
    if (done == ISW_OK)
        done = iswi_reply_header(ctx, "content-length", length, true);
    return done == ISW_OK ? isw_http_reply_bytes(ctx, 304, type_of(f, options), "", 0) : done;
}

static isw_status reply_file(isw_context *ctx, const file *f, const isw_file_options *options)
{
    static const isw_http plain = { .method = { "GET", 3 } };
    const isw_http *request = isw_http_request(ctx);
    iswi_range range;
    int status = iswi_http_judge(request ? request : &plain, &f->there, &range);
    isw_status done;

    if (status == 200 || status == 206)
        return range.size > WHOLE_MOST_BYTES ? send_pieces(ctx, f, status, range, options)
                                             : send_whole(ctx, f, status, range, options);
    done = set_range(ctx, f, status, range);
    if (done != ISW_OK)
        return done;
    return status == 304 ? reply_not_modified(ctx, f, options)
                         : isw_http_reply_problem(ctx, status, NULL, NULL);
}

static isw_status check_options(isw_context *ctx, const isw_file_options *options)
{
    const char *name = options->download_name;
    isw_str text = isw_str_of(name);

    if (options->content_type) {
        isw_str type = isw_str_of(options->content_type);

        if (!iswi_field_is_value(type))
            return iswi_misuse(ctx, ISW_E_INVALID, "the content type of a file has a control "
                                                 "character");
    }
    if (name && (!text.size || !iswi_utf8_valid(name, text.size) ||
                 strcspn(name, "\t") < text.size || !iswi_field_is_value(text)))
        return iswi_misuse(ctx, ISW_E_INVALID,
                         "the download_name of a file is empty, is not UTF-8 or has control "
                         "characters");
    return ISW_OK;
}

isw_status isw_http_reply_file(isw_context *ctx, const char *path,
                               const isw_file_options *options)
{
    ISWI_ALIVE(ctx);
    static const isw_file_options usual = ISW_FILE_OPTIONS_INIT;
    file f = { .path = path, .fd = -1 };
    isw_status status = iswi_context_may_answer(ctx);

    if (status == ISW_OK)
        status = iswi_needs(ctx, __func__, "path", path);
    if (!options)
        options = &usual;
    if (status == ISW_OK)
        status = check_options(ctx, options);
    if (status == ISW_OK)
        status = open_file(ctx, options->root, &f);
    if (status == ISW_OK)
        status = reply_file(ctx, &f, options);
    if (f.fd >= 0)
        close(f.fd);
    return status;
}
