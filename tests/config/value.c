/* SPDX-License-Identifier: Apache-2.0 */
#include "config/support.h"

#include <unistd.h>

static void numbers_are_strict_and_in_range(void **state)
{
    (void)state;
    refused("port: 010", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not \"010\" "
                         "(leading zeros are refused, since some read them as octal)");
    refused("port: 12x", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not \"12x\" "
                         "(it is not a decimal number)");
    refused("port: 0x50", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not "
                          "\"0x50\" (it is not a decimal number)");
    refused("port: +80", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not \"+80\" "
                         "(it is not a decimal number)");
    refused("port: 0", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not \"0\" "
                       "(it is too small)");
    refused("port: 70000", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not "
                           "\"70000\" (it is too large)");
    refused("count: -1", "c.yaml:1:8: \"count\" must be a whole number, 0 or more, not \"-1\" (it "
                         "is too small)");
    refused("count: 9223372036854775808",
            "c.yaml:1:8: \"count\" must be a whole number, 0 or more, not \"9223372036854775808\" "
            "(it is too large)");
    refused("limits: {depth: 0}", "c.yaml:1:17: \"depth\" must be a whole number, 1 or more, not "
                                  "\"0\" (it is too small)");
    refused("factor: .inf",
            "c.yaml:1:9: \"factor\" must be a number, not \".inf\" (it is not a decimal number)");
    refused("verbose: yes", "c.yaml:1:10: \"verbose\" must be true or false, not \"yes\" (only "
                            "these two words are known)");
}

static void durations_and_sizes_need_their_units(void **state)
{
    (void)state;
    refused("timeout: 10",
            "c.yaml:1:10: \"timeout\" must be a duration (250ms, 10s, 5m, 1h) from 100ms to 1h, "
            "not \"10\" (it needs one of the units ms, s, m and h)");
    refused("timeout: 2h",
            "c.yaml:1:10: \"timeout\" must be a duration (250ms, 10s, 5m, 1h) from 100ms to 1h, "
            "not \"2h\" (it is too large)");
    refused("size: 64KB", "c.yaml:1:7: \"size\" must be a size (512, 64KiB, 16MiB, 1GiB), not "
                          "\"64KB\" (the units are KiB, MiB and GiB)");
}

static void choices_are_listed(void **state)
{
    (void)state;
    refused("level: error", "c.yaml:1:8: \"level\" must be one of debug, info, warn, not "
                            "\"error\"");
    refused("level: wran", "c.yaml:1:8: \"level\" must be one of debug, info, warn, not \"wran\"; "
                           "did you mean \"warn\"?");
}

static void paths_lie_beside_the_document(void **state)
{
    iswi_config *config = opened("path: keys/a.pem\ntls: {cert: /etc/b.pem}");

    (void)state;
    assert_string_equal(loaded(config)->path, "dir/keys/a.pem");
    assert_string_equal(loaded(config)->tls.cert, "/etc/b.pem");
    iswi_config_close(config);
    refused("path: \"\"", "c.yaml:1:7: \"path\" must be a path, not \"\"");
}

static void a_folder_that_is_not_utf8_is_refused(void **state)
{
    iswi_config *config = NULL;
    const void *out = NULL;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(iswi_config_open_text("caf\xe9/c.yaml", "path: a", 7, NULL, &config, &error),
                     ISW_OK);
    assert_int_equal(iswi_config_load(config, sample_table, sizeof(sample), &out, &error),
                     ISW_E_CONFIG);
    assert_string_equal(error.message, "caf\xe9/c.yaml:1:1: \"path\" is not UTF-8 text");
    iswi_config_close(config);
}

static void a_secret_in_the_document_is_refused_unseen(void **state)
{
    static const char *const literal[] = { "hunter2", "${ISW_T_CANARY}",  "env:hunter 2",  "env:",
                                           "file:",   "ENV:ISW_T_CANARY", "env:hunter2\\n" };
    char text[64];

    (void)state;
    setenv("ISW_T_CANARY", "hunter2", 1);
    for (size_t i = 0; i < sizeof literal / sizeof literal[0]; i++) {
        snprintf(text, sizeof text, "secret: \"%s\"", literal[i]);
        refused(text, "c.yaml:1:9: \"secret\" must be a reference to a secret (env:NAME, "
                      "file:PATH), not the secret itself");
    }
    refused("secret: [hunter2]", "c.yaml:1:9: \"secret\" must be a reference to a secret "
                                 "(env:NAME, file:PATH), not a list");
}

static void a_secret_comes_from_the_environment(void **state)
{
    iswi_config *config;

    (void)state;
    setenv("ISW_T_SECRET", "s3\"cr\\et\n\t\xc3\xa4\xe2\x80\xa8\xf0\x9f\x98\x80 ${HOME}", 1);
    setenv("ISW_T_EMPTY", "", 1);
    setenv("ISW_T_LATIN", "caf\xe9", 1);
    unsetenv("ISW_T_UNSET");
    config = opened("secret: env:ISW_T_SECRET");
    assert_string_equal(loaded(config)->secret, getenv("ISW_T_SECRET"));
    iswi_config_close(config);
    refused("secret: env:ISW_T_UNSET", "c.yaml:1:9: \"secret\" refers to environment variable "
                                       "\"ISW_T_UNSET\", which is not set");
    refused("secret: env:ISW_T_EMPTY", "c.yaml:1:9: \"secret\" refers to environment variable "
                                       "\"ISW_T_EMPTY\", which is empty");
    refused("secret: env:ISW_T_LATIN", "c.yaml:1:9: \"secret\" refers to environment variable "
                                       "\"ISW_T_LATIN\", which is not text");
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void a_secret_comes_from_a_file_beside_the_document(void **state)
{
    char folder[] = "/tmp/isw-config-XXXXXX";
    static char big[70000];
    iswi_config *config = NULL;
    isw_error error = { 0 };
    char name[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    memset(big, 'x', sizeof big);
    write_file("good", "from a file \r\n", 14);
    write_file("empty", "\n", 1);
    write_file("nul", "a\0b", 3);
    write_file("big", big, sizeof big);
    snprintf(name, sizeof name, "%s/c.yaml", folder);
    assert_int_equal(iswi_config_open_text(name, "secret: file:good", 17, NULL, &config, &error),
                     ISW_OK);
    assert_string_equal(loaded(config)->secret, "from a file ");
    iswi_config_close(config);
    refused("secret: file:none", "c.yaml:1:9: \"secret\" refers to file \"none\", which cannot be "
                                 "read: No such file or directory");
    refused("secret: file:.", "c.yaml:1:9: \"secret\" refers to file \".\", which cannot be read: "
                              "it is a directory");
    refused("secret: file:big", "c.yaml:1:9: \"secret\" refers to file \"big\", which cannot be "
                                "read: it is too large");
    refused("secret: file:empty", "c.yaml:1:9: \"secret\" refers to file \"empty\", which is "
                                  "empty");
    refused("secret: file:nul", "c.yaml:1:9: \"secret\" refers to file \"nul\", which is not text");
    unlink("good");
    unlink("empty");
    unlink("nul");
    unlink("big");
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_strict_and_in_range),
    cmocka_unit_test(durations_and_sizes_need_their_units),
    cmocka_unit_test(choices_are_listed),
    cmocka_unit_test(paths_lie_beside_the_document),
    cmocka_unit_test(a_folder_that_is_not_utf8_is_refused),
    cmocka_unit_test(a_secret_in_the_document_is_refused_unseen),
    cmocka_unit_test(a_secret_comes_from_the_environment),
    cmocka_unit_test(a_secret_comes_from_a_file_beside_the_document),
};

ISW_TEST_MAIN(tests)
