/* What tells one machine and one boot from another, below a folder of the test's own. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/memory.h"
#include "os/machine.h"

#define PRODUCT "sys/class/dmi/id/product_uuid"
#define XEN "sys/hypervisor/uuid"
#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define KERNEL "proc/cmdline"

static void assert_identity(const char *expected)
{
    char text[MACHINE_ID_MAX];

    memset(text, 'x', sizeof text);
    assert_ptr_equal(machine_identity(text), text);
    assert_string_equal(text, expected);
}

static void nothing_known_is_nothing(void **state)
{
    (void)state;
    assert_identity("");
}

static void product_uuid_comes_first(void **state)
{
    (void)state;
    folder_put(XEN, "ec2-XEN\n");
    assert_identity("ec2-xen");
    folder_put(PRODUCT, "EC2E1916-9099-7CAF-FD21-012345ABCDEF\n");
    assert_identity("ec2e1916-9099-7caf-fd21-012345abcdef");
    folder_put(PRODUCT, "ec2e1916-9099-7caf-fd21-012345abcdef");
    assert_identity("ec2e1916-9099-7caf-fd21-012345abcdef");
    folder_put(PRODUCT, "first\nsecond\n");
    assert_identity("first");
}

static void blank_product_uuid_is_none(void **state)
{
    (void)state;
    folder_put(XEN, "xen\n");
    folder_put(PRODUCT, "\n");
    assert_identity("xen");
}

/* Some firmware gives an empty file: what lay in memory is no identity. */
static void empty_product_uuid_is_none(void **state)
{
    char *dirt = malloc(MACHINE_ID_MAX * 2);

    (void)state;
    assert_non_null(dirt);
    memset(dirt, 'x', MACHINE_ID_MAX * 2);
    free(dirt);
    folder_put(PRODUCT, "");
    assert_identity("");
}

static void what_is_too_long_is_none(void **state)
{
    char text[MACHINE_ID_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof text);
    text[MACHINE_ID_MAX + 1] = '\0';
    folder_put(PRODUCT, text);
    assert_identity("");
    text[MACHINE_ID_MAX - 1] = '\0';
    folder_put(PRODUCT, text);
    assert_identity(text);
}

static void boot_id_is_the_kernels(void **state)
{
    char text[MACHINE_ID_MAX], again[MACHINE_ID_MAX];

    (void)state;
    machine_boot_id(text);
    assert_int_equal(strlen(text), 36);
    assert_string_equal(machine_boot_id(again), text);
    folder_put(BOOT_ID, "Another-Boot\n");
    assert_string_equal(machine_boot_id(text), "another-boot");
}

static void words_of_the_kernels_command_line(void **state)
{
    static const struct {
        const char *line;
        bool has;
    } rows[] = {{"bootlace=off\n", true},
                {"bootlace=off", true},
                {"quiet bootlace=off\n", true},
                {"bootlace=off quiet\n", true},
                {"a\tbootlace=off\tb\n", true},
                {"xbootlace=off bootlace=off\n", true},
                {"bootlace=offbootlace=off bootlace=off\n", true},
                {"", false},
                {"\n", false},
                {"quiet\n", false},
                {"bootlace=of\n", false},
                {"bootlace=offline\n", false},
                {"notbootlace=off\n", false},
                {"a.bootlace=off\n", false},
                {"BOOTLACE=OFF\n", false}};

    (void)state;
    assert_false(machine_kernel_word("bootlace=off"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        folder_put(KERNEL, rows[i].line);
        if (machine_kernel_word("bootlace=off") != rows[i].has)
            fail_msg("\"%s\"", rows[i].line);
    }
}

/* A machine that asks to be left alone is left alone, however much else its line says. */
static void long_command_lines_are_read_to_their_end(void **state)
{
    enum { LENGTH = 16000 };
    AUTO_FREE char *line = memory_zeroed(LENGTH + 32, 1);

    (void)state;
    memset(line, 'x', LENGTH);
    snprintf(line + LENGTH, 32, " bootlace=off\n");
    folder_put(KERNEL, line);
    assert_true(machine_kernel_word("bootlace=off"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_known_is_nothing, folder_empty),
        cmocka_unit_test_teardown(product_uuid_comes_first, folder_empty),
        cmocka_unit_test_teardown(blank_product_uuid_is_none, folder_empty),
        cmocka_unit_test_teardown(empty_product_uuid_is_none, folder_empty),
        cmocka_unit_test_teardown(what_is_too_long_is_none, folder_empty),
        cmocka_unit_test_teardown(boot_id_is_the_kernels, folder_empty),
        cmocka_unit_test_teardown(words_of_the_kernels_command_line, folder_empty),
        cmocka_unit_test_teardown(long_command_lines_are_read_to_their_end, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
