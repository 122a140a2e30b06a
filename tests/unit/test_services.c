/*
 * What the services module reads from systemctl: units with their reasons for failing, and the jobs
 * that hold a start up.
 */
#include "services/jobs.h"
#include "services/unit.h"

#include "check.h"

/* A module has a process of its own, and frees nothing that lives as long. The runtime is a shared
 * library, which sees only what is exported. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static const char failed[] = "Type=simple\nResult=exit-code\nNRestarts=3\nExecMainCode=1\n"
                             "ExecMainStatus=203\nId=app.service\nLoadState=loaded\n"
                             "ActiveState=failed\nSubState=failed\nJob=\nNeedDaemonReload=no\n";

static void a_block(void **state)
{
    struct unit unit;

    (void)state;
    assert_null(unit_parse(failed, &unit));
    assert_string_equal(unit.id, "app.service");
    assert_string_equal(unit.load, "loaded");
    assert_string_equal(unit.type, "simple");
    assert_int_equal(unit.restarts, 3);
    assert_int_equal(unit.main_status, 203);
    assert_int_equal(unit_exit_code(&unit), 203);
    assert_true(unit_is_failed(&unit));
    assert_false(unit_is_active(&unit) || unit_is_restarting(&unit) || unit_is_oneshot(&unit) ||
                 unit_is_starting(&unit) || unit.has_job || unit.wants_reload);
}

static void several_blocks(void **state)
{
    const char *at = "Id=a.service\nActiveState=active\nJob=17\n\nId=b.service\n"
                     "ActiveState=reloading\nNeedDaemonReload=yes\n\n\nId=never.service\n";
    struct unit unit;

    (void)state;
    at = unit_parse(at, &unit);
    assert_string_equal(unit.id, "a.service");
    assert_true(unit_is_active(&unit) && unit.has_job && !unit.wants_reload);
    at = unit_parse(at, &unit);
    assert_string_equal(unit.id, "b.service");
    assert_true(unit_is_active(&unit) && !unit.has_job && unit.wants_reload);
    at = unit_parse(at, &unit);
    assert_string_equal(unit.id, "");
    assert_false(unit_is_active(&unit) || unit_is_failed(&unit));
    assert_null(unit_parse("", &unit));
    assert_int_equal(unit_exit_code(&unit), -1);
}

/* A name that another one ends with, a value with = in it, one that is cut off, one too long. */
static void awkward_blocks(void **state)
{
    char long_one[1000] = "Id=";
    struct unit unit;
    char *value;

    (void)state;
    value = unit_value("OtherId=x\nId=a=b\nEmpty=\n\nLater=1\n", "Id");
    assert_string_equal(value, "a=b");
    free(value);
    value = unit_value("Empty=\n", "Empty");
    assert_string_equal(value, "");
    free(value);
    assert_null(unit_value("Empty=\n\nLater=1\n", "Later"));
    memset(long_one + 3, 'x', sizeof long_one - 4);
    unit_parse(long_one, &unit);
    assert_int_equal(strlen(unit.id), UNIT_NAME_MAX - 1);
}

static void assert_reason(const char *block, const char *expected)
{
    char reason[UNIT_REASON_MAX];
    struct unit unit;

    unit_parse(block, &unit);
    unit_reason(&unit, reason);
    assert_string_equal(reason, expected);
}

static void reasons(void **state)
{
    (void)state;
    assert_reason(failed, "Result=exit-code, ExecMainStatus=203/EXEC: the program of an ExecStart= "
                          "is not there or cannot be executed");
    assert_reason("Result=exit-code\nExecMainCode=1\nExecMainStatus=3\n",
                  "Result=exit-code, ExecMainStatus=3");
    assert_reason("Result=signal\nExecMainCode=2\nExecMainStatus=9\n",
                  "Result=signal, ExecMainStatus=9/KILL");
    assert_reason("Result=core-dump\nExecMainCode=3\nExecMainStatus=11\n",
                  "Result=core-dump, ExecMainStatus=11/SEGV");
    assert_reason("Result=timeout\nExecMainCode=0\nExecMainStatus=0\n",
                  "Result=timeout (it took longer than its unit allows)");
    /* Its ExecStartPre= failed, its main process did not. */
    assert_reason("Result=exit-code\nExecMainCode=1\nExecMainStatus=0\n", "Result=exit-code");
    assert_reason("", "Result=unknown");
}

static const char list[] = "101 multi-user.target start waiting\n"
                           " 99 slow.service      start running\n"
                           "102 app.service       start waiting\n"
                           "103 gate.service      start running\n"
                           "104 alone.service     start waiting\n"
                           "105 round.service     start waiting\n";

static const char shown[] =
    "Id=multi-user.target\nAfter=basic.target slow.service gate.service\n\n"
    "Id=slow.service\nAfter=basic.target\nControlGroup=/system.slice/slow\n\n"
    "Id=app.service\nAfter=multi-user.target basic.target\n\n"
    "Id=gate.service\nAfter=\nControlGroup=\n\n"
    "Id=alone.service\nAfter=basic.target\n\n"
    "Id=round.service\nAfter=round.service app.service\n";

static struct job *job_of(const struct jobs *jobs, const char *unit)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (strcmp(jobs->items[i].unit, unit) == 0)
            return &jobs->items[i];
    }
    fail_msg("there is no job of %s", unit);
    return NULL;
}

static struct jobs read_jobs(void)
{
    struct jobs jobs;

    jobs_parse(list, &jobs);
    jobs_add_properties(&jobs, shown);
    assert_int_equal(jobs.count, 6);
    return jobs;
}

static void a_chain(void **state)
{
    struct jobs jobs = read_jobs();
    struct text out = {0};
    const struct job *last;

    (void)state;
    assert_true(job_of(&jobs, "slow.service")->running);
    assert_false(job_of(&jobs, "app.service")->running);
    assert_string_equal(job_of(&jobs, "slow.service")->group, "/system.slice/slow");
    assert_int_equal(jobs_reach(&jobs, "app.service"), 3);
    last = jobs_explain(&jobs, &out);
    assert_string_equal(last->unit, "slow.service");
    assert_string_equal(text_string(&out), "multi-user.target, which waits for slow.service, "
                                           "which is being started");
}

static void what_waits_for_the_run_is_named_first(void **state)
{
    struct jobs jobs = read_jobs();
    struct text out = {0};

    (void)state;
    jobs_reach(&jobs, "round.service");
    job_of(&jobs, "gate.service")->waits_for_run = true;
    jobs_explain(&jobs, &out);
    assert_string_equal(text_string(&out),
                        "app.service, which waits for multi-user.target, which waits for "
                        "gate.service, which waits for this run to end");
}

static void nothing_holds_it_up(void **state)
{
    static const char *const units[] = {"alone.service", "slow.service", "other.service", ""};
    struct text out = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        struct jobs jobs = read_jobs();

        assert_int_equal(jobs_reach(&jobs, units[i]), 0);
        assert_null(jobs_explain(&jobs, &out));
    }
    assert_int_equal(out.size, 0);
}

static void lists_that_are_none(void **state)
{
    static const char *const lists[] = {"", "\n\n", "No jobs running.\n", "1 2", "  \n 7\n"};
    struct text much = {0};
    struct jobs jobs;

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        jobs_parse(lists[i], &jobs);
        assert_int_equal(jobs_reach(&jobs, "app.service"), 0);
    }
    for (unsigned i = 0; i < 2 * JOBS_MAX; i++)
        text_add_format(&much, "%u unit-%u.service start waiting\n", i, i);
    jobs_parse(text_string(&much), &jobs);
    assert_int_equal(jobs.count, JOBS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block),
        cmocka_unit_test(several_blocks),
        cmocka_unit_test(awkward_blocks),
        cmocka_unit_test(reasons),
        cmocka_unit_test(a_chain),
        cmocka_unit_test(what_waits_for_the_run_is_named_first),
        cmocka_unit_test(nothing_holds_it_up),
        cmocka_unit_test(lists_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
