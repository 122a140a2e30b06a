/*
 * Installing packages; see install.h.
 *
 * Managers install all or nothing, and one package that is not to be had keeps all others out. So
 * those that a manager names as the reason are left out, and the others tried again, until nothing
 * is left or nobody is named; then each is tried alone, and the reason is its own.
 */
#include "install.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* What is still to be installed. */
struct pending {
    const struct work *work;
    struct package **items;
    size_t count;
};

int install_look(const struct work *work, struct package *const *packages, size_t count,
                 struct installed *installed, const char **why)
{
    int result;

    *installed = (struct installed){0};
    result = work->manager->list(work, installed);
    if (result < 0) {
        *why = text_format("what is installed cannot be listed: %s", strerror(-result));
        return result;
    }
    for (size_t i = 0; i < count; i++)
        work->manager->find(work, installed, packages[i]);
    return 0;
}

static const char *details_of(const struct said *said)
{
    return said->last.size ? text_format("%s", said->last.bytes) : NULL;
}

/* The words of the manager for a package, or NULL. */
static const struct blame *find_blame(const struct work *work, const struct said *said,
                                      const struct package *package)
{
    const char *spec = work->manager->spec(package);

    for (size_t i = 0; i < said->count; i++) {
        const struct blame *blame = &said->blames[i];
        size_t size = strlen(blame->package);

        if (strcmp(spec, blame->package) == 0 ||
            (strncmp(package->name, blame->package, size) == 0 &&
             strchr(":=/<>~", package->name[size])))
            return blame;
    }
    return NULL;
}

static void drop(struct pending *pending, size_t at)
{
    pending->count--;
    memmove(&pending->items[at], &pending->items[at + 1],
            (pending->count - at) * sizeof *pending->items);
}

static void fail_all(const struct pending *pending, const char *why, const struct said *said)
{
    const char *details = details_of(said);

    for (size_t i = 0; i < pending->count; i++) {
        pending->items[i]->why = why;
        pending->items[i]->details = details;
    }
}

/* Leaves out those that the manager names as the reason. */
static size_t drop_blamed(struct pending *pending, const struct said *said)
{
    size_t dropped = 0;

    for (size_t i = 0; i < pending->count;) {
        struct package *package = pending->items[i];
        const struct blame *blame = find_blame(pending->work, said, package);

        if (!blame || blame->remark) {
            i++;
            continue;
        }
        package->why = text_format("%s", blame->why);
        package->details = details_of(said);
        drop(pending, i);
        dropped++;
    }
    return dropped;
}

/* Leaves out those that are there by now. */
static size_t drop_installed(struct pending *pending)
{
    struct installed installed;
    const char *ignored;
    size_t dropped = 0;

    if (install_look(pending->work, pending->items, pending->count, &installed, &ignored) < 0)
        return 0;
    for (size_t i = 0; i < pending->count;) {
        if (pending->items[i]->there) {
            drop(pending, i);
            dropped++;
        } else
            i++;
    }
    return dropped;
}

static void note_success(const struct pending *pending, const struct said *said)
{
    for (size_t i = 0; i < pending->count; i++) {
        struct package *package = pending->items[i];
        const struct blame *blame = find_blame(pending->work, said, package);

        package->done = true;
        package->remark = blame && blame->remark ? text_format("%s", blame->why) : NULL;
    }
}

static int run(const struct pending *pending, struct said *said, const char **why)
{
    const struct manager *manager = pending->work->manager;
    struct words names = {0};
    int result;

    if (manager->add_options)
        manager->add_options(pending->items, pending->count, &names);
    if (pending->work->ahead)
        words_add(&names, manager->fetch_only);
    for (size_t i = 0; i < pending->count; i++)
        words_add(&names, manager->spec(pending->items[i]));
    result = tool_run(pending->work, manager->install, &names, TOOL_PACKAGES_LIMIT_S, said, why);
    free(names.items);
    if (result == 0)
        note_success(pending, said);
    return result;
}

static void install_each(struct pending *pending, struct said *said)
{
    for (size_t i = 0; i < pending->count; i++) {
        struct pending one = {pending->work, &pending->items[i], 1};
        struct package *package = pending->items[i];
        const struct blame *blame;
        const char *why;

        if (run(&one, said, &why) == 0)
            continue;
        blame = find_blame(pending->work, said, package);
        package->why = blame ? text_format("%s", blame->why) : why;
        package->details = details_of(said);
        if (pending->work->wish.stop) {
            struct pending rest = {pending->work, &pending->items[i + 1], pending->count - i - 1};

            fail_all(&rest, "not tried: package_on_error is stop", &(struct said){0});
            return;
        }
    }
}

/* Together, without those that are named as the reason; false: the rest is to be tried one by one.
 */
static bool install_together(struct pending *pending, struct said *said)
{
    while (pending->count) {
        const char *why;
        int result = run(pending, said, &why);
        size_t dropped, blamed;

        if (result == 0)
            return true;
        if (result != -EIO) {
            fail_all(pending, why, said);
            return true;
        }
        dropped = drop_installed(pending);
        blamed = drop_blamed(pending, said);
        if (pending->work->wish.stop) {
            fail_all(pending, blamed ? "not installed: package_on_error is stop" : why, said);
            return true;
        }
        dropped += blamed;
        if (!dropped && (said->transient || said->locked || pending->count == 1)) {
            fail_all(pending, why, said);
            return true;
        }
        if (!dropped)
            return false;
    }
    return true;
}

void install_packages(const struct work *work, struct package *const *packages, size_t count)
{
    struct pending pending = {.work = work,
                              .items = text_need(calloc(count + 1, sizeof *pending.items))};
    struct said *said = text_need(calloc(1, sizeof *said));

    said->symptoms = work->manager->symptoms;
    for (size_t i = 0; i < count; i++) {
        if (!packages[i]->there)
            pending.items[pending.count++] = packages[i];
    }
    if (work->manager->one_by_one || !install_together(&pending, said))
        install_each(&pending, said);
    free(pending.items);
}
