/*
 * What was baked into this file system: configuration that is the image's for good, and what of it
 * was done then. Below /var/lib/bootlace/baked (0700), which no seal touches:
 *
 *     layers.json     [{"name":…,"digest":…,"time":…}], in the order in which they were baked
 *     layer-<digest>  the user-data of a layer, byte for byte (0600)
 *     config.json     the cloud-config of all layers joined, as far as it needs no instance
 *     steps           JSON lines: {"module":…,"step":…,"time":…,"keys":{KEY:…}}
 *
 * Of a key that is a list, steps has the digests of its items; of any other the digest of its
 * value. So it tells that something was done, and nothing of what.
 */
#ifndef BOOTLACE_RECORD_BAKED_H
#define BOOTLACE_RECORD_BAKED_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/step.h"

#include <jansson.h>

#define AUTO_BAKED __attribute__((cleanup(baked_clear)))

enum { BAKED_NAME_MAX = 64, BAKED_LAYERS_MAX = 100, BAKED_FILE_MAX = 64 << 20 };

struct baked {
    json_t *layers; /* array; NULL = none */
    json_t *config; /* object, or NULL */
    json_t *facts;  /* module -> key -> {"items":{digest:true},"whole":digest}; or NULL */
};

/* Reads all but the layers' content. That nothing was baked is success: 0; -1. */
int baked_read(struct baked *baked, struct error *error);
void baked_clear(struct baked *baked);

/* The name of a layer, and its user-data: 0, -1. */
const char *baked_layer_name(const struct baked *baked, size_t index);
int baked_layer(const struct baked *baked, size_t index, struct buffer *out, struct error *error);

/* Keeps a layer as the last one, in place of the one of that name, and the joined config. */
int baked_save(struct baked *baked, const char *name, const struct buffer *user_data,
               const json_t *config, struct error *error);

/* Keeps that a step was done; flushed before it returns. */
int baked_add_step(const struct step *step, struct error *error);

#endif
