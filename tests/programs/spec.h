/*
 * What test programs of the support library share: specifications in JSON, one object a line, and
 * results written as one.
 */
#ifndef BOOTLACE_TESTS_SPEC_H
#define BOOTLACE_TESTS_SPEC_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <support/aws.h>
#include <support/text.h>

static inline const char *spec_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static inline unsigned spec_number(const json_t *object, const char *key)
{
    return (unsigned)json_integer_value(json_object_get(object, key));
}

static inline bool spec_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* The service whose variable's name is the member `service`. */
static inline const struct aws_service *spec_service(const json_t *object)
{
    static const struct aws_service *const services[] = {
        &aws_s3,  &aws_route53,        &aws_ec2, &aws_elbv2, &aws_autoscaling, &aws_cloudformation,
        &aws_ssm, &aws_secretsmanager, &aws_sts};

    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (strcasecmp(services[i]->variable, spec_text(object, "service")) == 0)
            return services[i];
    }
    exit(2);
}

/* Pairs that were read. */
struct spec_kept {
    struct spec_kept *next;
    struct aws_pair pairs[];
};

/* A list of lists of a name and a value; it lives as long as the program. */
static inline const struct aws_pair *spec_pairs(const json_t *object, const char *key)
{
    static struct spec_kept *all;
    const json_t *list = json_object_get(object, key);
    size_t count = json_array_size(list);
    struct spec_kept *kept = text_need(calloc(1, sizeof *kept + (count + 1) * sizeof *kept->pairs));

    kept->next = all;
    all = kept;
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);

        kept->pairs[i] = (struct aws_pair){json_string_value(json_array_get(pair, 0)),
                                           json_string_value(json_array_get(pair, 1))};
    }
    return kept->pairs;
}

static inline void spec_put_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text));
}

static inline void spec_print(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

/* The next line as an object; NULL at the end. */
static inline json_t *spec_next(void)
{
    static char *line;
    static size_t room;
    json_t *object;

    if (getline(&line, &room, stdin) <= 0) {
        free(line);
        line = NULL;
        return NULL;
    }
    object = json_loads(line, JSON_ALLOW_NUL, NULL);
    if (!object)
        exit(2);
    return object;
}

#endif
