/* The pure parts of the mounts module: lines of fstab, layouts, sizes, the names that NVMe tells.
 */
#include "mounts/device.h"
#include "mounts/disk.h"
#include "mounts/swap.h"
#include "mounts/table.h"

#include "check.h"

#include <errno.h>

/* A module has a process of its own, and frees nothing that lives as long. The runtime is a shared
 * library, which sees only what is exported. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static const struct table_line data = {"UUID=1", "/data", "ext4", "defaults", "0", "2"};

static void assert_set(int expected, const char *table, const struct table_line *line,
                       const char *wanted)
{
    struct text out = {0};
    const char *why = NULL;

    assert_int_equal(table_set(table, line, &out, &why), expected);
    if (expected >= 0)
        assert_string_equal(text_string(&out), wanted);
    else
        assert_non_null(why);
}

static void a_line_is_added_at_the_end(void **state)
{
    const char *line = "UUID=1\t/data\text4\tdefaults,x-bootlace\t0\t2\n";
    char *both = text_format("# c\nproc /proc proc defaults 0 0\n%s", line);

    (void)state;
    assert_set(1, "", &data, line);
    assert_set(1, "# c\nproc /proc proc defaults 0 0", &data, both);
    assert_set(0, both, &data, both);
}

static void own_lines_are_replaced(void **state)
{
    const char *line = "UUID=1\t/data\text4\tdefaults,x-bootlace\t0\t2\n";

    (void)state;
    assert_set(1, "UUID=0 /data xfs x-bootlace,noatime 0 0", &data, line);
    assert_set(1, "UUID=0 /data xfs x-bootlace 0 0\n#\nUUID=1 /data ext4 x-bootlace 0 0\n", &data,
               text_format("%s#\n", line));
    assert_set(1, "UUID=0 /data/x xfs x-bootlace 0 0\n", &data,
               text_format("UUID=0 /data/x xfs x-bootlace 0 0\n%s", line));
}

static void other_lines_stay(void **state)
{
    static const char *const same = "UUID=1   /data auto rw";
    static const char *const odd = "\n   \t\n#UUID=0 /data x x-bootlace\nhalf /data\n";

    (void)state;
    assert_set(0, same, &data, same);
    assert_set(-EEXIST, "UUID=0 /data xfs defaults 0 0\n", &data, NULL);
    assert_set(-EEXIST, "UUID=0 /data xfs x-bootlace-not 0 0\n", &data, NULL);
    assert_set(1, odd, &data,
               text_format("%sUUID=1\t/data\text4\tdefaults,x-bootlace\t0\t2\n", odd));
}

static void odd_names_are_encoded(void **state)
{
    const struct table_line odd = {"/dev/a b", "/with\ttab\\and\nline", "ext4", "ro", "0", "0"};
    const char *line = "/dev/a\\040b\t/with\\011tab\\134and\\012line\text4\tro,x-bootlace\t0\t0\n";

    (void)state;
    assert_set(1, "", &odd, line);
    assert_set(0, line, &odd, line);
}

static void swap_is_told_apart_by_its_source(void **state)
{
    const struct table_line swap = {"/swap.img", "none", "swap", "sw", "0", "0"};
    const char *other = "UUID=5 none swap sw,x-bootlace 0 0\n";

    (void)state;
    assert_set(1, other, &swap,
               text_format("%s/swap.img\tnone\tswap\tsw,x-bootlace\t0\t0\n", other));
    assert_set(0, "/swap.img swap swap defaults 0 0\n", &swap,
               "/swap.img swap swap defaults 0 0\n");
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        long long bytes;
    } cases[] = {{"0", 0},          {"512", 512},       {"1K", 1024},      {"1.5k", 1536},
                 {"2G", 2LL << 30}, {"2GB", 2LL << 30}, {"1T", 1LL << 40}, {"7b", 7},
                 {"", -1},          {"G", -1},          {"-1", -1},        {"1X", -1},
                 {"1GG", -1},       {"1e30", -1},       {"nan", -1},       {"1 G", -1}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *size = json_string(cases[i].text);
        uint64_t bytes = 0;
        int result = swap_read_size(size, &bytes);

        if (result != (cases[i].bytes < 0 ? -EINVAL : 0) ||
            (result == 0 && bytes != (uint64_t)cases[i].bytes))
            fail_msg("%s is %d, %llu", cases[i].text, result, (unsigned long long)bytes);
        json_decref(size);
    }
}

static void swap_of_its_own_size(void **state)
{
    const uint64_t mib = 1 << 20, gib = 1 << 30, much = 1000 * gib;

    (void)state;
    assert_int_equal(swap_auto_size(gib, much, 0), gib);
    assert_int_equal(swap_auto_size(64 * gib, much, 0), 8 * gib);
    assert_int_equal(swap_auto_size(64 * gib, much, 2 * gib), 2 * gib);
    assert_int_equal(swap_auto_size(gib, 2 * gib, 0), gib / 2);
    assert_int_equal(swap_auto_size(gib, 63 * mib, 0), 0);
    assert_int_equal(swap_auto_size(100 * mib + 5, much, 0), 100 * mib);
}

static void layouts(void **state)
{
    static const struct {
        const char *kind, *layout, *script;
    } cases[] = {
        {"mbr", "true", "label: dos\ntype=83\n"},
        {"gpt", "true", "label: gpt\ntype=linux\n"},
        {"mbr", "[50, [50, 82]]", "label: dos\nsize=50MiB, type=83\ntype=82\n"},
        {"gpt", "[33, [33, 82], 33]",
         "label: gpt\nsize=33MiB, type=linux\nsize=33MiB, type=swap\ntype=linux\n"},
        {"gpt", "[[10, \"8E\"], 10]", "label: gpt\nsize=10MiB, type=lvm\nsize=10MiB, type=linux\n"},
        {"mbr", "[101]", NULL},
        {"mbr", "[-1]", NULL},
        {"mbr", "[[50, \"0FC63DAF-8483-4772-8E79-3D69D8477DE4\"]]", NULL},
        {"gpt", "[[50, \"zz\"]]", NULL},
        {"gpt", "[[50, \"8e, bootable\"]]", NULL},
        {"gpt", "[\"x\"]", NULL},
        {"gpt", "{}", NULL},
        {"dos", "true", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *layout = json_loads(cases[i].layout, JSON_DECODE_ANY, NULL);
        const char *why = NULL;
        char *script = disk_script(cases[i].kind, layout, 102ULL << 20, &why);

        if (cases[i].script)
            assert_string_equal(script ? script : why, cases[i].script);
        else if (script || !why)
            fail_msg("%s is taken", cases[i].layout);
        json_decref(layout);
    }
}

static void names_of_nvme_devices(void **state)
{
    static const struct {
        const char *vendor, *name;
    } cases[] = {{"/dev/sdf                        ", "sdf"},
                 {"xvdba", "xvdba"},
                 {"sdf1 ", "sdf1"},
                 {"", NULL},
                 {"sd", NULL},
                 {"nvme0", NULL},
                 {"/dev/../x", NULL}};
    static unsigned char identity[4096];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char name[33];

        memset(identity + 3072, 0, 1024);
        memcpy(identity + 3072, cases[i].vendor, strlen(cases[i].vendor));
        assert_int_equal(device_ec2_name(identity, name), cases[i].name != NULL);
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
    }
    memset(identity + 3072, 's', 1024);
    assert_false(device_ec2_name(identity, (char[33]){0}));
}

static void partitions(void **state)
{
    (void)state;
    assert_string_equal(device_partition("/dev/sda", 1), "/dev/sda1");
    assert_string_equal(device_partition("/dev/nvme0n1", 12), "/dev/nvme0n1p12");
    assert_string_equal(device_partition("/dev/loop7", 1), "/dev/loop7p1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_added_at_the_end),
        cmocka_unit_test(own_lines_are_replaced),
        cmocka_unit_test(other_lines_stay),
        cmocka_unit_test(odd_names_are_encoded),
        cmocka_unit_test(swap_is_told_apart_by_its_source),
        cmocka_unit_test(sizes),
        cmocka_unit_test(swap_of_its_own_size),
        cmocka_unit_test(layouts),
        cmocka_unit_test(names_of_nvme_devices),
        cmocka_unit_test(partitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
