/* The seed source: both folders, what its meta-data may hold, and what is refused. */
#include "folder.h"

#include "base/banned.h"
#include "base/memory.h"
#include "source/seed_yaml.h"
#include "source/source.h"

#define SEED "var/lib/bootlace/seed/"
#define NOCLOUD "var/lib/cloud/seed/nocloud/"

static struct source open_seed(void)
{
    struct settings settings = {.source_count = 0};
    struct source source = {.type = NULL};
    struct error error = ERROR_INIT;

    if (source_open(&source, &settings, "seed", &error) < 0)
        fail_msg("%s", error.message);
    assert_ptr_equal(source.type, &source_seed);
    return source;
}

static struct error open_fails(void)
{
    struct settings settings = {.source_count = 0};
    struct source source = {.type = NULL};
    struct error error = ERROR_INIT;

    assert_int_equal(source_open(&source, &settings, "seed", &error), -1);
    assert_null(source.type);
    return error;
}

static void assert_says(const struct error *error, const char *words)
{
    char text[ERROR_TEXT_MAX];

    if (!strstr(error_text(error, text, sizeof text), words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void assert_id(struct source *source, const char *expected)
{
    char id[SOURCE_ID_MAX + 1];
    struct error error = ERROR_INIT;

    if (source_identify(source, id, &error) < 0)
        fail_msg("%s", error.message);
    assert_string_equal(id, expected);
}

/* NULL: there is no such item. */
static void assert_item(struct source *source, const char *path, const char *expected)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_ITEM_MAX);
    struct error error = ERROR_INIT;
    int got = source_item(source, path, &out, &error);

    if (got != (expected ? 1 : 0))
        fail_msg("%s: %d", path, got);
    assert_string_equal(buffer_text(&out), expected ? expected : "");
}

static void seed_with_both_files(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    struct error error = ERROR_INIT;
    struct source source;

    (void)state;
    folder_put_bytes(SEED "user-data", "#!/bin/sh\n\0\xff\n", 13);
    folder_put(SEED "meta-data", "instance-id: iid-local01\nlocal-hostname: web1\n");
    source = open_seed();
    assert_id(&source, "iid-local01");
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_int_equal(out.size, 13);
    assert_memory_equal(out.bytes, "#!/bin/sh\n\0\xff\n", 13);
    assert_item(&source, "instance-id", "iid-local01");
    assert_item(&source, "/local-hostname", "web1");
    assert_item(&source, "hostname", "web1");
    assert_item(&source, "public-hostname", NULL);
    assert_item(&source, "dynamic/instance-identity/document", NULL);
    source_close(&source);
}

static void own_folder_comes_before_cloud_inits(void **state)
{
    struct settings settings = {.source_count = 0};
    struct error error = ERROR_INIT;
    struct source source;

    (void)state;
    folder_put(NOCLOUD "meta-data", "instance-id: nocloud\n");
    source = open_seed();
    assert_id(&source, "nocloud");
    source_close(&source);

    folder_put(SEED "user-data", "#!/bin/sh\n");
    folder_put(SEED "meta-data", "instance-id: own\n");
    source = open_seed();
    assert_id(&source, "own");
    source_close(&source);

    folder_put("elsewhere/meta-data", "instance-id: named\n");
    snprintf(settings.seed, sizeof settings.seed, "%s", folder_at("elsewhere"));
    assert_int_equal(source_open(&source, &settings, "seed", &error), 0);
    assert_id(&source, "named");
    source_close(&source);
}

static void without_an_id_the_user_data_is_it(void **state)
{
    static const char *const meta_data[] = {NULL,
                                            "",
                                            "# nothing\n",
                                            "hostname: a\n",
                                            "instance-id:\n",
                                            "instance-id: ~\n",
                                            "instance-id: null\n",
                                            "{\"instance-id\": null}\n"};
    struct source source;

    (void)state;
    for (size_t i = 0; i < sizeof meta_data / sizeof meta_data[0]; i++) {
        folder_put(SEED "user-data", "#!/bin/sh\n");
        if (meta_data[i])
            folder_put(SEED "meta-data", meta_data[i]);
        source = open_seed();
        assert_id(&source, "seed-011993f27e95f64f3476143364c3fa73");
        source_close(&source);
    }
    folder_put(SEED "user-data", "#!/bin/sh\n\n");
    source = open_seed();
    {
        char id[SOURCE_ID_MAX + 1] = "";
        struct error error = ERROR_INIT;

        assert_int_equal(source_identify(&source, id, &error), 0);
        assert_string_not_equal(id, "seed-011993f27e95f64f3476143364c3fa73");
    }
    source_close(&source);
}

static void without_user_data_there_is_none(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    struct error error = ERROR_INIT;
    struct source source;

    (void)state;
    folder_put(SEED "meta-data", "instance-id: i\n");
    source = open_seed();
    assert_int_equal(source_user_data(&source, &out, &error), 0);
    source_close(&source);
    folder_put(SEED "user-data", "");
    source = open_seed();
    assert_int_equal(source_user_data(&source, &out, &error), 0);
    source_close(&source);
}

static void no_seed_says_where_it_looked(void **state)
{
    struct error error = open_fails();

    (void)state;
    assert_int_equal(error.kind, ERROR_SOURCE);
    assert_says(&error, "/var/lib/bootlace/seed");
    assert_says(&error, "/var/lib/cloud/seed/nocloud");
}

static void nested_values_become_paths(void **state)
{
    struct source source;

    (void)state;
    folder_put(SEED "meta-data", "instance-id: 123\n"
                                 "placement: {region: eu-1, availability-zone: 'eu-1a'}\n"
                                 "tags:\n  instance:\n    Name: \"a b\"\n    Role: |\n      web\n"
                                 "list: [a, b, ~, c]\n"
                                 "disks:\n  - {id: sda, size: 1}\n  - {id: sdb}\n"
                                 "empty: {}\nnone: []\nquoted: ''\n");
    source = open_seed();
    assert_id(&source, "123");
    assert_item(&source, "placement/region", "eu-1");
    assert_item(&source, "placement/availability-zone", "eu-1a");
    assert_item(&source, "placement/", "region\navailability-zone");
    assert_item(&source, "placement", "region\navailability-zone");
    assert_item(&source, "tags/instance/Name", "a b");
    assert_item(&source, "tags/instance/Role", "web\n");
    assert_item(&source, "tags/", "instance/");
    assert_item(&source, "list", "a\nb\nc");
    assert_item(&source, "disks/1/id", "sdb");
    assert_item(&source, "disks/0", "id\nsize");
    assert_item(&source, "quoted", "");
    assert_item(&source, "empty", NULL);
    assert_item(&source, "place", NULL);
    assert_item(&source, "", "instance-id\nplacement/\ntags/\nlist\ndisks/\nquoted");
    source_close(&source);
}

static void json_is_read_as_well(void **state)
{
    struct source source;

    (void)state;
    folder_put(SEED "meta-data",
               "{\n  \"instance-id\": \"i-json\",\n  \"local-hostname\": \"h\\u00e4\",\n"
               "  \"placement\": {\"region\": \"eu\"},\n  \"x\": [1, true]\n}\n");
    source = open_seed();
    assert_id(&source, "i-json");
    assert_item(&source, "hostname", "h\xc3\xa4");
    assert_item(&source, "placement/region", "eu");
    assert_item(&source, "x", "1\ntrue");
    source_close(&source);
}

static void public_keys_become_ec2s_tree(void **state)
{
    static const struct {
        const char *yaml, *list, *first, *second;
    } forms[] = {
        {"public-keys: ssh-ed25519 A a@b\n", "0=key", "ssh-ed25519 A a@b", NULL},
        {"public-keys: |\n  k1\n\n  k2\n", "0=key\n1=key", "k1", "k2"},
        {"public-keys: [k1, k2]\n", "0=key\n1=key", "k1", "k2"},
        {"public-keys: {mine: k1, yours: k2}\n", "0=mine\n1=yours", "k1", "k2"},
        {"public-keys: {mine: [k1, k2]}\n", "0=mine\n1=mine", "k1", "k2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct source source;

        folder_put(SEED "meta-data", forms[i].yaml);
        source = open_seed();
        assert_item(&source, "public-keys/", forms[i].list);
        assert_item(&source, "public-keys", forms[i].list);
        assert_item(&source, "public-keys/0/openssh-key", forms[i].first);
        assert_item(&source, "public-keys/1/openssh-key", forms[i].second);
        assert_item(&source, "", "public-keys/");
        source_close(&source);
    }
}

static void remember(const char *path, const char *value, void *context)
{
    buffer_format(context, "%s=%s;", path, value);
}

static void all_items_are_known(void **state)
{
    AUTO_BUFFER struct buffer told = BUFFER_INIT(4096);
    struct source source;

    (void)state;
    folder_put(SEED "meta-data", "instance-id: i\nlocal-hostname: h\npublic-keys: [k]\n");
    source = open_seed();
    source_known(&source, remember, &told);
    assert_string_equal(buffer_text(&told), "instance-id=i;local-hostname=h;"
                                            "public-keys/0/openssh-key=k;hostname=h;");
    source_close(&source);
}

static void bad_meta_data_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *yaml, *words;
    } rows[] = {
        {"a: &x b\nc: *x\n", "meta-data:1:4: anchors"},
        {"a: 1\nb: *x\n", "meta-data:2:4: anchors"},
        {"a: &x {b: c}\n", "anchors"},
        {"a: &x [b]\n", "anchors"},
        {"- a\n", "expected"},
        {"just words\n", "expected"},
        {"a: 1\na: 2\n", "meta-data:2:4: this item is given twice"},
        {"a: [1\n", "not valid YAML"},
        {"a: 1\n\tb: 2\n", "not valid YAML"},
        {"a: \"x\\0y\"\n", "NUL"},
        {"? [a]\n: b\n", "a name is expected"},
        {"\"\": b\n", "1 to 128"},
        {"\"a\\nb\": b\n", "control"},
        {"a: 1\n---\nb: 2\n", "second document"},
        {"a: [[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]\n", "nested too deeply"},
        {"\xff\xfe"
         "a\0:\0",
         "not valid YAML"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error;

        folder_put(SEED "meta-data", rows[i].yaml);
        error = open_fails();
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_says(&error, rows[i].words);
    }
}

static void a_secret_is_never_shown(void **state)
{
    struct error error;

    (void)state;
    folder_put(SEED "meta-data", "password: hunter2: [\n");
    error = open_fails();
    assert_null(strstr(error.message, "hunter2"));
}

static void limits_hold(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct error error;
    struct source source;

    (void)state;
    for (int i = 0; i < SEED_ITEMS_MAX; i++)
        buffer_format(&text, "k%d: v\n", i);
    folder_put(SEED "meta-data", text.bytes);
    source = open_seed();
    assert_item(&source, "k1023", "v");
    source_close(&source);
    buffer_append_text(&text, "more: v\n");
    folder_put(SEED "meta-data", text.bytes);
    error = open_fails();
    assert_says(&error, "too many items");

    buffer_clear(&text);
    buffer_append_text(&text, "a: ");
    while (text.size <= 256 << 10)
        buffer_append_text(&text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    folder_put(SEED "meta-data", text.bytes);
    error = open_fails();
    assert_says(&error, "larger than the limit of 262144 bytes");
}

static void user_data_has_a_limit(void **state)
{
    char *large = memory_zeroed(1, SOURCE_USER_DATA_MAX + 1);
    struct source source;
    struct error error;

    (void)state;
    folder_put_bytes(SEED "user-data", large, SOURCE_USER_DATA_MAX);
    source = open_seed();
    source_close(&source);
    folder_put_bytes(SEED "user-data", large, SOURCE_USER_DATA_MAX + 1);
    error = open_fails();
    assert_says(&error, "larger than the limit of 16777216 bytes");
    free(large);
}

static void bad_ids_are_refused(void **state)
{
    static const char long_id[] = "x1234567890123456789012345678901234567890123456789012345678901"
                                  "2345";
    static const char *const ids[] = {"../x", "'a b'", ".a", "a/b", "\"\"", long_id};

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct error error = ERROR_INIT;
        char text[256], id[SOURCE_ID_MAX + 1] = "";
        struct source source;

        snprintf(text, sizeof text, "instance-id: %s\n", ids[i]);
        folder_put(SEED "meta-data", text);
        source = open_seed();
        assert_int_equal(source_identify(&source, id, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_string_equal(id, "");
        source_close(&source);
    }
}

/* What others could have written is not what root runs. */
static void files_that_others_can_write_are_refused(void **state)
{
    static const char *const names[] = {"user-data", "meta-data"};
    struct error error;

    for (size_t i = 0; i < 2; i++) {
        char name[64];

        folder_put(SEED "user-data", "#!/bin/sh\n");
        folder_put(SEED "meta-data", "instance-id: i\n");
        snprintf(name, sizeof name, SEED "%s", names[i]);
        assert_int_equal(chmod(folder_at(name), 0646), 0);
        error = open_fails();
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_says(&error, names[i]);
        assert_says(&error, "others can write it");
        folder_empty(state);
    }
    folder_put(SEED "user-data", "#!/bin/sh\n");
    assert_int_equal(chmod(folder_at(SEED), 0777), 0);
    error = open_fails();
    assert_says(&error, "others can write it");
}

static void files_of_other_users_are_refused(void **state)
{
    struct error error;

    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    folder_put(SEED "user-data", "#!/bin/sh\n");
    assert_int_equal(chown(folder_at(SEED "user-data"), 65534, 0), 0);
    error = open_fails();
    assert_says(&error, "belongs to another user (65534)");
    assert_int_equal(chown(folder_at(SEED "user-data"), 0, 65534), 0);
    assert_int_equal(chmod(folder_at(SEED "user-data"), 0664), 0);
    error = open_fails();
    assert_says(&error, "others can write it");
}

static void only_regular_files_are_taken(void **state)
{
    struct error error;

    folder_put(SEED "meta-data", "instance-id: i\n");
    assert_int_equal(symlink("/etc/passwd", folder_at(SEED "user-data")), 0);
    error = open_fails();
    assert_says(&error, "symbolic link");
    folder_empty(state);

    folder_put(SEED "meta-data", "instance-id: i\n");
    assert_int_equal(mkfifo(folder_at(SEED "user-data"), 0644), 0);
    error = open_fails();
    assert_says(&error, "no regular file");
    folder_empty(state);

    folder_put(SEED "meta-data", "instance-id: i\n");
    assert_int_equal(mkdir(folder_at(SEED "user-data"), 0755), 0);
    error = open_fails();
    assert_says(&error, "no regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(seed_with_both_files, folder_empty),
        cmocka_unit_test_teardown(own_folder_comes_before_cloud_inits, folder_empty),
        cmocka_unit_test_teardown(without_an_id_the_user_data_is_it, folder_empty),
        cmocka_unit_test_teardown(without_user_data_there_is_none, folder_empty),
        cmocka_unit_test_teardown(no_seed_says_where_it_looked, folder_empty),
        cmocka_unit_test_teardown(nested_values_become_paths, folder_empty),
        cmocka_unit_test_teardown(json_is_read_as_well, folder_empty),
        cmocka_unit_test_teardown(public_keys_become_ec2s_tree, folder_empty),
        cmocka_unit_test_teardown(all_items_are_known, folder_empty),
        cmocka_unit_test_teardown(bad_meta_data_is_refused_with_its_line, folder_empty),
        cmocka_unit_test_teardown(a_secret_is_never_shown, folder_empty),
        cmocka_unit_test_teardown(limits_hold, folder_empty),
        cmocka_unit_test_teardown(user_data_has_a_limit, folder_empty),
        cmocka_unit_test_teardown(bad_ids_are_refused, folder_empty),
        cmocka_unit_test_teardown(files_that_others_can_write_are_refused, folder_empty),
        cmocka_unit_test_teardown(files_of_other_users_are_refused, folder_empty),
        cmocka_unit_test_teardown(only_regular_files_are_taken, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
