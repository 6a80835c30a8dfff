/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "base/buffer.h"
#include "config/config.h"

static const char *const levels[] = { "debug", "info", NULL };

static const isw_option tls[] = {
    { .name = "cert", .type = ISW_OPTION_PATH, .help = "Certificate." },
    { .name = "verify", .type = ISW_OPTION_BOOL, .default_value = "true", .help = "Check peers." },
    { 0 },
};

static const isw_option steps[] = {
    { .name = "auth", .type = ISW_OPTION_GROUP, .group = tls, .help = "Lets in." },
    { .name = "plain", .type = ISW_OPTION_GROUP },
    { 0 },
};

static const isw_option table[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .default_value = "", .help = "For people." },
    { .name = "port", .type = ISW_OPTION_INT, .min = 1, .max = 65535, .help = "To listen on." },
    { .name = "level", .type = ISW_OPTION_ENUM, .default_value = "info", .choices = levels },
    { .name = "wait", .type = ISW_OPTION_DURATION, .optional = true, .max = 90000 },
    { .name = "room", .type = ISW_OPTION_SIZE, .default_value = "1KiB", .min = 512 },
    { .name = "tls", .type = ISW_OPTION_GROUP, .optional = true, .group = tls, .help = "TLS." },
    { .name = "steps", .type = ISWI_OPTION_NAMED_LIST, .optional = true, .group = steps },
    { 0 },
};

static void a_reference_is_an_aligned_table(void **state)
{
    iswi_buffer out = { 0 };

    (void)state;
    iswi_config_reference(table, 2, &out);
    assert_string_equal(
        iswi_buffer_text(&out),
        "  name   text                                         default \"\"    For people.\n"
        "  port   whole number from 1 to 65535                 required      To listen on.\n"
        "  level  one of debug, info                           default info\n"
        "  wait   duration (250ms, 10s, 5m, 1h) from 0 to 90s  optional\n"
        "  room   size (512, 64KiB, 16MiB, 1GiB), 512 or more  default 1KiB\n"
        "  tls    mapping                                      optional      TLS.\n"
        "    cert    path           required      Certificate.\n"
        "    verify  true or false  default true  Check peers.\n"
        "  steps  list of names, each with or without options  optional\n"
        "    auth   mapping    Lets in.\n"
        "      cert    path           required      Certificate.\n"
        "      verify  true or false  default true  Check peers.\n"
        "    plain  mapping\n");
    iswi_buffer_fini(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_reference_is_an_aligned_table),
};

ISW_TEST_MAIN(tests)
