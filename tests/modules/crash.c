/*
 * crash: a native module that ends by SIGSEGV: in run, or in prepare where its setting says so, or,
 * where the compiler is given CRASH_AT_LOADING, as soon as it is loaded.
 */
#include <bootlace/module.h>

#include <string.h>

static void crash(void)
{
    volatile int *nowhere = NULL;

    *nowhere = 1;
}

#ifdef CRASH_AT_LOADING
__attribute__((constructor)) static void at_loading(void)
{
    crash();
}
#endif

static int prepare(const struct bootlace_host *host, const char *input)
{
    host->log(host, BOOTLACE_INFO, "prepares");
    if (strstr(input, "\"crash\":\"in prepare\""))
        crash();
    return 0;
}

static int run(const struct bootlace_host *host, const char *input)
{
    host->log(host, BOOTLACE_INFO, "runs");
    if (!strstr(input, "\"crash\":\"in prepare\""))
        crash();
    return 1;
}

static const char *const keys[] = {"crash", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "crash",
    .version = "1",
    .summary = "ends by SIGSEGV",
    .keys = keys,
    .order = 200,
    .prepare = prepare,
    .run = run,
};
