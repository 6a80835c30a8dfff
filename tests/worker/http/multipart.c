/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart bodies as clients write them, and as they should not. */
#include "support/main.h"

#include "worker/http/multipart.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMED(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"
#define FIELD(name, value) "--b\r\n" NAMED(name) "\r\n" value "\r\n"
#define END "--b--\r\n"

typedef struct reading {
    iswi_arena arena;
    isw_error error;
    isw_status status;
    iswi_parts parts;
} reading;

static void read_bytes(reading *r, const char *body, size_t size)
{
    /* Exactly as large as the body, so that a sanitizer sees the first byte beyond it. */
    char *copy = malloc(size ? size : 1);

    memset(r, 0, sizeof *r);
    iswi_arena_init(&r->arena, 256);
    memcpy(copy, body, size);
    r->status = iswi_multipart_read((isw_bytes){ copy, size }, isw_str_of("b"), &r->arena,
                                    &r->parts, &r->error);
    if (r->status == ISW_OK) { /* views of a body that must stay for the test */
        iswi_parts parts;

        assert_int_equal(iswi_multipart_read((isw_bytes){ body, size }, isw_str_of("b"), &r->arena,
                                             &parts, &r->error),
                         ISW_OK);
        assert_int_equal(parts.count, r->parts.count);
        r->parts = parts;
    }
    free(copy);
}

static void read_ok(reading *r, const char *body)
{
    read_bytes(r, body, strlen(body));
    if (r->status != ISW_OK)
        fail_msg("%s", r->error.message);
}

/* The parts as "name=data;", or "name(filename,type)=data;". */
static void assert_parts(const char *body, const char *expected)
{
    reading r;
    char all[512] = "";

    read_ok(&r, body);
    for (size_t i = 0; i < r.parts.count; i++) {
        const isw_part *part = &r.parts.items[i];
        size_t used = strlen(all);

        used += (size_t)snprintf(all + used, sizeof all - used, "%.*s", (int)part->name.size,
                                 part->name.data);
        if (part->filename.data)
            used += (size_t)snprintf(all + used, sizeof all - used, "(%.*s,%.*s)",
                                     (int)part->filename.size, part->filename.data,
                                     (int)part->content_type.size, part->content_type.data);
        snprintf(all + used, sizeof all - used, "=%.*s;", (int)part->data.size,
                 (const char *)part->data.data);
    }
    assert_string_equal(all, expected);
    iswi_arena_fini(&r.arena);
}

static void assert_refused(const char *body, const char *message)
{
    reading r;

    read_bytes(&r, body, strlen(body));
    if (r.status != ISW_E_INVALID || !strstr(r.error.message, message))
        fail_msg("\"%s\": not \"%s\" but \"%s\"", body, message, r.error.message);
    iswi_arena_fini(&r.arena);
}

/* A part whose Content-Disposition says `params` beside its type. */
static void assert_filename(const char *params, const char *expected)
{
    char body[256];

    snprintf(body, sizeof body, "--b\r\nContent-Disposition: form-data; name=f; %s\r\n\r\n\r\n" END,
             params);
    assert_parts(body, expected);
}

static void assert_params_refused(const char *params, const char *what)
{
    char body[256];
    char message[256];

    snprintf(body, sizeof body, "--b\r\nContent-Disposition: form-data%s\r\n\r\n\r\n" END, params);
    snprintf(message, sizeof message, "a part, whose headers begin at byte 5, %s", what);
    assert_refused(body, message);
}

/* -- What is read ------------------------------------------------------------------------------ */

static void parts_are_given_in_order(void **state)
{
    (void)state;
    assert_parts(FIELD("a", "1") FIELD("b", "") FIELD("a", "two\r\nlines") END,
                 "a=1;b=;a=two\r\nlines;");
}

static void a_file_has_a_name_and_a_type(void **state)
{
    (void)state;
    assert_parts("--b\r\nContent-Disposition: form-data; name=\"up\"; filename=\"a b.txt\"\r\n"
                 "Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n" END,
                 "up(a b.txt,text/html; charset=utf-8)=<p>;");
    assert_filename("filename=x", "f(x,text/plain)=;");
    assert_filename("filename=\"\"", "f(,text/plain)=;");
}

static void bytes_are_not_touched(void **state)
{
    static const char body[] = "--b\r\n" NAMED("a") "\r\n\0\r\n--\r\n-b\r\n --b\n--b\r\r\n" END;
    static const char data[] = "\0\r\n--\r\n-b\r\n --b\n--b\r";
    reading r;

    (void)state;
    read_bytes(&r, body, sizeof body - 1);
    assert_int_equal(r.status, ISW_OK);
    assert_int_equal(r.parts.count, 1);
    assert_int_equal(r.parts.items[0].data.size, sizeof data - 1);
    assert_memory_equal(r.parts.items[0].data.data, data, sizeof data - 1);
    iswi_arena_fini(&r.arena);
}

static void data_are_views_of_the_body(void **state)
{
    static const char body[] = FIELD("a", "1") END;
    reading r;

    (void)state;
    read_ok(&r, body);
    assert_ptr_equal(r.parts.items[0].data.data, strstr(body, "1\r\n"));
    iswi_arena_fini(&r.arena);
}

static void headers_are_found_whatever_their_case(void **state)
{
    reading r;

    (void)state;
    read_ok(&r, "--b\r\ncontent-DISPOSITION:form-data;NAME=a\r\nX-Own: \t x \r\n\r\n\r\n" END);
    assert_int_equal(r.parts.items[0].headers.count, 2);
    assert_true(isw_str_equal(*isw_pairs_find(&r.parts.items[0].headers, "x-own"),
                              isw_str_of("x")));
    assert_true(isw_str_equal(r.parts.items[0].name, isw_str_of("a")));
    iswi_arena_fini(&r.arena);
}

static void what_is_before_and_behind_is_passed_over(void **state)
{
    (void)state;
    assert_parts("preamble --b\r\n" FIELD("a", "1") "--b-- \t\r\nepilogue\r\n--b\r\n", "a=1;");
    assert_parts("\r\n" FIELD("a", "1") "--b--", "a=1;");
    assert_parts("--b \t \r\n" NAMED("a") "\r\n1\r\n--b--", "a=1;");
}

static void a_form_may_have_no_parts(void **state)
{
    (void)state;
    assert_parts(END, "");
    assert_parts("--b--", "");
}

static void a_folded_header_is_one(void **state)
{
    (void)state;
    assert_parts("--b\r\nContent-Disposition: form-data;\r\n\t name=\"a\"\r\n\r\n1\r\n" END,
                 "a=1;");
    assert_parts("--b\r\nContent-Disposition:\r\n form-data;\r\n name=a;\r\n  filename=\"x\r\n"
                 " y\"\r\nContent-Type:\r\n\tx/y\r\n\r\n1\r\n" END, "a(x y,x/y)=1;");
    assert_refused("--b\r\n Content-Disposition: form-data; name=a\r\n\r\n1\r\n" END,
                   "at byte 5: a header of a part has no name");
    assert_refused("--b\r\nContent-Disposition: form-data;\r\n name=\x01\r\n\r\n1\r\n" END,
                   "at byte 5: a header of a part has a control character");
    assert_refused("--b\r\nContent-Disposition: form-data; name=a\r\n x\n\r\n\r\n1\r\n" END,
                   "does not end in CR LF");
}

static void a_part_may_end_with_its_headers(void **state)
{
    (void)state;
    assert_parts("--b\r\n" NAMED("a") "\r\n--b--", "a=;");
}

static void names_are_unquoted_as_browsers_quote_them(void **state)
{
    (void)state;
    assert_filename("filename=\"a\\\"b\\\\c\"", "f(a\"b\\c,text/plain)=;");
    assert_filename("filename=\"a \\ \\\\ b\"", "f(a \\ \\\\ b,text/plain)=;");
    assert_filename("filename=\"\\\\host\\x.txt\"", "f(\\\\host\\x.txt,text/plain)=;");
    assert_filename("filename=\"C:\\dir\\x.txt\"", "f(C:\\dir\\x.txt,text/plain)=;");
    assert_filename("filename=\"a%22b; name=x\"", "f(a%22b; name=x,text/plain)=;");
    assert_filename("filename=\"J\xc3\xbcrgen\"", "f(J\xc3\xbcrgen,text/plain)=;");
}

static void an_extended_name_counts_before_a_plain_one(void **state)
{
    (void)state;
    assert_filename("filename=\"e.txt\"; filename*=UTF-8''%e2%82%ac.txt",
                    "f(\xe2\x82\xac.txt,text/plain)=;");
    assert_filename("filename*=utf-8'en'a%20b; filename=x", "f(a b,text/plain)=;");
}

/* -- What is refused --------------------------------------------------------------------------- */

static void boundaries_are_lines_of_their_own(void **state)
{
    (void)state;
    assert_refused("", "malformed at byte 0: the boundary that the content type names is nowhere");
    assert_refused("x--b\r\n", "at byte 6: the boundary");
    assert_refused("--bb\r\n", "malformed at byte 3: a boundary is followed by something else");
    assert_refused("--b\n", "malformed at byte 3: a boundary is followed by something else");
    assert_refused("--b", "malformed at byte 3: a boundary is followed by something else");
    assert_refused("--b--x", "malformed at byte 5: a boundary is followed by something else");
    assert_refused("--b\r\n" NAMED("a") "\r\n1\r\n--bx", "a boundary is followed by something");
}

static void a_body_that_is_cut_off_is_refused(void **state)
{
    static const char body[] = FIELD("a", "1") FIELD("b", "2") "--b--";
    reading r;

    (void)state;
    for (size_t size = 0; size < sizeof body - 1; size++) {
        read_bytes(&r, body, size);
        if (r.status != ISW_E_INVALID)
            fail_msg("%zu bytes are taken", size);
        iswi_arena_fini(&r.arena);
    }
    assert_refused("--b\r\n" NAMED("a") "\r\nx", "it ends before the closing boundary");
}

static void headers_are_lines_with_a_name(void **state)
{
    (void)state;
    assert_refused("--b\r\n" NAMED("a") "x\n\r\n\r\n" END, "does not end in CR LF");
    assert_refused("--b\r\nx\r\n\r\n" END, "at byte 5: a header of a part has no name");
    assert_refused("--b\r\n: x\r\n\r\n" END, "at byte 5: a header of a part has no name");
    assert_refused("--b\r\nX : x\r\n\r\n" END, "at byte 5: a header of a part has no name");
    assert_refused("--b\r\n" NAMED("a") " folded: x\r\n\r\n\r\n" END,
                   "Content-Disposition is malformed");
    assert_refused("--b\r\nX: a\x01\r\n\r\n\r\n" END,
                   "at byte 9: a header of a part has a control character");
    assert_refused("--b\r\nX: a\rb\r\n\r\n\r\n" END, "does not end in CR LF");
}

static void a_part_says_its_name_once(void **state)
{
    (void)state;
    assert_refused("--b\r\n\r\n\r\n" END, "without a Content-Disposition");
    assert_params_refused("", "without a name");
    assert_params_refused("; filename=x", "without a name");
    assert_params_refused("; name=a; name=b", "with two names");
    assert_params_refused("; name=\"\"; NAME=b", "with two names");
    assert_params_refused("; name=a; filename=a; filename=b", "with two names of a file");
    assert_refused("--b\r\n" NAMED("a") NAMED("b") "\r\n\r\n" END, "with two Content-Dispositions");
    assert_refused("--b\r\n" NAMED("a") "Content-Type: a/b\r\ncontent-type: a/b\r\n\r\n\r\n" END,
                   "with two Content-Types");
    assert_refused("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n" END,
                   "is not form-data");
}

static void parameters_follow_their_grammar(void **state)
{
    (void)state;
    assert_params_refused("; name", "whose Content-Disposition is malformed");
    assert_params_refused("; name=", "whose Content-Disposition is malformed");
    assert_params_refused("; =a", "whose Content-Disposition is malformed");
    assert_params_refused("; name=\"a", "whose Content-Disposition is malformed");
    assert_params_refused("; name=\"a\\\"", "whose Content-Disposition is malformed");
    assert_params_refused("; name=\"a\"b", "whose Content-Disposition is malformed");
    assert_params_refused("; name=a b", "whose Content-Disposition is malformed");
    assert_filename(" ; ; filename=x ;", "f(x,text/plain)=;");
}

static void names_are_text(void **state)
{
    (void)state;
    assert_params_refused("; name=\"\xff\"", "with a name that is not UTF-8");
    assert_params_refused("; name=a; filename*=UTF-8''%ff", "with a name that is not UTF-8");
    assert_params_refused("; name=a; filename*=UTF-8''%0d", "with a control character in a name");
    assert_params_refused("; name=a; filename*=UTF-8''%00",
                          "with a filename* that is not percent-encoded as it should");
    assert_params_refused("; name=a; filename*=UTF-8''%4",
                          "with a filename* that is not percent-encoded as it should");
    assert_params_refused("; name=a; filename*=latin1''a",
                          "with a filename* that is not UTF-8''...");
    assert_params_refused("; name=a; filename*=UTF-8'a", "with a filename* that is not UTF-8''...");
}

static void what_would_need_decoding_is_refused(void **state)
{
    (void)state;
    assert_refused("--b\r\n" NAMED("a") "Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n" END,
                   "with a Content-Transfer-Encoding");
    assert_parts("--b\r\n" NAMED("a") "Content-Transfer-Encoding: Binary\r\n\r\n1\r\n" END, "a=1;");
}

/* -- Limits ------------------------------------------------------------------------------------ */

static void assert_too_large(const char *lead, const char *again, size_t times, const char *tail,
                             bool too_large)
{
    size_t size = strlen(lead) + times * strlen(again) + strlen(tail);
    char *body = malloc(size + 1);
    char *at = body + sprintf(body, "%s", lead);
    reading r;

    for (size_t i = 0; i < times; i++)
        at += sprintf(at, "%s", again);
    strcpy(at, tail);
    read_bytes(&r, body, size);
    assert_int_equal(r.status, too_large ? ISW_E_TOO_LARGE : ISW_OK);
    iswi_arena_fini(&r.arena);
    free(body);
}

static void parts_and_headers_have_limits(void **state)
{
    static const char lead[] = "--b\r\n" NAMED("a"); /* one header of 41 bytes */
    size_t room = ISW_PART_HEADER_BYTES_MAX - strlen(NAMED("a")) + 2;

    (void)state;
    assert_too_large("", FIELD("a", ""), ISW_PARTS_MAX, END, false);
    assert_too_large("", FIELD("a", ""), ISW_PARTS_MAX + 1, END, true);
    assert_too_large(lead, "x:\r\n", ISW_PART_HEADERS_MAX - 1, "\r\n\r\n" END, false);
    assert_too_large(lead, "x:\r\n", ISW_PART_HEADERS_MAX, "\r\n\r\n" END, true);
    assert_too_large("--b\r\n" NAMED("a") "x:", "x", room - 2, "\r\n\r\n\r\n" END, false);
    assert_too_large("--b\r\n" NAMED("a") "x:", "x", room - 1, "\r\n\r\n\r\n" END, true);
}

/* -- The content type's boundary --------------------------------------------------------------- */

static void assert_boundary(const char *content_type, const char *expected)
{
    iswi_arena arena;
    isw_str boundary = { NULL, 0 };
    isw_error error = { .status = ISW_OK };

    iswi_arena_init(&arena, 256);
    if (iswi_multipart_boundary(isw_str_of(content_type), &arena, &boundary, &error) == ISW_OK) {
        if (!isw_str_equal(boundary, isw_str_of(expected)))
            fail_msg("%s: \"%.*s\"", content_type, (int)boundary.size, boundary.data);
    } else {
        assert_int_equal(error.status, ISW_E_INVALID);
        if (!strstr(error.message, expected))
            fail_msg("%s: %s", content_type, error.message);
    }
    iswi_arena_fini(&arena);
}

static void a_boundary_is_taken_from_the_content_type(void **state)
{
    (void)state;
    assert_boundary("multipart/form-data; boundary=----WebKitFormBoundaryAbC",
                    "----WebKitFormBoundaryAbC");
    assert_boundary("multipart/form-data; boundary=*****", "*****");
    assert_boundary("multipart/form-data;boundary=\"a*b<>[]{}@!\"", "a*b<>[]{}@!");
    assert_boundary("multipart/form-data; boundary=----=_Part_1/2:3;charset=utf-8",
                    "----=_Part_1/2:3");
    assert_boundary("multipart/form-data;; Boundary===a==", "==a==");
    assert_boundary("multipart/form-data;charset=utf-8 ; BOUNDARY=\"a b:'()+_,-./=?\"",
                    "a b:'()+_,-./=?");
    assert_boundary("multipart/form-data; boundary="
                    "0123456789012345678901234567890123456789012345678901234567890123456789",
                    "0123456789012345678901234567890123456789012345678901234567890123456789");
}

static void a_boundary_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_boundary("multipart/form-data", "has no boundary");
    assert_boundary("multipart/form-data; boundary=a; boundary=b", "has two boundaries");
    assert_boundary("multipart/form-data; boundary=", "are malformed");
    assert_boundary("multipart/form-data; boundary=\"a", "are malformed");
    assert_boundary("multipart/form-data; boundary=\"\"", "is not 1 to 70");
    assert_boundary("multipart/form-data; boundary=\"a \"", "is not 1 to 70");
    assert_boundary("multipart/form-data; boundary=\"a\xc3\xbc\"", "is not 1 to 70");
    assert_boundary("multipart/form-data; boundary=\"a\tb\"", "is not 1 to 70");
    assert_boundary("multipart/form-data; boundary=a b", "are malformed");
    assert_boundary("multipart/form-data; boundary=a:b; boundary=c", "has two boundaries");
    assert_boundary("multipart/form-data; x=a:b; boundary=c", "are malformed");
    assert_boundary("multipart/form-data; boundary="
                    "01234567890123456789012345678901234567890123456789012345678901234567890",
                    "is not 1 to 70");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parts_are_given_in_order),
    cmocka_unit_test(a_file_has_a_name_and_a_type),
    cmocka_unit_test(bytes_are_not_touched),
    cmocka_unit_test(data_are_views_of_the_body),
    cmocka_unit_test(headers_are_found_whatever_their_case),
    cmocka_unit_test(what_is_before_and_behind_is_passed_over),
    cmocka_unit_test(a_form_may_have_no_parts),
    cmocka_unit_test(a_folded_header_is_one),
    cmocka_unit_test(a_part_may_end_with_its_headers),
    cmocka_unit_test(names_are_unquoted_as_browsers_quote_them),
    cmocka_unit_test(an_extended_name_counts_before_a_plain_one),
    cmocka_unit_test(boundaries_are_lines_of_their_own),
    cmocka_unit_test(a_body_that_is_cut_off_is_refused),
    cmocka_unit_test(headers_are_lines_with_a_name),
    cmocka_unit_test(a_part_says_its_name_once),
    cmocka_unit_test(parameters_follow_their_grammar),
    cmocka_unit_test(names_are_text),
    cmocka_unit_test(what_would_need_decoding_is_refused),
    cmocka_unit_test(parts_and_headers_have_limits),
    cmocka_unit_test(a_boundary_is_taken_from_the_content_type),
    cmocka_unit_test(a_boundary_that_is_none_is_refused),
};

ISW_TEST_MAIN(tests)
