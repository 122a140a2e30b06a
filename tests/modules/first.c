/*
 * first: a module with the struct of interface 1 as it was at first, kept here as it was and not
 * taken from the header: whatever the header becomes, an old module goes on working.
 *
 * The compiler may be given FIRST_SMALLER (a struct without the function run, which never was
 * one), FIRST_LARGER (one with members that this agent does not know), FIRST_INTERFACE (another
 * number) and FIRST_NAME.
 */
#include <stddef.h>

#ifndef FIRST_INTERFACE
#define FIRST_INTERFACE 1
#endif
#ifndef FIRST_NAME
#define FIRST_NAME "first"
#endif

struct host {
    size_t size;
    unsigned interface;
    int dry_run;
    const char *root;
    void *context;
    void (*log)(const struct host *host, int level, const char *format, ...);
    void (*progress)(const struct host *host, double fraction, const char *message);
    void (*item)(const struct host *host, const char *item, const char *status, int exit_code,
                 const char *message);
    int (*fail)(const struct host *host, int number, const char *format, ...);
    void (*note)(const struct host *host, const char *format, ...);
};

struct module {
    size_t size;
    unsigned interface;
    const char *name;
    const char *version;
    const char *summary;
    const char *const *keys;
    const char *const *types;
    const char *const *metadata;
    const char *schema;
    int frequency;
    int stage;
    int order;
    unsigned flags;
    unsigned time_limit;
    int (*prepare)(const struct host *host, const char *input);
    int (*run)(const struct host *host, const char *input);
#ifdef FIRST_LARGER
    const char *const *reads; /* came with the agent of this test; what is behind it did not */
    const char *newer[4];
#endif
};

static int run(const struct host *host, const char *input)
{
    (void)input;
    host->note(host, "ran as interface %u", host->interface);
    return 1;
}

static const char *const keys[] = {FIRST_NAME, NULL};

__attribute__((visibility("default"))) extern const struct module bootlace_module;
const struct module bootlace_module = {
#ifdef FIRST_SMALLER
    .size = offsetof(struct module, run),
#else
    .size = sizeof bootlace_module,
#endif
    .interface = FIRST_INTERFACE,
    .name = FIRST_NAME,
    .version = "1",
    .summary = "a module of the first interface",
    .keys = keys,
    .order = 100,
    .run = run,
#ifdef FIRST_LARGER
    .newer = {"not", "known", "to this", "agent"},
#endif
};
