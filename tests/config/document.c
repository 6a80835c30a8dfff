/* SPDX-License-Identifier: Apache-2.0 */
#include "config/support.h"

#include <sys/stat.h>
#include <unistd.h>

#define EMPTY "the document is empty; write {} if nothing is meant to stand in it"

static void nodes_know_their_place(void **state)
{
    iswi_config *config = opened("# a comment\nlimits:\n  depth: 3   # three\nhosts: [ä, \"b\"]\n");
    const iswi_node *root = iswi_config_root(config);
    const iswi_node *depth = iswi_node_find(iswi_node_find(root, "limits"), "depth");
    const iswi_node *hosts = iswi_node_find(root, "hosts");

    (void)state;
    assert_string_equal(iswi_config_where(config, root), "dir/c.yaml:2:1");
    assert_string_equal(iswi_config_where(config, depth), "dir/c.yaml:3:3");
    assert_int_equal(depth->column, 10);
    assert_int_equal(hosts->child_count, 2);
    assert_string_equal(iswi_config_where(config, &hosts->children[1]), "dir/c.yaml:4:12");
    assert_string_equal(hosts->children[1].text, "b");
    assert_true(hosts->children[1].quoted);
    assert_false(hosts->children[0].quoted);
    assert_null(hosts->children[0].key);
    assert_null(iswi_node_find(root, "depth"));
    assert_null(iswi_node_find(hosts, "ä"));
    iswi_config_close(config);
}

static void a_later_layer_can_refuse_a_node(void **state)
{
    iswi_config *config = opened("limits:\n  depth: 3\n");
    const iswi_node *limits = iswi_node_find(iswi_config_root(config), "limits");
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(iswi_config_refuse(config, limits, &error, "no %s", "luck"), ISW_E_CONFIG);
    assert_string_equal(error.message, "dir/c.yaml:1:1: no luck");
    iswi_config_close(config);
}

static void aliases_repeat_what_the_anchor_holds(void **state)
{
    iswi_config *config = opened("limits: &l {depth: &d 3}\nagain: *l\nmore: [*d, *l]\n");
    const iswi_node *root = iswi_config_root(config);
    const iswi_node *again = iswi_node_find(root, "again");

    (void)state;
    assert_string_equal(iswi_config_where(config, again), "dir/c.yaml:2:1");
    assert_string_equal(iswi_node_find(again, "depth")->text, "3");
    assert_string_equal(iswi_node_find(root, "more")->children[0].text, "3");
    iswi_config_close(config);
}

static void aliases_are_bounded(void **state)
{
    (void)state;
    refused("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
            "c.yaml:5:26: more than 100000 values with aliases followed");
    refused("a: &a [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n"
            "b: [[[[[[[[[[[[[*a]]]]]]]]]]]]]\n"
            "c: [[[[[[[[[[[[[[*a]]]]]]]]]]]]]]\n",
            "c.yaml:3:18: nested deeper than 32 levels");
    refused("a: *b", "c.yaml:1:4: alias \"*b\" has no anchor \"&b\" before it");
    refused("a: &a [*a]", "c.yaml:1:8: alias \"*a\" stands inside its own anchor");
}

static void anchors_are_bounded(void **state)
{
    char text[8192] = "a: [";

    (void)state;
    for (int i = 0; i < 257; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "&a%d 1,\n ", i);
    refused(text, "c.yaml:257:2: more than 256 anchors");
}

static void depth_is_bounded(void **state)
{
    static char text[70000] = "a: ";

    (void)state;
    memset(text + 3, '[', 60000);
    refused(text, "c.yaml:1:35: nested deeper than 32 levels");
}

static void keys_given_twice_are_refused(void **state)
{
    (void)state;
    refused("name: a\nport: 1\nname: b\n",
            "c.yaml:3:1: \"name\" is given twice; it already stands at line 1, column 1");
    refused("limits: {depth: 1, \"depth\": 2}",
            "c.yaml:1:20: \"depth\" is given twice; it already stands at line 1, column 10");
}

static void what_is_not_one_plain_mapping_is_refused(void **state)
{
    (void)state;
    refused("", "c.yaml:1:1: " EMPTY);
    refused_bytes(NULL, 0, "c.yaml:1:1: " EMPTY);
    refused("\xef\xbb\xbf", "c.yaml:1:1: " EMPTY);
    refused("# only a comment\n", "c.yaml:1:1: " EMPTY);
    refused("---\n...\n", "c.yaml:2:1: " EMPTY);
    refused("- a\n", "c.yaml:1:1: the document must be a mapping, such as \"name: value\"");
    refused("a", "c.yaml:1:1: the document must be a mapping, such as \"name: value\"");
    refused("name: a\n---\nname: b\n",
            "c.yaml:2:1: a second document starts here; a file holds one");
    refused("? [a, b]\n: c\n", "c.yaml:1:3: a key must be a plain name");
    refused("a: &a x\n*a : c\n", "c.yaml:2:1: a key must be a plain name");
    refused("&a name: c\n", "c.yaml:1:1: a key cannot have an anchor or a tag");
    refused("port: !!int 3\n", "c.yaml:1:7: tags such as \"!!str\" are not supported");
    refused("limits: !mine {depth: 3}\n", "c.yaml:1:9: tags such as \"!!str\" are not supported");
    refused("tls: &t {cert: x}\nlimits:\n  <<: *t\n",
            "c.yaml:3:3: merge keys (\"<<\") are not supported; write the options out, or use an "
            "alias for a whole value");
}

static void what_is_not_text_is_refused(void **state)
{
    (void)state;
    refused_bytes("name: a\nport\0: 1", 16, "c.yaml:2:5: a NUL byte; the file is not text");
    refused("name: ä\n  caf\xe9: 1\n", "c.yaml:2:6: not UTF-8 text");
    refused("name: \xed\xa0\x80\n", "c.yaml:1:7: not UTF-8 text");
    refused("name: a\x01z\n", "c.yaml:1:8: control characters are not allowed");
    refused("name: \"a\\0b\"\n", "c.yaml:1:7: a NUL character in a value");
    refused("\"na\\0me\": b\n", "c.yaml:1:1: a NUL character in a key");
}

static void a_byte_order_mark_is_skipped(void **state)
{
    iswi_config *config = opened("\xef\xbb\xbfname: x\n");

    (void)state;
    assert_string_equal(loaded(config)->name, "x");
    iswi_config_close(config);
}

static void syntax_errors_have_a_place(void **state)
{
    (void)state;
    refused("name: a: b\n", "c.yaml:1:8: mapping values are not allowed in this context");
    refused("name: 'a\n", "c.yaml:2:1: found unexpected end of stream (while scanning a quoted "
                          "scalar that starts at line 1)");
    refused("limits: {depth: 1\nport: 2\n",
            "c.yaml:2:5: did not find expected ',' or '}' (while parsing a flow mapping that "
            "starts at line 1)");
    refused("name: x\n\tport: 2\n",
            "c.yaml:2:1: found a tab character that violates indentation (while scanning a plain "
            "scalar that starts at line 1)");
    refused("limits:\n\tdepth: 2\n",
            "c.yaml:2:1: found character that cannot start any token (while scanning for the next "
            "token that starts at line 2); the line begins with a tab, and YAML takes spaces alone "
            "there");
    refused("limits: {depth: ${X:-2}}\n",
            "c.yaml:1:18: did not find expected ',' or '}' (while parsing a flow mapping that "
            "starts at line 1); within [ ] and { } a ${NAME} stands in quotes: \"${NAME}\"");
}

static void size_is_bounded(void **state)
{
    size_t size = ISWI_CONFIG_MAX_BYTES + 1;
    char *text = malloc(size);

    (void)state;
    memset(text, '#', size);
    refused_bytes(text, size, "c.yaml:1:1: the file is larger than 1048576 bytes");
    refused_bytes(text, size - 1, "c.yaml:1:1: " EMPTY);
    free(text);
}

static void unopened(const char *path, isw_status status, const char *message)
{
    iswi_config *config = NULL;
    isw_error error = { 0 };

    assert_int_equal(iswi_config_open(path, NULL, &config, &error), status);
    assert_string_equal(error.message, message);
    assert_null(config);
}

static void only_a_regular_file_is_opened(void **state)
{
    char folder[] = "/tmp/isw-config-XXXXXX";
    iswi_config *config = NULL;
    isw_error error = { 0 };
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("folder.yaml", 0700), 0);
    assert_int_equal(mkfifo("pipe.yaml", 0600), 0);
    unopened("none.yaml", ISW_E_IO, "none.yaml: cannot be read: No such file or directory");
    unopened("folder.yaml", ISW_E_IO, "folder.yaml: cannot be read: it is a directory");
    unopened("pipe.yaml", ISW_E_IO, "pipe.yaml: cannot be read: it is not a regular file");
    file = fopen("c.yaml", "w");
    unopened("c.yaml", ISW_E_CONFIG, "c.yaml:1:1: " EMPTY);
    assert_true(fputs("name: from a file\n", file) >= 0);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(iswi_config_open("c.yaml", NULL, &config, &error), ISW_OK);
    assert_string_equal(loaded(config)->name, "from a file");
    iswi_config_close(config);
    assert_int_equal(ftruncate(fileno(file), ISWI_CONFIG_MAX_BYTES + 1), 0);
    unopened("c.yaml", ISW_E_CONFIG, "c.yaml:1:1: the file is larger than 1048576 bytes");
    fclose(file);
    unlink("c.yaml");
    unlink("pipe.yaml");
    rmdir("folder.yaml");
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nodes_know_their_place),
    cmocka_unit_test(a_later_layer_can_refuse_a_node),
    cmocka_unit_test(aliases_repeat_what_the_anchor_holds),
    cmocka_unit_test(aliases_are_bounded),
    cmocka_unit_test(anchors_are_bounded),
    cmocka_unit_test(depth_is_bounded),
    cmocka_unit_test(keys_given_twice_are_refused),
    cmocka_unit_test(what_is_not_one_plain_mapping_is_refused),
    cmocka_unit_test(what_is_not_text_is_refused),
    cmocka_unit_test(a_byte_order_mark_is_skipped),
    cmocka_unit_test(syntax_errors_have_a_place),
    cmocka_unit_test(size_is_bounded),
    cmocka_unit_test(only_a_regular_file_is_opened),
};

ISW_TEST_MAIN(tests)
