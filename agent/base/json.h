/*
 * JSON, by jansson: the few helpers that keep its callers short.
 *
 * Objects that these functions make are never NULL (memory exhausted ends the process).
 */
#ifndef BOOTLACE_BASE_JSON_H
#define BOOTLACE_BASE_JSON_H

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

#define AUTO_JSON __attribute__((cleanup(json_release)))
void json_release(json_t **value);

/* A string's text, or the default where the key is absent or no string. */
const char *json_text_of(const json_t *object, const char *key, const char *fallback);
int64_t json_number_of(const json_t *object, const char *key, int64_t fallback);
bool json_flag_of(const json_t *object, const char *key, bool fallback);

/* Sets a member; NULL text sets nothing. Text that is not UTF-8 has its bad bytes replaced. */
void json_put_text(json_t *object, const char *key, const char *text);
void json_put_number(json_t *object, const char *key, int64_t number);
void json_put_flag(json_t *object, const char *key, bool flag);
void json_put(json_t *object, const char *key, json_t *value); /* takes value over */
void json_add(json_t *array, json_t *value);                   /* takes value over */

/* A string value of any bytes: what is not UTF-8 becomes U+FFFD. */
json_t *json_lossy_string(const char *bytes, size_t size);

/* The digest of a value, whatever the order of its members; returns text. */
char *json_digest(const json_t *value, char text[static DIGEST_TEXT_MAX]);

/* The value as text, in one line or indented; the caller frees. */
char *json_one_line(const json_t *value);
char *json_indented(const json_t *value);

/* The value or NULL and an error with line and column; where names the text in messages. */
json_t *json_parse(const char *text, size_t size, const char *where, struct error *error);

/* A file's value: 1, 0 where there is no such file, -1. */
int json_read_file(int folder, const char *path, size_t maximum, json_t **out, struct error *error);

#endif
