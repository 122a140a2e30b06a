/* The choice among the sources, and user-data from a file. */
#include "folder.h"

#include "base/banned.h"
#include "source/http_plugin.h"
#include "source/source.h"

static struct settings settings_of(const char *first, const char *second)
{
    struct settings settings = {.wait_ms = 1000, .timeout_ms = 1000};

    snprintf(settings.sources[0], sizeof settings.sources[0], "%s", first);
    snprintf(settings.sources[1], sizeof settings.sources[1], "%s", second ? second : "");
    settings.source_count = second ? 2 : 1;
    return settings;
}

static struct error open_fails(const struct settings *settings, const char *only)
{
    struct error error = ERROR_INIT;
    struct source source;

    assert_int_equal(source_open(&source, settings, only, &error), -1);
    source_close(&source); /* accepted, though nothing is open */
    return error;
}

static void assert_says(const struct error *error, const char *words)
{
    char text[ERROR_TEXT_MAX];

    if (!strstr(error_text(error, text, sizeof text), words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void none_here_gives_each_reason(void **state)
{
    struct settings settings = settings_of("seed", "ec2");
    struct error error = open_fails(&settings, NULL);

    (void)state;
    assert_int_equal(error.kind, ERROR_SOURCE);
    assert_says(&error, "seed: no user-data or meta-data in ");
    assert_says(&error, "ec2: no sign of EC2");
    settings.source_count = 0;
    error = open_fails(&settings, NULL);
    assert_says(&error, "none is configured");
}

static void unknown_names_are_refused(void **state)
{
    struct settings settings = settings_of("sed", NULL);
    struct error error = open_fails(&settings, NULL);

    (void)state;
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, "no source \"sed\"");
    assert_says(&error, "seed, ec2");
    error = open_fails(&settings, "gce");
    assert_int_equal(error.kind, ERROR_USAGE);
}

static void order_is_that_of_the_settings(void **state)
{
    struct settings settings = settings_of("file", "seed");
    struct error error = ERROR_INIT;
    struct source source;

    (void)state;
    folder_put("var/lib/bootlace/seed/user-data", "#!/bin/sh\n");
    assert_int_equal(source_open(&source, &settings, NULL, &error), 0);
    assert_ptr_equal(source.type, &source_seed);
    source_close(&source);
    snprintf(settings.user_data, sizeof settings.user_data, "%s", folder_at("any"));
    assert_int_equal(source_open(&source, &settings, NULL, &error), 0);
    assert_ptr_equal(source.type, &source_file);
    source_close(&source);
}

/* A seed that is refused must not make the agent ask elsewhere. */
static void a_refused_seed_ends_the_search(void **state)
{
    struct settings settings = settings_of("seed", "ec2");
    struct error error;

    (void)state;
    folder_put("var/lib/bootlace/seed/user-data", "#!/bin/sh\n");
    assert_int_equal(chmod(folder_at("var/lib/bootlace/seed/user-data"), 0666), 0);
    error = open_fails(&settings, NULL);
    assert_int_equal(error.kind, ERROR_INPUT);
}

/* That ec2 was written down is the explicit setting; the plug-in is missing here, so it fails. */
static void a_written_list_is_explicit(void **state)
{
    struct settings settings = settings_of("ec2", NULL);
    struct error error;

    (void)state;
    setenv("BOOTLACE_LIBDIR", folder_at("lib"), 1);
    error = open_fails(&settings, NULL);
    assert_says(&error, "no sign of EC2");
    settings.sources_given = true;
    error = open_fails(&settings, NULL);
    assert_int_equal(error.kind, ERROR_INTERNAL);
    assert_says(&error, "fetch.so");
    error = open_fails(&settings, "ec2");
    assert_says(&error, "fetch.so");
}

static void another_builds_plug_in_is_refused(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    folder_put("lib/plugins/fetch.so", "\x7f"
                                       "ELF, but not really");
    setenv("BOOTLACE_LIBDIR", folder_at("lib"), 1);
    assert_null(http_plugin_load(&error));
    assert_says(&error, "fetch.so");
}

static void file_is_known_by_its_bytes(void **state)
{
    struct settings settings = settings_of("seed", "ec2");
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    char id[SOURCE_ID_MAX + 1], again[SOURCE_ID_MAX + 1];
    struct error error = ERROR_INIT;
    struct source source;

    (void)state;
    folder_put_bytes("script", "#!/bin/sh\n\0x", 12);
    snprintf(settings.user_data, sizeof settings.user_data, "%s", folder_at("script"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(source_open(&source, &settings, "file", &error), 0);
        assert_int_equal(source_identify(&source, i ? again : id, &error), 0);
        assert_int_equal(source_user_data(&source, &out, &error), 1);
        assert_int_equal(out.size, 12);
        assert_memory_equal(out.bytes, "#!/bin/sh\n\0x", 12);
        assert_int_equal(source_item(&source, "hostname", &out, &error), 0);
        source_close(&source);
    }
    assert_string_equal(id, again);
    assert_memory_equal(id, "file-", 5);
    assert_int_equal(strlen(id), 37);
    folder_put("script", "#!/bin/sh\n");
    assert_int_equal(source_open(&source, &settings, "file", &error), 0);
    assert_int_equal(source_identify(&source, again, &error), 0);
    assert_string_not_equal(id, again);
    source_close(&source);
}

static void file_from_standard_input(void **state)
{
    struct settings settings = settings_of("seed", "ec2");
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    char id[SOURCE_ID_MAX + 1];
    struct error error = ERROR_INIT;
    struct source source;
    int ends[2], saved = dup(STDIN_FILENO);

    (void)state;
    snprintf(settings.user_data, sizeof settings.user_data, "-");
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "#!/bin/sh\n", 10), 10);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(source_open(&source, &settings, "file", &error), 0);
    assert_int_equal(source_identify(&source, id, &error), 0);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_string_equal(buffer_text(&out), "#!/bin/sh\n");
    source_close(&source);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void file_that_cannot_be_read(void **state)
{
    struct settings settings = settings_of("seed", "ec2");
    char id[SOURCE_ID_MAX + 1];
    struct error error = ERROR_INIT;
    struct source source;

    (void)state;
    error = open_fails(&settings, "file");
    assert_int_equal(error.kind, ERROR_SOURCE);
    snprintf(settings.user_data, sizeof settings.user_data, "%s", folder_at("not-there"));
    assert_int_equal(source_open(&source, &settings, "file", &error), 0);
    assert_int_equal(source_identify(&source, id, &error), -1);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, "not-there");
    source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(none_here_gives_each_reason, folder_empty),
        cmocka_unit_test_teardown(unknown_names_are_refused, folder_empty),
        cmocka_unit_test_teardown(order_is_that_of_the_settings, folder_empty),
        cmocka_unit_test_teardown(a_refused_seed_ends_the_search, folder_empty),
        cmocka_unit_test_teardown(a_written_list_is_explicit, folder_empty),
        cmocka_unit_test_teardown(another_builds_plug_in_is_refused, folder_empty),
        cmocka_unit_test_teardown(file_is_known_by_its_bytes, folder_empty),
        cmocka_unit_test_teardown(file_from_standard_input, folder_empty),
        cmocka_unit_test_teardown(file_that_cannot_be_read, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
