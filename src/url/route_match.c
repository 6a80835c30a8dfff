/* SPDX-License-Identifier: Apache-2.0 */
/* Matching a request against the route table. Invariant: the path is split first and decoded
 * afterwards, so that no encoding moves the border of a segment. */
#include "url/route_tree.h"

#include "base/text.h"
#include "url/percent.h"

#include <assert.h>
#include <stdlib.h>

/* More segments than any sane path has; bounds the work on a hostile one. */
enum { PATH_SEGMENTS_MAX = 128 };

/* One request on its way down the tree. */
typedef struct walk {
    isw_str method;
    size_t count;
    isw_str segments[PATH_SEGMENTS_MAX]; /* decoded, in one text with '/' between them */
    const iswi_route *refused[16];       /* routes of the path with other methods, for Allow */
    size_t refused_count;
} walk;

/* ---- the path ---- */

/* What a segment decodes to must not be mistaken for structure. A sentence, or NULL. */
static const char *check_segment(isw_str segment)
{
    if (segment.size == SIZE_MAX)
        return "The path has a '%' without two hexadecimal digits.";
    if (memchr(segment.data, '/', segment.size) || memchr(segment.data, '\0', segment.size))
        return "A segment of the path holds an encoded '/' or NUL.";
    if (isw_str_equal(segment, isw_str_of(".")) || isw_str_equal(segment, isw_str_of("..")))
        return "A segment of the path is '.' or '..'.";
    if (!iswi_utf8_valid(segment.data, segment.size))
        return "The path is not UTF-8.";
    return NULL;
}

/* Split and decode `path` into w->segments; `room` has as many bytes as `path`. All of the path is
 * checked, also where an empty segment or too many of them make it match no route. */
static iswi_route_result split(walk *w, isw_str path, char *room, const char **detail)
{
    const char *at = path.data + 1;
    const char *end = path.data + path.size;
    bool matchable = true;

    if (path.size <= 1)
        return ISWI_ROUTE_FOUND;
    for (const char *slash = at; slash; at = slash + 1) {
        isw_str raw = { at, 0 };
        isw_str segment = { room, 0 };

        slash = memchr(at, '/', (size_t)(end - at));
        raw.size = (size_t)((slash ? slash : end) - at);
        segment.size = iswi_percent_decode(raw, false, room);
        *detail = check_segment(segment);
        if (*detail)
            return ISWI_ROUTE_BAD_PATH;
        room += segment.size;
        if (slash)
            *room++ = '/';
        matchable = matchable && segment.size && w->count < PATH_SEGMENTS_MAX;
        if (matchable)
            w->segments[w->count++] = segment;
    }
    return matchable ? ISWI_ROUTE_FOUND : ISWI_ROUTE_NOT_FOUND;
}

/* ---- the tree ---- */

static void note_refused(walk *w, const iswi_route *r)
{
    if (w->refused_count < sizeof w->refused / sizeof w->refused[0])
        w->refused[w->refused_count++] = r;
}

/* The route of `list` that takes the method of `w`; GET stands in for HEAD. */
static const iswi_route *pick(walk *w, const iswi_route_list *list)
{
    bool head = isw_str_equal(w->method, isw_str_of("HEAD"));
    const iswi_route *implied = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const iswi_route *r = list->items[i];

        if (!*r->methods || iswi_word_in(r->methods, w->method))
            return r;
        if (head && iswi_word_in(r->methods, isw_str_of("GET")))
            implied = r;
    }
    for (size_t i = 0; i < list->count && !implied; i++)
        note_refused(w, list->items[i]);
    return implied;
}

/* Goes no deeper than the longest pattern, and visits each node once at most. */
static const iswi_route *descend(walk *w, const iswi_route_node *n, size_t at)
{
    const iswi_route *r = NULL;

    if (at == w->count) {
        r = pick(w, &n->here);
    } else {
        bool found;
        size_t place = iswi_route_literal(n, w->segments[at], &found);

        if (found)
            r = descend(w, n->literals[place], at + 1);
        if (!r && n->parameter)
            r = descend(w, n->parameter, at + 1);
    }
    return r ? r : pick(w, &n->catch_all);
}

/* ---- what the caller gets ---- */

static int compare_words(const void *a, const void *b)
{
    return iswi_text_compare(*(const isw_str *)a, *(const isw_str *)b);
}

/* Add the words of `list` to `words` that are not there yet. */
static size_t collect_words(const char *list, isw_str *words, size_t count, size_t most)
{
    while (*list && count < most) {
        isw_str word = { list, strcspn(list, " ,") };
        bool known = word.size == 0;

        for (size_t i = 0; i < count; i++)
            known = known || isw_str_equal(words[i], word);
        if (!known)
            words[count++] = word;
        list += word.size;
        list += strspn(list, " ,");
    }
    return count;
}

static const char *allow_text(const walk *w, iswi_arena *arena)
{
    enum { MOST = 32 };
    isw_str words[MOST];
    size_t count = 0;
    const char *text = "";

    for (size_t i = 0; i < w->refused_count; i++) {
        const char *methods = w->refused[i]->methods;

        count = collect_words(methods, words, count, MOST);
        if (iswi_word_in(methods, isw_str_of("GET")))
            count = collect_words("HEAD", words, count, MOST);
    }
    qsort(words, count, sizeof words[0], compare_words);
    for (size_t i = 0; i < count && text; i++)
        text = iswi_arena_printf(arena, "%s%s%.*s", text, i ? ", " : "", (int)words[i].size,
                                 words[i].data);
    return text;
}

/* What the parameter at segment `at` took; NULL data if it is optional and took nothing. */
static isw_str param_value(const walk *w, size_t at, iswi_segment_kind kind)
{
    isw_str value = { NULL, 0 };

    if (at < w->count) {
        isw_str last = w->segments[kind == ISWI_SEGMENT_CATCH_ALL ? w->count - 1 : at];

        value.data = w->segments[at].data;
        value.size = (size_t)(last.data + last.size - value.data);
    } else if (kind == ISWI_SEGMENT_CATCH_ALL) {
        value = isw_str_of("");
    }
    return value;
}

static bool fill_params(const walk *w, const iswi_route *r, iswi_arena *arena, isw_pairs *out)
{
    const iswi_route_pattern *parsed = &r->parsed;
    isw_pair *pairs = iswi_arena_alloc(arena, parsed->count * sizeof *pairs);
    size_t count = 0;

    if (!pairs)
        return false;
    for (size_t i = 0; i < parsed->count; i++) {
        const iswi_segment *segment = &parsed->segments[i];
        isw_str value;

        if (segment->kind == ISWI_SEGMENT_LITERAL)
            continue;
        value = param_value(w, i, segment->kind);
        if (value.data)
            pairs[count++] = (isw_pair){ segment->text, value };
    }
    *out = (isw_pairs){ pairs, count };
    return true;
}

iswi_route_result iswi_routes_match(const iswi_routes *routes, isw_str method, isw_str path,
                                    iswi_arena *arena, iswi_route_match *out)
{
    char *room = iswi_arena_alloc(arena, path.size);
    walk w;
    iswi_route_result result;
    const iswi_route *r;

    assert(path.size == 0 || path.data[0] == '/');
    w.method = method;
    w.count = 0;
    w.refused_count = 0;
    if (!room)
        return ISWI_ROUTE_NO_MEMORY;
    result = split(&w, path, room, &out->detail);
    if (result != ISWI_ROUTE_FOUND)
        return result;
    r = descend(&w, &routes->root, 0);
    if (r) {
        out->target = r->target;
        return fill_params(&w, r, arena, &out->params) ? ISWI_ROUTE_FOUND : ISWI_ROUTE_NO_MEMORY;
    }
    if (!w.refused_count)
        return ISWI_ROUTE_NOT_FOUND;
    out->allow = allow_text(&w, arena);
    return out->allow ? ISWI_ROUTE_WRONG_METHOD : ISWI_ROUTE_NO_MEMORY;
}
