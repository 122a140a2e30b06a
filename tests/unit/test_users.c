/* The pure parts of the module users: lines of authorized_keys, the file of sudo's rules. */
#include "check.h"

#include <errno.h>
#include <users/authorized.h>
#include <users/sudo.h>

/* A module has a process of its own, and frees nothing that lives as long. The runtime is a shared
 * library, which sees only what is exported. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

#define ED "AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define RSA "AAAAB3NzaC1yc2EAAAADAQABAAAAAQEA"

static void assert_blob(const char *line, const char *expected)
{
    char *blob = authorized_blob(line);

    if (!expected && blob)
        fail_msg("%s is taken for the key %s", line, blob);
    if (expected && !blob)
        fail_msg("%s is taken for none", line);
    if (expected)
        assert_string_equal(blob, expected);
    free(blob);
}

static void a_line_is_known_by_its_key(void **state)
{
    (void)state;
    assert_blob("ssh-ed25519 " ED, "ssh-ed25519 " ED);
    assert_blob("  ssh-ed25519\t" ED "  a comment", "ssh-ed25519 " ED);
    assert_blob("no-pty ssh-rsa " RSA, "ssh-rsa " RSA);
    assert_blob("command=\"a \\\"b ssh-rsa\\\" d\",no-pty ssh-rsa " RSA " x", "ssh-rsa " RSA);
    assert_blob("sk-ssh-ed25519@openssh.com " RSA, "sk-ssh-ed25519@openssh.com " RSA);
    assert_blob("", NULL);
    assert_blob("# ssh-rsa " RSA, NULL);
    assert_blob("ssh-rsa", NULL);
    assert_blob("ssh-rsa ", NULL);
    assert_blob("ssh-rsa AA\"AA", NULL);
    assert_blob("command=\"open ssh-rsa " RSA, NULL);
    assert_blob("a b ssh-rsa " RSA, NULL);
    assert_blob(RSA, NULL);
}

static void what_is_no_key_costs_itself_alone(void **state)
{
    struct authorized_keys keys = {.count = 0};

    (void)state;
    assert_int_equal(authorized_add(&keys, "# mine\n\n ssh-rsa " RSA " a\r\nssh-ed25519 " ED), 0);
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.lines[0], "ssh-rsa " RSA " a");
    assert_int_equal(authorized_add(&keys, "hello\nssh-rsa " RSA "\x1b[2J\nssh-rsa " RSA " b"),
                     -EINVAL);
    assert_int_equal(keys.count, 3);
    assert_string_equal(keys.lines[2], "ssh-rsa " RSA " b");
}

static void there_is_an_end_of_keys(void **state)
{
    struct authorized_keys keys = {.count = 0};

    (void)state;
    for (size_t i = 0; i < AUTHORIZED_KEYS_MAX; i++)
        assert_int_equal(authorized_add(&keys, "ssh-rsa " RSA), 0);
    assert_int_equal(authorized_add(&keys, "ssh-rsa " RSA), -E2BIG);
    assert_int_equal(keys.count, AUTHORIZED_KEYS_MAX);
}

static void assert_merged(const char *file, const char *add, const char *options, const char *old,
                          const char *expected)
{
    struct authorized_keys keys = {.count = 0}, gone = {.count = 0};
    struct text out = {0};
    bool changed;

    assert_int_equal(authorized_add(&keys, add), 0);
    assert_int_equal(authorized_add(&gone, old), 0);
    changed = authorized_merge(file, &keys, options, &gone, &out);
    assert_string_equal(text_string(&out), expected);
    assert_int_equal(changed, strcmp(file, expected) != 0);
    free(out.bytes);
}

static void files_are_merged(void **state)
{
    static const char key[] = "ssh-rsa " RSA " new", shut[] = "restrict ssh-rsa " RSA " new\n";

    (void)state;
    assert_merged("", "", NULL, "", "");
    assert_merged("", key, NULL, "", "ssh-rsa " RSA " new\n");
    assert_merged("a", key, NULL, "", "a\nssh-rsa " RSA " new\n");
    assert_merged("# a\n\nb\n", key, "restrict", "", "# a\n\nb\nrestrict ssh-rsa " RSA " new\n");
    assert_merged("a\nno-pty ssh-rsa " RSA " old\nb\n", key, NULL, "",
                  "a\nssh-rsa " RSA " new\nb\n");
    assert_merged("ssh-rsa " RSA "\nssh-rsa " RSA " twice\n", key, "restrict", "", shut);
    assert_merged(shut, key, "restrict", "", shut);
    assert_merged("a\nssh-rsa " RSA "\nssh-ed25519 " ED "\n", "", NULL, key,
                  "a\nssh-ed25519 " ED "\n");
    assert_merged("#ssh-rsa " RSA "\n", "", NULL, key, "#ssh-rsa " RSA "\n");
}

static void assert_rules(const char *file, const char *user, const char *rules,
                         const char *expected)
{
    json_t *json = json_loads(rules, JSON_DECODE_ANY, NULL);
    struct text out = {0};

    assert_non_null(json);
    sudo_merge(file, user, json, &out);
    assert_string_equal(text_string(&out), expected);
    free(out.bytes);
    json_decref(json);
}

static void rules_are_each_users_own(void **state)
{
    static const char both[] = "# Rules for app\napp ALL=(ALL) ALL\n"
                               "# Rules for app2\napp2 A\napp2 B\n";

    (void)state;
    assert_rules("", "app", "\"ALL=(ALL) ALL\"", "# Rules for app\napp ALL=(ALL) ALL\n");
    assert_rules("# Rules for app\napp ALL=(ALL) ALL\n", "app2", "[\"A\", \"B\"]", both);
    assert_rules(both, "app", "\"C\"",
                 "# Rules for app2\napp2 A\napp2 B\n# Rules for app\napp C\n");
    assert_rules(both, "app", "null", "# Rules for app2\napp2 A\napp2 B\n");
    assert_rules(both, "app2", "false", "# Rules for app\napp ALL=(ALL) ALL\n");
    assert_rules(both, "ap", "[]", both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_known_by_its_key),
        cmocka_unit_test(what_is_no_key_costs_itself_alone),
        cmocka_unit_test(there_is_an_end_of_keys),
        cmocka_unit_test(files_are_merged),
        cmocka_unit_test(rules_are_each_users_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
