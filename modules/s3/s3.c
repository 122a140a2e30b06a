/*
 * s3: copies objects and trees of S3, and of what speaks its protocol, to the instance and back.
 *
 * Each item of the settings is a copy of its own (copy.h), one after another, with one client and
 * its connections for all of them. prepare does the same as run, but for what it fetches: that goes
 * into a store of the module's own (store.h), from where run takes it.
 */
#include <bootlace/module.h>

#include <s3/copy.h>
#include <s3/download.h>
#include <s3/extract.h>
#include <s3/partial.h>
#include <s3/store.h>
#include <s3/upload.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/tree.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <s3.schema.h>

enum { ITEMS_MAX = 1000, STATE_MODE = 0700, LIMIT_S = 4 * 3600 };

/* What the items of one call share. */
struct call {
    const struct bootlace_host *host;
    bool preparing;
    struct aws *aws;
    struct places state, store;
    struct outcome outcome;
};

/* The item's outcome in words: "12 of 5000 objects copied, 3.4 MiB". The caller's. */
static char *message_of(const struct copy *copy)
{
    const char *things = copy->item->upload ? "files" : "objects";
    char *size = copy_size_text(copy->bytes), *text;

    if (copy->failed && copy->item->tree && copy->seen >= copy->failed)
        text = text_format("%lu of %lu %s failed: %s", copy->failed, copy->seen, things,
                           text_string(&copy->failures));
    else if (copy->failed)
        text = text_format("%s", text_string(&copy->failures));
    else if (copy->item->tree && copy->dressed)
        text = text_format("%lu of %lu objects copied, %s; %lu have a new owner or mode",
                           copy->copied, copy->seen, size, copy->dressed);
    else if (copy->item->tree)
        text = text_format("%lu of %lu %s copied, %s", copy->copied, copy->seen, things, size);
    else
        text = text_format("%s", copy->copied    ? size
                                 : copy->dressed ? "it has a new owner or mode"
                                                 : "it was there already");
    free(size);
    return text;
}

static int result_of(const struct copy *copy)
{
    if (copy->failed)
        return -copy->number;
    return copy->copied > 0 || copy->dressed > 0;
}

static void copy_item(struct call *call, const json_t *given, size_t number)
{
    struct item item;
    struct copy copy = {.host = call->host,
                        .aws = call->aws,
                        .item = &item,
                        .preparing = call->preparing,
                        .state = &call->state,
                        .store = &call->store,
                        .target = {.top = -1}};
    int result = item_read(call->host, given, &item);
    char name[32], *message;

    snprintf(name, sizeof name, "item %zu", number);
    if (result < 0) {
        outcome_item(&call->outcome, call->host, *item.label ? item.label : name, result, -1,
                     item.why);
        return;
    }
    if (call->preparing && item.upload)
        return;
    if (item.upload)
        upload(&copy);
    else if (item.extract)
        extract(&copy);
    else
        download(&copy);
    message = message_of(&copy);
    if (copy.failed)
        call->host->log(call->host, BOOTLACE_ERROR, "%s: %s", item.label, message);
    outcome_item(&call->outcome, call->host, item.label, result_of(&copy), -1, message);
    free(message);
}

/* The module's own folders, as far as they are wanted or there. */
static int open_folders(struct call *call)
{
    bool make = !call->host->dry_run;
    struct places folder = {.folder_mode = STATE_MODE, .owner = geteuid(), .group = getegid()};
    int result;

    call->state = call->store = folder;
    result = places_open(&call->state, call->host, STATE_FOLDER, make);
    if (result == 0 || !make)
        result = places_open(&call->store, call->host, STORE_FOLDER, make && call->preparing);
    return result == -ENOENT ? 0 : result;
}

static int copy_all(const struct bootlace_host *host, const json_t *list, bool preparing)
{
    struct call call = {.host = host, .preparing = preparing};
    const struct copy rest = {.host = host, .state = &call.state, .store = &call.store};
    const json_t *given;
    size_t i;
    int result = open_folders(&call);

    if (result < 0)
        return host->fail(host, -result, "%s cannot be used: %s", STATE_FOLDER, strerror(-result));
    copy_notice_end();
    call.aws = aws_new(host, NULL);
    json_array_foreach(list, i, given)
    {
        if (!copy_is_ended())
            copy_item(&call, given, i + 1);
    }
    if (copy_is_ended())
        return host->fail(host, EINTR, "it was told to end before all was copied");
    if (!preparing && !host->dry_run && !call.outcome.failed) {
        store_clear(&rest);
        partial_sweep(&rest);
    }
    aws_free(call.aws);
    return outcome_end(&call.outcome, host, "copies");
}

static int read_and_copy(const struct bootlace_host *host, const char *input, bool preparing)
{
    struct input given;
    const json_t *list;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_list(host, &given, "s3", ITEMS_MAX, &list);
    if (result < 0)
        return result;
    if (!json_array_size(list)) {
        host->note(host, "nothing to copy");
        return 0;
    }
    return copy_all(host, list, preparing);
}

static int prepare(const struct bootlace_host *host, const char *input)
{
    return host->dry_run ? 0 : read_and_copy(host, input, true);
}

static int run(const struct bootlace_host *host, const char *input)
{
    return read_and_copy(host, input, false);
}

static const char *const keys[] = {"s3", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "s3",
    .version = BOOTLACE_VERSION,
    .summary = "copies objects and trees of S3 to the instance and back",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 820,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE | BOOTLACE_BY_ITEM | BOOTLACE_TREE_STATE,
    .time_limit = LIMIT_S,
    .prepare = prepare,
    .run = run,
};
