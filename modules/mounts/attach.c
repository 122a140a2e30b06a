/* Volumes that the instance attaches to itself; see attach.h. */
#include "attach.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <support/aws.h>
#include <support/text.h>
#include <support/xml.h>
#include <time.h>

enum { POLL_S = 1, STATE_MAX = 32, ID_MAX = 64 };

struct state {
    char volume[STATE_MAX];     /* creating, available, in-use, … */
    char attachment[STATE_MAX]; /* attaching, attached, busy, …; "" where it has none */
    char instance[ID_MAX];
    bool shared; /* several instances may have it (Multi-Attach) */
};

static void take_text(char *out, size_t size, const struct xml *element, const char *path)
{
    const char *text = xml_find_text(element, path);

    snprintf(out, size, "%s", text ? text : "");
}

/* The parsed answer of a call; NULL, a negative errno in *result and *why. */
static struct xml *call(struct aws *aws, const char *action, const struct aws_pair *parameters,
                        int *result, const char **why)
{
    struct aws_answer answer = {0};
    struct xml *root = NULL;

    *result = aws_query_call(aws, &aws_ec2, action, parameters, &answer);
    if (*result < 0) {
        *why = text_format("%s", answer.why);
    } else {
        root = xml_parse(text_string(&answer.http.body), answer.http.body.size, why);
        *result = root ? 0 : -EPROTO;
    }
    aws_answer_clear(&answer);
    return root;
}

/* A volume may be attached to several instances: this one's attachment counts, else the first. */
static int ask(struct aws *aws, const char *volume, const char *instance, struct state *state,
               const char **why)
{
    const struct aws_pair parameters[] = {{"VolumeId.1", volume}, {NULL, NULL}};
    const struct xml *item, *attachment;
    int result;
    struct xml *root = call(aws, "DescribeVolumes", parameters, &result, why);

    *state = (struct state){.volume = ""};
    if (!root)
        return result;
    item = xml_find(root, "volumeSet/item");
    if (item) {
        const char *shared = xml_find_text(item, "multiAttachEnabled");

        take_text(state->volume, sizeof state->volume, item, "status");
        state->shared = shared && strcmp(shared, "true") == 0;
    }
    attachment = item ? xml_find(item, "attachmentSet/item") : NULL;
    for (; attachment && strcmp(state->instance, instance) != 0;
         attachment = xml_next(attachment, "item")) {
        const char *owner = xml_find_text(attachment, "instanceId");

        if (*state->instance && (!owner || strcmp(owner, instance) != 0))
            continue;
        take_text(state->instance, sizeof state->instance, attachment, "instanceId");
        take_text(state->attachment, sizeof state->attachment, attachment, "status");
    }
    xml_free(root);
    if (item)
        return 0;
    *why = text_format("EC2 knows no volume %s in this region", volume);
    return -ENOENT;
}

static bool is_mine(const struct state *state, const char *instance)
{
    return strcmp(state->instance, instance) == 0 && strcmp(state->attachment, "detached") != 0;
}

/* Waits for the state that is asked for; a volume that another instance gives up takes a moment. */
static int wait_for(struct aws *aws, const char *volume, const char *instance, bool attached,
                    unsigned wait_s, struct state *state, const char **why)
{
    const struct timespec pause = {.tv_sec = POLL_S};
    int result;

    for (unsigned waited = 0;; waited += POLL_S) {
        result = ask(aws, volume, instance, state, why);
        if (result < 0)
            return result;
        if (attached ? is_mine(state, instance) && strcmp(state->attachment, "attached") == 0
                     : is_mine(state, instance) || strcmp(state->volume, "available") == 0 ||
                           (strcmp(state->volume, "in-use") == 0 &&
                            strcmp(state->attachment, "detaching") != 0))
            return 0;
        if (waited >= wait_s)
            break;
        nanosleep(&pause, NULL);
    }
    *why = text_format("%s is %s%s%s%s%s after %u s", volume, state->volume,
                       *state->attachment ? ", " : "", state->attachment,
                       *state->instance ? " at " : "", state->instance, wait_s);
    return -ETIMEDOUT;
}

static int attach(struct aws *aws, const char *volume, const char *instance, const char *device,
                  const char **why)
{
    const struct aws_pair parameters[] = {
        {"VolumeId", volume}, {"InstanceId", instance}, {"Device", device}, {NULL, NULL}};
    int result;

    xml_free(call(aws, "AttachVolume", parameters, &result, why));
    return result;
}

static int bring(struct aws *aws, const struct bootlace_host *host, const char *volume,
                 const char *instance, const char *device, unsigned wait_s, const char **why)
{
    struct state state;
    int result = wait_for(aws, volume, instance, false, wait_s, &state, why);
    bool mine = result == 0 && is_mine(&state, instance);

    if (result == 0 && !mine && !state.shared && *state.instance &&
        strcmp(state.volume, "available") != 0) {
        *why = text_format("%s is attached to %s; detach it there first", volume, state.instance);
        return -EBUSY;
    }
    if (result < 0)
        return result;
    if (!mine && host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would attach %s as %s", volume, device);
        return 1;
    }
    if (!mine)
        result = attach(aws, volume, instance, device, why);
    if (result == 0)
        result = wait_for(aws, volume, instance, true, wait_s, &state, why);
    return result < 0 ? result : !mine;
}

int attach_volume(const struct bootlace_host *host, const char *volume, const char *device,
                  unsigned wait_s, const char **why)
{
    const char *instance = host->metadata(host, "instance-id");
    struct aws *aws;
    int result;

    if (!instance) {
        *why = "the metadata has no instance-id";
        return -ENOENT;
    }
    instance = text_format("%s", instance);
    aws = aws_new(host, NULL);
    result = bring(aws, host, volume, instance, device, wait_s, why);
    aws_free(aws);
    return result;
}
