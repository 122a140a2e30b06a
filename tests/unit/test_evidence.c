/* Signs of EC2 in DMI and /sys/hypervisor/uuid, below a folder of the test's own. */
#include "folder.h"

#include "base/banned.h"
#include "source/evidence.h"
#include "source/source.h"

static void dmi(const char *file, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "sys/class/dmi/id/%s", file);
    folder_put(path, text);
}

static void nothing_is_no_evidence(void **state)
{
    char why[256] = "";

    (void)state;
    assert_false(evidence_of_ec2(why, sizeof why));
    assert_non_null(strstr(why, "no sign of EC2"));
}

static void another_machine_is_none(void **state)
{
    char why[256];

    (void)state;
    dmi("sys_vendor", "QEMU\n");
    dmi("product_uuid", "4c4c4544-0042-4a10-8036-b5c04f4d4a32\n");
    dmi("product_serial", "JBJ6M42\n");
    folder_put("sys/hypervisor/uuid", "00000000-0000-0000-0000-000000000000\n");
    assert_false(evidence_of_ec2(why, sizeof why));
}

static void each_sign_alone_suffices(void **state)
{
    static const struct {
        const char *file, *text, *words;
    } signs[] = {
        {"sys/class/dmi/id/sys_vendor", "Amazon EC2\n", "system vendor"},
        {"sys/class/dmi/id/sys_vendor", "Amazon EC2", "system vendor"},
        {"sys/class/dmi/id/product_uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n", "UUID"},
        {"sys/class/dmi/id/product_uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF\n", "UUID"},
        {"sys/class/dmi/id/product_uuid", "45e12aec-dcd1-b213-94ed-012345abcdef\n", "UUID"},
        {"sys/class/dmi/id/product_uuid", "45E12AEC-DCD1-B213-94ED-012345ABCDEF\n", "UUID"},
        {"sys/class/dmi/id/product_serial", "ec2e1916-9099-7caf-fd21-012345abcdef\n", "serial"},
        {"sys/hypervisor/uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n", "hypervisor"},
    };
    char why[256];

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        folder_put(signs[i].file, signs[i].text);
        assert_true(evidence_of_ec2(why, sizeof why));
        assert_non_null(strstr(why, signs[i].words));
        folder_empty(state);
        assert_false(evidence_of_ec2(why, sizeof why));
    }
}

static void what_only_looks_like_a_sign_is_none(void **state)
{
    char why[256];

    (void)state;
    dmi("sys_vendor", "Amazon EC2 compatible\n");
    dmi("product_serial", "xec2\n");
    dmi("product_uuid", "\n");
    folder_put("sys/hypervisor/uuid", "");
    assert_false(evidence_of_ec2(why, sizeof why));
}

static void uuids(void **state)
{
    static const char *const no[] = {"",         "ec",        "e2c00000-0000", "0000002c-0000",
                                     "00002ecx", "45e12ae",   "2aec45e1-dcd1", "0ec20000-0000",
                                     "00000ec2", "aec245e1-", "-------ec2-"};
    static const char *const yes[] = {"ec2", "EC2a", "eC20", "00002fec-", "45e12aec", "FFFF2AEC-1"};

    (void)state;
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        if (evidence_uuid_is_ec2(no[i]))
            fail_msg("\"%s\" is taken for EC2's", no[i]);
    }
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (!evidence_uuid_is_ec2(yes[i]))
            fail_msg("\"%s\" is not taken for EC2's", yes[i]);
    }
}

/* A sign may be a fifo or a folder on a strange machine: no reason to hang or to believe. */
static void odd_files_are_no_evidence(void **state)
{
    char why[256];

    (void)state;
    dmi("sys_vendor", "QEMU\n");
    assert_int_equal(mkfifo(folder_at("sys/class/dmi/id/product_uuid"), 0644), 0);
    assert_int_equal(mkdir(folder_at("sys/class/dmi/id/product_serial"), 0755), 0);
    assert_false(evidence_of_ec2(why, sizeof why));
}

/* Whether the address may be asked at all (CVE-2024-6174). */
static void detection(void **state)
{
    struct settings settings = {.wait_ms = 1};
    char why[256];

    (void)state;
    assert_int_equal(source_ec2.detect(&settings, false, why, sizeof why), 0);
    assert_int_equal(source_ec2.detect(&settings, true, why, sizeof why), 1);
    snprintf(settings.endpoint, sizeof settings.endpoint, "http://127.0.0.1:1");
    assert_int_equal(source_ec2.detect(&settings, false, why, sizeof why), 1);
    assert_non_null(strstr(why, "endpoint"));
    settings.metadata_disabled = true;
    assert_int_equal(source_ec2.detect(&settings, false, why, sizeof why), 0);
    assert_int_equal(source_ec2.detect(&settings, true, why, sizeof why), 0);
    assert_non_null(strstr(why, "AWS_EC2_METADATA_DISABLED"));
    settings = (struct settings){.wait_ms = 1};
    dmi("sys_vendor", "Amazon EC2\n");
    assert_int_equal(source_ec2.detect(&settings, false, why, sizeof why), 1);
    settings.metadata_disabled = true;
    assert_int_equal(source_ec2.detect(&settings, false, why, sizeof why), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_is_no_evidence, folder_empty),
        cmocka_unit_test_teardown(another_machine_is_none, folder_empty),
        cmocka_unit_test_teardown(each_sign_alone_suffices, folder_empty),
        cmocka_unit_test_teardown(what_only_looks_like_a_sign_is_none, folder_empty),
        cmocka_unit_test_teardown(uuids, folder_empty),
        cmocka_unit_test_teardown(odd_files_are_no_evidence, folder_empty),
        cmocka_unit_test_teardown(detection, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
