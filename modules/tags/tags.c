/*
 * tags: on the instance itself (EC2 CreateTags, API version 2016-11-15). Tags that it has already
 * with these values are not written again; others are left alone.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/aws.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>
#include <support/xml.h>

#include <tags.schema.h>

enum { TAGS_MAX = 50 };

static int ask_existing(struct aws *aws, const char *instance, struct xml **root)
{
    const struct aws_pair parameters[] = {
        {"Filter.1.Name", "resource-id"}, {"Filter.1.Value.1", instance}, {NULL, NULL}};
    struct aws_answer answer = {0};
    const char *why;
    int result = aws_query_call(aws, &aws_ec2, "DescribeTags", parameters, &answer);

    if (result == 0)
        *root = xml_parse(text_string(&answer.http.body), answer.http.body.size, &why);
    aws_answer_clear(&answer);
    return result;
}

/* Whether the answer has the tag with this value; where it may not be asked, it counts as not. */
static bool is_there(const struct xml *root, const char *key, const char *value)
{
    const struct xml *item = xml_find(root, "tagSet/item");

    for (; item; item = xml_next(item, "item")) {
        const char *its_key = xml_find_text(item, "key"), *its_value = xml_find_text(item, "value");

        if (its_key && its_value && strcmp(its_key, key) == 0 && strcmp(its_value, value) == 0)
            return true;
    }
    return false;
}

/* One call for all, so all are there or none is. */
static int create(struct aws *aws, const char *instance, const json_t *tags,
                  const struct xml *existing, const char **why)
{
    struct aws_pair *pairs = text_need(calloc(2 + 2 * TAGS_MAX, sizeof *pairs));
    struct aws_answer answer = {0};
    size_t count = 0, number = 0;
    const char *key;
    json_t *value;
    int result;

    pairs[count++] = (struct aws_pair){"ResourceId.1", instance};
    json_object_foreach((json_t *)tags, key, value)
    {
        if (is_there(existing, key, json_string_value(value)))
            continue;
        number++;
        pairs[count++] = (struct aws_pair){text_format("Tag.%zu.Key", number), key};
        pairs[count++] =
            (struct aws_pair){text_format("Tag.%zu.Value", number), json_string_value(value)};
    }
    result = aws_query_call(aws, &aws_ec2, "CreateTags", pairs, &answer);
    if (result < 0)
        *why = text_format("%s", answer.why);
    aws_answer_clear(&answer);
    free(pairs);
    return result;
}

static size_t count_missing(const json_t *tags, const struct xml *existing)
{
    const char *key;
    json_t *value;
    size_t missing = 0;

    json_object_foreach((json_t *)tags, key, value) missing +=
        !is_there(existing, key, json_string_value(value));
    return missing;
}

static int put_tags(const struct bootlace_host *host, const char *instance, const json_t *tags)
{
    struct aws *aws = aws_new(host, NULL);
    struct outcome outcome = {0};
    struct xml *existing = NULL;
    const char *key, *why = NULL;
    json_t *value;
    int result = 0;

    ask_existing(aws, instance, &existing);
    if (count_missing(tags, existing) && !host->dry_run)
        result = create(aws, instance, tags, existing, &why);
    json_object_foreach((json_t *)tags, key, value)
    {
        bool there = is_there(existing, key, json_string_value(value));

        if (!there && host->dry_run)
            host->log(host, BOOTLACE_INFO, "would set the tag %s", key);
        outcome_item(&outcome, host, key,
                     there        ? 0
                     : result < 0 ? result
                                  : 1,
                     -1, there ? NULL : why);
    }
    xml_free(existing);
    aws_free(aws);
    return outcome_end(&outcome, host, "tags");
}

static int run(const struct bootlace_host *host, const char *input)
{
    const char *instance, *key;
    struct input given;
    json_t *value;
    const json_t *tags;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    tags = json_object_get(given.settings, "tags");
    if (!json_is_object(tags) || json_object_size(tags) > TAGS_MAX)
        return host->fail(host, EINVAL, "tags is no mapping of at most %d tags", TAGS_MAX);
    json_object_foreach((json_t *)tags, key, value)
    {
        if (!json_is_string(value))
            return host->fail(host, EINVAL, "tags.%s is no text; put it in quotes", key);
    }
    instance = host->metadata(host, "instance-id");
    if (!instance)
        return host->fail(host, ENOENT, "the metadata has no instance-id");
    return put_tags(host, text_format("%s", instance), tags);
}

static const char *const keys[] = {"tags", NULL};
static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "tags",
    .version = BOOTLACE_VERSION,
    .summary = "puts tags on the instance",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 955,
    .flags = BOOTLACE_REPEATABLE,
    .run = run,
};
