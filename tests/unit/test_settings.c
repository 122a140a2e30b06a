/* Settings: defaults, the files and their order, the environment over them, what is refused. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/settings.h"

#define CONFIG "etc/bootlace/config.yaml"
#define CONFIG_D "etc/bootlace/config.d/"

static const char *const variables[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                                        "AWS_EC2_METADATA_DISABLED", "AWS_METADATA_SERVICE_TIMEOUT",
                                        "AWS_METADATA_SERVICE_NUM_ATTEMPTS"};

static int clean(void **state)
{
    for (size_t i = 0; i < COUNT(variables); i++)
        unsetenv(variables[i]);
    return folder_empty(state);
}

static int make(void **state)
{
    return folder_make(state) || clean(state);
}

struct all {
    struct settings settings;
    json_t *image;
};

static void all_clear(struct all *all)
{
    settings_clear(&all->settings);
    json_decref(all->image);
}

#define AUTO_ALL __attribute__((cleanup(all_clear)))

static struct all read_all(void)
{
    struct error error = ERROR_INIT;
    char text[ERROR_TEXT_MAX];
    struct all all;

    if (settings_read(&all.settings, &all.image, NULL, &error) < 0)
        fail_msg("%s", error_text(&error, text, sizeof text));
    assert_silent(&error);
    return all;
}

static void assert_refused(const char *words)
{
    struct error error = ERROR_INIT;
    AUTO_ALL struct all all;

    if (settings_read(&all.settings, &all.image, NULL, &error) == 0)
        fail_msg("taken, though \"%s\"", words);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, words);
}

static void without_files_there_are_defaults(void **state)
{
    AUTO_ALL struct all all = read_all();
    const struct settings *settings = &all.settings;

    (void)state;
    assert_int_equal(settings->source_count, 2);
    assert_string_equal(settings->sources[0], "seed");
    assert_string_equal(settings->sources[1], "ec2");
    assert_false(settings->sources_given);
    assert_string_equal(settings->endpoint, "");
    assert_false(settings->ipv6);
    assert_false(settings->metadata_disabled);
    assert_int_equal(settings->wait_ms, 120000);
    assert_int_equal(settings->timeout_ms, 1000);
    assert_int_equal(settings->attempts, 0);
    assert_int_equal(settings->network_wait_ms, 30000);
    assert_string_equal(settings->seed, folder_at("var/lib/bootlace/seed"));
    assert_string_equal(settings->user_data, "");
    assert_int_equal(json_object_size(settings->modules), 0);
    assert_int_equal(json_object_size(all.image), 0);
}

static void every_setting_of_a_file(void **state)
{
    folder_put(CONFIG, "bootlace:\n"
                       "  sources: [ec2]\n"
                       "  metadata:\n"
                       "    endpoint: http://192.0.2.1\n"
                       "    endpoint_mode: IPv6\n"
                       "    wait: 2.5\n"
                       "    timeout: 0.25\n"
                       "    attempts: 3\n"
                       "  seed: /seed\n"
                       "  network_wait: 4.5\n"
                       "  modules:\n"
                       "    script: {time_limit: 60, on_failure: retry, on_interrupt: rerun}\n");
    AUTO_ALL struct all all = read_all();
    const struct settings *settings = &all.settings;

    (void)state;
    assert_int_equal(settings->source_count, 1);
    assert_string_equal(settings->sources[0], "ec2");
    assert_true(settings->sources_given);
    assert_string_equal(settings->endpoint, "http://192.0.2.1");
    assert_true(settings->ipv6);
    assert_int_equal(settings->wait_ms, 2500);
    assert_int_equal(settings->timeout_ms, 250);
    assert_int_equal(settings->attempts, 3);
    assert_string_equal(settings->seed, "/seed");
    assert_int_equal(settings->network_wait_ms, 4500);
    assert_json(json_incref(settings->modules),
                "{'script':{'time_limit':60,'on_failure':'retry','on_interrupt':'rerun'}}");
}

static void files_come_in_the_order_of_their_names(void **state)
{
    folder_put(CONFIG, "bootlace: {seed: /main, metadata: {wait: 1, attempts: 1}}\n");
    folder_put(CONFIG_D "20-b.yaml", "bootlace: {seed: /twenty}\n");
    folder_put(CONFIG_D "10-a.yaml", "bootlace: {seed: /ten, metadata: {wait: 10}}\n");
    folder_put(CONFIG_D "Z.yaml", "bootlace: {metadata: {timeout: 7}}\n");
    AUTO_ALL struct all all = read_all();

    (void)state;
    assert_string_equal(all.settings.seed, "/twenty");
    assert_int_equal(all.settings.wait_ms, 10000);
    assert_int_equal(all.settings.attempts, 1);
    assert_int_equal(all.settings.timeout_ms, 7000);
}

static void other_files_are_not_read(void **state)
{
    folder_put(CONFIG_D ".hidden.yaml", "bootlace: {no: 1}\n");
    folder_put(CONFIG_D "a.yaml~", "bootlace: {no: 1}\n");
    folder_put(CONFIG_D "a.yml.bak", "bootlace: {no: 1}\n");
    folder_put(CONFIG_D "yaml", "bootlace: {no: 1}\n");
    folder_put(CONFIG_D "a.yaml/x", "");
    unlink(folder_at(CONFIG_D "a.yaml/x"));
    rmdir(folder_at(CONFIG_D "a.yaml"));
    AUTO_ALL struct all all = read_all();

    (void)state;
    assert_int_equal(all.settings.wait_ms, 120000);
}

static void other_keys_are_the_images_defaults(void **state)
{
    folder_put(CONFIG, "packages: [a]\nhostname: one\nbootlace:\n");
    folder_put(CONFIG_D "1.yaml", "packages: [b]\nruncmd: [ls]\n");
    folder_put(CONFIG_D "2.yaml", "# nothing\n");
    AUTO_ALL struct all all = read_all();

    (void)state;
    assert_json(json_incref(all.image), "{'packages':['b'],'hostname':'one','runcmd':['ls']}");
}

/* As with the other settings: what a later file does not name stays as it was. */
static void modules_settings_come_together(void **state)
{
    folder_put(CONFIG, "bootlace: {modules: {script: {time_limit: 5, on_failure: retry}}}\n");
    folder_put(CONFIG_D "1.yaml", "bootlace: {modules: {script: {time_limit: 6}, x: {}}}\n");
    AUTO_ALL struct all all = read_all();

    (void)state;
    assert_json(json_incref(all.settings.modules),
                "{'script':{'time_limit':6,'on_failure':'retry'},'x':{}}");
}

static void environment_comes_over_the_files(void **state)
{
    folder_put(CONFIG, "bootlace: {metadata: {endpoint: http://a, endpoint_mode: ipv4, "
                       "timeout: 9, attempts: 9}}\n");
    folder_put(CONFIG_D "1.yaml", "bootlace: {metadata: {endpoint: http://b, timeout: 8}}\n");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.7:8080", 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "True", 1);
    setenv("AWS_METADATA_SERVICE_TIMEOUT", "2.5", 1);
    setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "4", 1);
    AUTO_ALL struct all all = read_all();
    const struct settings *settings = &all.settings;

    (void)state;
    assert_string_equal(settings->endpoint, "http://192.0.2.7:8080");
    assert_true(settings->ipv6);
    assert_true(settings->metadata_disabled);
    assert_int_equal(settings->timeout_ms, 2500);
    assert_int_equal(settings->attempts, 4);
}

static void empty_variables_say_nothing(void **state)
{
    folder_put(CONFIG, "bootlace: {metadata: {endpoint: http://a, timeout: 9, attempts: 9}}\n");
    for (size_t i = 0; i < COUNT(variables); i++)
        setenv(variables[i], "", 1);
    AUTO_ALL struct all all = read_all();

    (void)state;
    assert_string_equal(all.settings.endpoint, "http://a");
    assert_int_equal(all.settings.timeout_ms, 9000);
    assert_int_equal(all.settings.attempts, 9);
    assert_false(all.settings.metadata_disabled);
}

static void only_true_disables(void **state)
{
    static const char *const words[] = {"false", "0", "1", "no"};

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        setenv("AWS_EC2_METADATA_DISABLED", words[i], 1);
        AUTO_ALL struct all all = read_all();
        assert_false(all.settings.metadata_disabled);
    }
}

static void wrong_variables_are_refused(void **state)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "soon"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "0"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "-1"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "1s"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "nan"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "1e9"},
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "0"},
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1001"},
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2.5"},
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many"},
    };
    char longest[SETTINGS_URL_MAX + 1];

    for (size_t i = 0; i < COUNT(rows); i++) {
        setenv(rows[i].name, rows[i].value, 1);
        assert_refused(strstr(rows[i].name, "MODE") ? "endpoint_mode" : rows[i].name);
        clean(state);
    }
    memset(longest, 'x', SETTINGS_URL_MAX);
    longest[SETTINGS_URL_MAX] = '\0';
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", longest, 1);
    assert_refused("is too long");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", longest + 1, 1);
    AUTO_ALL struct all all = read_all();
    assert_string_equal(all.settings.endpoint, longest + 1);
}

static void wrong_files_are_refused_with_their_key(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"bootlace: [1]\n", "bootlace: is no mapping"},
        {"- bootlace\n", "is no mapping of settings"},
        {"text\n", "is no mapping of settings"},
        {"bootlace: {sorces: [ec2]}\n", "bootlace.sorces: is not a setting"},
        {"bootlace: {metadata: {enpoint: x}}\n", "bootlace.metadata.enpoint: is not a setting"},
        {"bootlace: {modules: {script: {limit: 1}}}\n",
         "bootlace.modules.script.limit: is not a setting"},
        {"bootlace: {sources: ec2}\n", "bootlace.sources: is no list"},
        {"bootlace: {sources: []}\n", "bootlace.sources: is no list"},
        {"bootlace: {sources: [1]}\n", "bootlace.sources: has an item"},
        {"bootlace: {sources: [a-name-that-is-too-long]}\n", "bootlace.sources: has an item"},
        {"bootlace: {sources: [a, a, a, a, a, a, a, a, a]}\n", "bootlace.sources: is no list"},
        {"bootlace: {metadata: 7}\n", "bootlace.metadata: is no mapping"},
        {"bootlace: {metadata: {endpoint: 7}}\n", "bootlace.endpoint: is no text"},
        {"bootlace: {metadata: {endpoint_mode: ipv5}}\n", "endpoint_mode: is neither"},
        {"bootlace: {metadata: {wait: -1}}\n", "bootlace.metadata.wait: is no number of seconds"},
        {"bootlace: {metadata: {wait: 9999999}}\n",
         "bootlace.metadata.wait: is no number of seconds"},
        {"bootlace: {metadata: {wait: 'x'}}\n", "bootlace.metadata.wait: is no number of seconds"},
        {"bootlace: {metadata: {timeout: 0}}\n", "must be more than 0"},
        {"bootlace: {metadata: {attempts: 1.5}}\n", "attempts: is no number of tries"},
        {"bootlace: {metadata: {attempts: -1}}\n", "attempts: is no number of tries"},
        {"bootlace: {metadata: {attempts: 1001}}\n", "attempts: is no number of tries"},
        {"bootlace: {seed: [a]}\n", "bootlace.seed: is no text"},
        {"bootlace: {network_wait: soon}\n", "bootlace.network_wait: is no number of seconds"},
        {"bootlace: {modules: [a]}\n", "bootlace.modules: is no mapping"},
        {"bootlace: {modules: {script: 7}}\n", "bootlace.modules: has an item"},
        {"bootlace: {modules: {script: {time_limit: -1}}}\n", "is no number of seconds"},
        {"bootlace: {modules: {script: {on_failure: again}}}\n", "neither keep nor retry"},
        {"bootlace: {modules: {script: {on_interrupt: retry}}}\n", "neither keep nor rerun"},
        {"bootlace: {sources: [ec2]\n", "not valid YAML"},
    };
    char path[PATH_MAX];

    (void)state;
    snprintf(path, sizeof path, "%s", folder_at(CONFIG));
    for (size_t i = 0; i < COUNT(rows); i++) {
        folder_put(CONFIG, rows[i].text);
        assert_refused(rows[i].words);
        if (!strstr(rows[i].words, "more than"))
            assert_refused(path);
    }
}

/* A value of another type is no value, not the default. */
static void settings_of_another_type_are_refused(void **state)
{
    (void)state;
    folder_put(CONFIG, "bootlace: {modules: {script: {on_failure: 7}}}\n");
    assert_refused("neither keep nor retry");
    folder_put(CONFIG, "bootlace: {modules: {script: {on_interrupt: [rerun]}}}\n");
    assert_refused("neither keep nor rerun");
}

static void one_bad_file_of_several_is_named(void **state)
{
    char path[PATH_MAX];

    (void)state;
    folder_put(CONFIG, "bootlace: {seed: /a}\n");
    folder_put(CONFIG_D "1.yaml", "bootlace: {seed: /b}\n");
    folder_put(CONFIG_D "2.yaml", "bootlace:\n  seed: /b\n bad\n");
    folder_put(CONFIG_D "3.yaml", "bootlace: {seed: /c}\n");
    snprintf(path, sizeof path, "%s:3:", folder_at(CONFIG_D "2.yaml"));
    assert_refused(path);
}

static void files_have_a_limit(void **state)
{
    AUTO_FREE char *text = memory_zeroed(SETTINGS_FILE_MAX + 1, 1);

    (void)state;
    memset(text, ' ', SETTINGS_FILE_MAX + 1);
    text[0] = '#';
    folder_put_bytes(CONFIG, text, SETTINGS_FILE_MAX);
    {
        AUTO_ALL struct all all = read_all();

        assert_int_equal(json_object_size(all.image), 0);
    }
    folder_put_bytes(CONFIG, text, SETTINGS_FILE_MAX + 1);
    assert_refused("is larger than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_files_there_are_defaults, clean),
        cmocka_unit_test_teardown(every_setting_of_a_file, clean),
        cmocka_unit_test_teardown(files_come_in_the_order_of_their_names, clean),
        cmocka_unit_test_teardown(other_files_are_not_read, clean),
        cmocka_unit_test_teardown(other_keys_are_the_images_defaults, clean),
        cmocka_unit_test_teardown(modules_settings_come_together, clean),
        cmocka_unit_test_teardown(environment_comes_over_the_files, clean),
        cmocka_unit_test_teardown(empty_variables_say_nothing, clean),
        cmocka_unit_test_teardown(only_true_disables, clean),
        cmocka_unit_test_teardown(wrong_variables_are_refused, clean),
        cmocka_unit_test_teardown(wrong_files_are_refused_with_their_key, clean),
        cmocka_unit_test_teardown(settings_of_another_type_are_refused, clean),
        cmocka_unit_test_teardown(one_bad_file_of_several_is_named, clean),
        cmocka_unit_test_teardown(files_have_a_limit, clean),
    };

    return cmocka_run_group_tests(tests, make, folder_unmake);
}
