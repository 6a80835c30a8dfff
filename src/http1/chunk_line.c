/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around the payload of chunks: sizes, extensions, line ends and the trailer section,
 * by the grammar of RFC 9112, section 7.1. Invariant: a byte is judged by itself and the stage, so
 * that it does not matter how they were cut.
 */
#include "http1/internal.h"

#include "base/text.h"
#include "url/fields.h"

static bool go_to(iswi_http1_body *body, iswi_http1_stage stage)
{
    body->stage = (uint8_t)stage;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_token(char c)
{
    return iswi_field_is_token((isw_str){ &c, 1 });
}

static bool expect_lf(iswi_http1_body *body, char c, iswi_http1_stage next)
{
    return c == '\n'
               ? go_to(body, next)
               : iswi_http1_refuse_body(body, 400, "A carriage return has no line feed behind it");
}

/* Another byte than the grammar has here. */
static bool refuse(iswi_http1_body *body, char c, const char *what)
{
    if (c == '\n')
        what = "A line ends with a line feed without its carriage return";
    return iswi_http1_refuse_body(body, 400, what);
}

/* -- Sizes ------------------------------------------------------------------------------------- */

static bool add_digit(iswi_http1_body *body, int digit)
{
    if (body->digits == ISWI_HTTP1_SIZE_DIGITS || body->left > INT64_MAX >> 4)
        return iswi_http1_refuse_body(body, 400, "The size of a chunk has too many digits");
    body->digits++;
    body->left = body->left << 4 | digit;
    if (body->left > body->limit - body->payload)
        return iswi_http1_refuse_body(body, 413, "The chunks are beyond the limit for bodies");
    return go_to(body, ISWI_BODY_SIZE);
}

/* Behind a size, or an extension. */
static bool end_part(iswi_http1_body *body, char c, const char *what)
{
    if (c == '\r')
        return go_to(body, ISWI_BODY_LINE_LF);
    if (c == ';')
        return go_to(body, ISWI_BODY_EXT_BEGIN);
    return is_space(c) ? go_to(body, ISWI_BODY_SPACE) : refuse(body, c, what);
}

static bool read_size(iswi_http1_body *body, char c)
{
    static const char what[] = "The size of a chunk is not a hexadecimal number";
    int digit = iswi_hex_digit(c);

    if (digit >= 0)
        return add_digit(body, digit);
    return body->digits ? end_part(body, c, what) : refuse(body, c, what);
}

static bool end_size_line(iswi_http1_body *body, char c)
{
    if (!expect_lf(body, c, body->left ? ISWI_BODY_PAYLOAD : ISWI_BODY_TRAILER_BEGIN))
        return false;
    body->digits = 0;
    body->payload += body->left;
    body->spare += body->left < INT64_MAX - body->spare ? body->left : 0;
    return true;
}

/* -- Extensions -------------------------------------------------------------------------------- */

static bool read_quoted(iswi_http1_body *body, char c)
{
    if (body->stage == ISWI_BODY_EXT_ESCAPED || (c != '"' && c != '\\'))
        return iswi_field_is_value((isw_str){ &c, 1 })
                   ? go_to(body, ISWI_BODY_EXT_QUOTED)
                   : refuse(body, c, "A chunk's extension holds a control character");
    return go_to(body, c == '"' ? ISWI_BODY_EXT_END : ISWI_BODY_EXT_ESCAPED);
}

static bool read_extension(iswi_http1_body *body, char c)
{
    static const char what[] = "A chunk's extension is not ;name or ;name=value";
    bool token = is_token(c);

    switch (body->stage) {
    case ISWI_BODY_SPACE: /* white space is for what goes on (RFC 9112, section 7.1.1) */
        return is_space(c) || (c == ';' ? go_to(body, ISWI_BODY_EXT_BEGIN) : refuse(body, c, what));
    case ISWI_BODY_EXT_BEGIN:
        return is_space(c) || (token ? go_to(body, ISWI_BODY_EXT_NAME) : refuse(body, c, what));
    case ISWI_BODY_EXT_NAME:
        if (is_space(c))
            return go_to(body, ISWI_BODY_EXT_AFTER_NAME);
        break;
    case ISWI_BODY_EXT_AFTER_NAME:
        if (is_space(c))
            return true;
        return c == '=' || c == ';'
                   ? go_to(body, c == '=' ? ISWI_BODY_EXT_VALUE_BEGIN : ISWI_BODY_EXT_BEGIN)
                   : refuse(body, c, what);
    case ISWI_BODY_EXT_VALUE_BEGIN:
        if (is_space(c))
            return true;
        if (c == '"')
            return go_to(body, ISWI_BODY_EXT_QUOTED);
        return token ? go_to(body, ISWI_BODY_EXT_VALUE) : refuse(body, c, what);
    case ISWI_BODY_EXT_END:
        return end_part(body, c, what);
    default: /* a value */
        return token || end_part(body, c, what);
    }
    if (c == '=')
        return go_to(body, ISWI_BODY_EXT_VALUE_BEGIN);
    return token || end_part(body, c, what);
}

static bool read_bounded_extension(iswi_http1_body *body, char c)
{
    if (body->spare-- <= 0)
        return iswi_http1_refuse_body(body, 400, "The chunks have more extensions than payload");
    if (body->stage == ISWI_BODY_EXT_QUOTED || body->stage == ISWI_BODY_EXT_ESCAPED)
        return read_quoted(body, c);
    return read_extension(body, c);
}

/* -- Trailers ---------------------------------------------------------------------------------- */

/* Those that say how a message is framed or where it goes come too late for that; whoever moves
 * trailer fields into the head would read another request (RFC 9110, section 6.5.1). */
static bool end_name(iswi_http1_body *body)
{
    static const char *const misplaced[] = { "content-length", "host", "transfer-encoding" };
    isw_str name = { body->name, body->name_size };

    for (size_t i = 0; i < sizeof misplaced / sizeof misplaced[0]; i++)
        if (isw_str_equal(name, isw_str_of(misplaced[i])))
            return iswi_http1_refuse_body(body, 400, "A trailer field belongs into the head");
    return go_to(body, ISWI_BODY_TRAILER_VALUE);
}

static bool read_trailer_name(iswi_http1_body *body, char c)
{
    if (c == ':' && body->stage == ISWI_BODY_TRAILER_NAME)
        return end_name(body);
    if (body->stage == ISWI_BODY_TRAILER_BEGIN)
        body->name_size = 0;
    if (!iswi_field_lower_token(&c, 1))
        return refuse(body, c, "The name of a trailer field is not a token with a colon behind it");
    if (body->name_size < sizeof body->name)
        body->name[body->name_size++] = c;
    return go_to(body, ISWI_BODY_TRAILER_NAME);
}

static bool read_trailer(iswi_http1_body *body, char c)
{
    if (++body->trailer > ISWI_HTTP1_TRAILER_BYTES)
        return iswi_http1_refuse_body(body, 431, "The trailer fields are too large");
    switch (body->stage) {
    case ISWI_BODY_TRAILER_BEGIN:
        return c == '\r' ? go_to(body, ISWI_BODY_LAST_LF) : read_trailer_name(body, c);
    case ISWI_BODY_TRAILER_NAME:
        return read_trailer_name(body, c);
    case ISWI_BODY_TRAILER_VALUE:
        if (c == '\r')
            return go_to(body, ISWI_BODY_TRAILER_LF);
        return iswi_field_is_value((isw_str){ &c, 1 }) ||
               refuse(body, c, "A trailer field holds a control character");
    case ISWI_BODY_TRAILER_LF:
        return expect_lf(body, c, ISWI_BODY_TRAILER_BEGIN);
    default:
        return expect_lf(body, c, ISWI_BODY_WHOLE);
    }
}

bool iswi_http1_chunk_byte(iswi_http1_body *body, char c)
{
    switch (body->stage) {
    case ISWI_BODY_SIZE_BEGIN:
    case ISWI_BODY_SIZE:
        return read_size(body, c);
    case ISWI_BODY_LINE_LF:
        return end_size_line(body, c);
    case ISWI_BODY_PAYLOAD_CR:
        return c == '\r' ? go_to(body, ISWI_BODY_PAYLOAD_LF)
                         : refuse(body, c, "The payload of a chunk is longer than its size says");
    case ISWI_BODY_PAYLOAD_LF:
        return expect_lf(body, c, ISWI_BODY_SIZE_BEGIN);
    default:
        return body->stage < ISWI_BODY_TRAILER_BEGIN ? read_bounded_extension(body, c)
                                                     : read_trailer(body, c);
    }
}
