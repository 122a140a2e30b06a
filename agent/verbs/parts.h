/*
 * The parts of a launch's user-data: decoded, classified, templates rendered, and what is
 * cloud-config of it merged. What the stages need of each other (what a beginning means, how YAML
 * reads, what a variable holds) is handed from one to the other here.
 */
#ifndef BOOTLACE_VERBS_PARTS_H
#define BOOTLACE_VERBS_PARTS_H

#include "base/buffer.h"
#include "base/error.h"
#include "config/positions.h"
#include "decode/decode.h"
#include "model/part.h"
#include "model/problem.h"

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

/* Reads one metadata item, as launch_item. */
typedef int parts_item(void *context, const char *path, struct buffer *out, struct error *error);

struct parts_setup {
    parts_item *item;
    void *context;
    const char *instance_id;
    const char *source;
    const char *label; /* of the bytes, in names and problems; NULL: user-data */

    /* Templates are left alone, with a warning for a whole part; which keys have any is put here,
     * see plan/difference.h. NULL: they are rendered. */
    json_t *templated;

    /* Of what includes name; NULL: nothing is fetched, with a warning. */
    decode_fetch *fetch, *fetch_once;
    void *fetch_context;
};

struct parts_result {
    struct parts parts;
    json_t *config; /* the merged cloud-config, an object; never NULL after parts_read */
    struct positions positions;
};

/*
 * Reads the bytes into the result, an all-zero one at first. What is wrong with them becomes
 * problems; -1 and an error is for what the machine refused.
 */
int parts_read(const char *bytes, size_t size, const struct parts_setup *setup,
               struct parts_result *result, struct problems *problems, struct error *error);

/* A template's text rendered with the instance's metadata; see config/template.h. */
int parts_render(const char *text, size_t size, const struct parts_setup *setup, struct buffer *out,
                 struct error *error);

void parts_result_clear(struct parts_result *result);

#endif
