/*
 * User-data decoded and classified as a launch does it, with addresses that a case folder answers:
 * file:///NAME and https://host/NAME are its file NAME. The result has the form of
 * `bootlace inspect --format json`.
 */
#ifndef BOOTLACE_TESTS_DECODE_CASE_H
#define BOOTLACE_TESTS_DECODE_CASE_H

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/classify.h"
#include "config/yaml.h"
#include "decode/decode.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int decode_case_fetch(void *context, const char *url, struct buffer *out,
                                    struct error *error)
{
    const char *name = strrchr(url, '/') + 1;
    char path[PATH_MAX];
    size_t length = strcspn(name, "?");
    int got;

    snprintf(path, sizeof path, "%s/%.*s", (const char *)context, (int)length, name);
    got = file_read(AT_FDCWD, path, out, error);
    return got > 0 ? 0 : got < 0 ? -1 : error_set(error, ERROR_SOURCE, "there is no such file");
}

static inline int decode_case_index(void *context, int64_t *index, struct error *error)
{
    (void)error;
    *index = *(const int64_t *)context;
    return 0;
}

/* The plug-ins are those of the build that this program is of: ../lib/bootlace from its folder. */
static inline void decode_case_use_built_plugins(void)
{
    char path[PATH_MAX], folder[PATH_MAX + sizeof "/../lib/bootlace"];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

    if (length <= 0)
        abort();
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    snprintf(folder, sizeof folder, "%s/../lib/bootlace", path);
    setenv("BOOTLACE_LIBDIR", folder, 1);
}

/* As a launch: what decode left to classify is classified, in its place. */
static inline int decode_case(const char *bytes, size_t size, const char *folder, int64_t index,
                              struct parts *parts, struct problems *problems, struct error *error)
{
    const struct decode_setup setup = {.sniff = classify_prefix,
                                       .known = blocks_present,
                                       .yaml = yaml_parse,
                                       .fetch = folder ? decode_case_fetch : NULL,
                                       .context = (void *)(uintptr_t)folder,
                                       .index = decode_case_index,
                                       .index_context = &index};
    AUTO_PARTS struct parts decoded = {0};

    if (decode_user_data(bytes, size, "user-data", &setup, &decoded, problems, error) < 0)
        return -1;
    for (size_t i = 0; i < decoded.count; i++) {
        struct part *part = &decoded.items[i];
        struct error problem = ERROR_INIT;

        if (part->type) {
            struct part *copy = parts_add(parts, "", part->type);

            free(copy->name);
            *copy = *part;
            *part = (struct part){0};
        } else if (classify_text(part->bytes, part->size, part->name, part->line, parts, problems,
                                 &problem) < 0) {
            problems_add_error(problems, &problem);
        }
    }
    return 0;
}

static inline json_t *decode_case_json(const struct parts *parts, const struct problems *problems)
{
    json_t *object = memory_need(json_object()), *list = memory_need(json_array());

    for (size_t i = 0; i < parts->count; i++)
        json_add(list, part_to_json(&parts->items[i]));
    json_put(object, "parts", list);
    json_put(object, "problems", problems_to_json(problems, NULL));
    return object;
}

#endif
