/* The passes of write_files; see files.h. */
#include <write-files/files.h>

#include <support/input.h>
#include <support/outcome.h>
#include <support/remember.h>
#include <support/tree.h>
#include <write-files/item.h>
#include <write-files/state.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODE_BITS = 07777, NUMBER_TEXT_MAX = 32, MESSAGE_MAX = 640 };

struct files {
    const struct bootlace_host *host;
    enum files_pass pass;
    struct state state;
    json_t *appended; /* digest -> how often it has been met in this pass */
    json_t *written;  /* path -> true: an item of this pass wrote it anew */
    struct outcome outcome;
    unsigned waiting;
};

/* How often the content is in the text. */
static json_int_t count_blocks(const struct text *text, const struct text *content)
{
    const char *at = text_string(text), *end = at + text->size;
    json_int_t count = 0;

    while (content->size && at < end) {
        const char *found = memmem(at, (size_t)(end - at), content->bytes, content->size);

        if (!found)
            break;
        count++;
        at = found + content->size;
    }
    return count;
}

/* The n-th item of this path and content, n from 1. */
static json_int_t count_met(struct files *files, const char *digest)
{
    json_int_t met = json_integer_value(json_object_get(files->appended, digest)) + 1;

    json_object_set_new(files->appended, digest, text_need(json_integer(met)));
    return met;
}

/*
 * Adds the content to what is in the file, whose mode and owner stay where none are given, unless
 * an earlier run did and it still is there. That it will be appended is remembered before it is:
 * should power go in between, the content is not found, and is appended then.
 */
static int append(struct files *files, const struct item *item, const struct text *content,
                  struct bootlace_file *how)
{
    const struct bootlace_host *host = files->host;
    const char *const texts[] = {item->path, text_string(content)};
    const size_t sizes[] = {strlen(item->path), content->size};
    char digest[REMEMBER_DIGEST_MAX], key[REMEMBER_DIGEST_MAX + NUMBER_TEXT_MAX];
    struct text text = {0};
    struct stat info;
    json_int_t met;
    int result = host->settle(host);

    if (result == 0)
        result = tree_read(host, item->path, &text, &info);
    if (result < 0 && result != -ENOENT)
        return result;
    if (result == 0 && !item->rights.mode_given)
        how->mode = info.st_mode & MODE_BITS;
    if (result == 0 && !item->rights.owner_given) {
        how->owner = info.st_uid;
        how->group = info.st_gid;
    }
    remember_digest(digest, texts, sizes, 2);
    met = count_met(files, digest);
    snprintf(key, sizeof key, "%s-%lld", digest, (long long)met);
    if (result < 0 || json_object_get(files->written, item->path) ||
        !state_has(&files->state, state_appended, key) || count_blocks(&text, content) < met) {
        result = state_add(host, &files->state, state_appended, key);
        if (result < 0)
            return result;
        text_add(&text, text_string(content), content->size);
    }
    return host->put_file(host, item->path, text_string(&text), text.size, how);
}

static int put(struct files *files, const json_t *given, struct item *item)
{
    struct bootlace_file how = {.size = sizeof how,
                                .mode = item->rights.mode,
                                .owner = item->rights.owner,
                                .group = item->rights.group_id,
                                .flags = BOOTLACE_FILE_LATER};
    struct text content = {0};
    /* Its source may be a file of this list. */
    int result = item->has_source ? files->host->settle(files->host) : 0;

    if (result == 0)
        result = item_content(files->host, given, item, &content);
    if (result < 0)
        return result;
    if (result > 0) {
        files->host->log(files->host, BOOTLACE_INFO, "would write %s (%s)", item->path, item->why);
        return result;
    }
    result = item->append ? append(files, item, &content, &how)
                          : files->host->put_file(files->host, item->path, text_string(&content),
                                                  content.size, &how);
    free(content.bytes);
    if (result > 0 && !item->append)
        json_object_set_new(files->written, item->path, json_true());
    if (result == -EISDIR || result == -EEXIST)
        snprintf(item->why, sizeof item->why, "there is a directory of this name");
    else if (result == -ENOTDIR)
        snprintf(item->why, sizeof item->why, "a part of its path is no directory");
    else if (result < 0)
        snprintf(item->why, sizeof item->why, "cannot be written: %s", strerror(-result));
    return result;
}

static void wait_for_owner(struct files *files, const struct item *item, const json_t *given)
{
    const struct bootlace_host *host = files->host;
    char message[MESSAGE_MAX], digest[REMEMBER_DIGEST_MAX];
    int result;

    remember_digest_json(digest, given);
    result = state_add(host, &files->state, state_waiting, digest);
    snprintf(message, sizeof message,
             "waits: its owner %s is not there yet; written after users and packages",
             rights_owner_text(&item->rights));
    if (result < 0)
        snprintf(message, sizeof message, "cannot be remembered for later: %s", strerror(-result));
    else
        files->waiting++;
    outcome_item(&files->outcome, host, item->path, result < 0 ? result : 0, -1, message);
}

static void fail_item(struct files *files, const struct item *item, size_t number, int result)
{
    char name[NUMBER_TEXT_MAX];

    snprintf(name, sizeof name, "item %zu", number);
    outcome_item(&files->outcome, files->host, *item->path ? item->path : name, result, -1,
                 *item->why ? item->why : NULL);
}

static void do_item(struct files *files, const json_t *given, size_t number)
{
    const struct bootlace_host *host = files->host;
    char digest[REMEMBER_DIGEST_MAX];
    struct item item;
    int result = item_read(host, given, &item);
    bool waits = state_has_any(&files->state, state_waiting);

    if (waits) {
        remember_digest_json(digest, given);
        waits = state_has(&files->state, state_waiting, digest);
    }
    /* What is wrong in itself is the first pass's to tell, whenever it would be written. */
    if (result < 0 && files->pass == FILES_FIRST)
        fail_item(files, &item, number, result);
    if (result < 0 || (files->pass == FILES_FIRST ? item.defer : !item.defer && !waits))
        return;
    if (!item.rights.owner_is_there && files->pass == FILES_FIRST) {
        wait_for_owner(files, &item, given);
        return;
    }
    if (!item.rights.owner_is_there) {
        snprintf(item.why, sizeof item.why, "its owner %s is still not there",
                 rights_owner_text(&item.rights));
        fail_item(files, &item, number, -ENOENT);
        return;
    }
    result = put(files, given, &item);
    if (result >= 0 && waits) {
        int removed = state_remove(host, &files->state, state_waiting, digest);

        result = removed < 0 ? removed : result;
    }
    if (result < 0)
        fail_item(files, &item, number, result);
    else
        outcome_item(&files->outcome, host, item.path, result, -1, *item.why ? item.why : NULL);
}

int files_run(const struct bootlace_host *host, const char *input, enum files_pass pass)
{
    struct files files = {.host = host,
                          .pass = pass,
                          .appended = text_need(json_object()),
                          .written = text_need(json_object())};
    struct input given;
    const json_t *list, *item;
    size_t i;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_list(host, &given, "write_files", FILES_MAX, &list);
    if (result < 0)
        return result;
    state_read(host, &files.state);
    json_array_foreach(list, i, item)
    {
        do_item(&files, item, i + 1);
    }
    result = outcome_end(&files.outcome, host, "files");
    if (result >= 0 && files.waiting)
        host->note(host, "%u of %u files changed, %u wait for their owner", files.outcome.changed,
                   files.outcome.changed + files.outcome.unchanged, files.waiting);
    return result;
}
