/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_TEXT_H
#define ISWI_BASE_TEXT_H

/* Text: patterns, near misses, and writing it safely into JSON and terminals. Pure; any thread. */
#include "base/buffer.h"

#include <isoworker/value.h>

/* Whether `text` matches `pattern`, where '*' stands for any run of characters and '?' for one. */
bool iswi_glob_match(const char *pattern, const char *text);

/* Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; only the first 63 bytes of
 * each count. */
size_t iswi_edit_distance(const char *a, const char *b);

/* Whether `text` is well-formed UTF-8 (RFC 3629: no overlong form, no surrogate). */
bool iswi_utf8_valid(const void *text, size_t size);

/* Write `text` to `out`, which has room for twice its size, as UTF-8: what is stays, and each byte
 * that is no part of it becomes the character of its number (ISO 8859-1). Returns the size. */
size_t iswi_utf8_mend(isw_str text, char *out);

/* Append `text` as a JSON string with its quotes (RFC 8259). Bytes that are not UTF-8 become
 * U+FFFD. */
void iswi_json_string(iswi_buffer *out, isw_str text);

/* Append `text` for a terminal or a log line: control characters, escape sequences, line breaks,
 * U+0080 to U+009F, bidirectional controls and bad UTF-8 are written as \n, \x1b, \u202e, ... */
void iswi_terminal_text(iswi_buffer *out, isw_str text);

/* Whether `size` bytes are the same; every one is compared, so that time tells nothing about where
 * they differ. */
bool iswi_secret_equal(const void *a, const void *b, size_t size);

/* Make ASCII letters small ones, in place; gives `text`, which may be NULL. */
char *iswi_lower_case(char *text);

/* Negative, 0 or positive, as `a` comes before, is, or comes after `b`: by bytes, then by size. */
int iswi_text_compare(isw_str a, isw_str b);

/* Whether `name` may be a function's: a letter, then letters, digits, '_' and '-'. Its length is
 * the caller's to check. */
bool iswi_function_name(isw_str name);

/* Whether it is one of a binding: a letter or '_', then letters, digits, '_', '-' and '.'. What begins
 * with '$' is the library's own. */
bool iswi_binding_name(isw_str name);

/* Whether `token` is one of the words of `list`, which separates them by spaces or commas. */
bool iswi_word_in(const char *list, isw_str token);

/* Whether a line that a program has written before it ended can be the reason: not one of those that
 * follow it, such as an indented line of a trace, one without a word, or the version of Node.js. */
bool iswi_may_be_reason(isw_str line);

/* What a hexadecimal digit stands for; -1: it is none. */
int iswi_hex_digit(char c);

#endif
