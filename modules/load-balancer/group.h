/* A target group of Elastic Load Balancing (ELBv2, API version 2015-12-01), and this target in it.
 */
#ifndef BOOTLACE_LOAD_BALANCER_GROUP_H
#define BOOTLACE_LOAD_BALANCER_GROUP_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <support/aws.h>

enum {
    GROUP_WAIT_MAX_S = 3600,
    GROUP_TEXT_MAX = 512,
    GROUP_POLL_FIRST_S = 1,
    GROUP_POLL_MAX_S = 15
};

struct group {
    const struct bootlace_host *host;
    struct aws *aws;
    const char *arn;
    const char *name;   /* of the group, for people */
    const char *region; /* the arn's */
    const char *id;     /* of the target: the instance's id, or its address */
    unsigned port;      /* 0: the group's own */
    unsigned wait_s;    /* for healthy; 0: not waited for */
    bool deregister;    /* at shutdown */
};

/* Reads an item: 0, or a negative errno and *why. */
int group_read(const struct bootlace_host *host, const json_t *item, struct group *group,
               const char **why);

/* Registers the target and waits until it is healthy: 1 changed, 0 it was so already, or a negative
 * errno; *why says which, or why not. */
int group_register(struct group *group, const char **why);

/* Takes the target out: 1, or a negative errno and *why. */
int group_deregister(struct group *group, const char **why);

#endif
