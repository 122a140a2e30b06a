/*
 * The agent's own settings, as /etc/bootlace/config.yaml, the environment and the command line
 * together make them. Filled by config/settings.c; the stages only read.
 */
#ifndef BOOTLACE_MODEL_SETTINGS_H
#define BOOTLACE_MODEL_SETTINGS_H

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

enum { SETTINGS_SOURCES_MAX = 8, SETTINGS_URL_MAX = 256, SETTINGS_PATH_MAX = 1024 };

struct settings {
    /* Names of sources, in the order in which they are tried. */
    char sources[SETTINGS_SOURCES_MAX][16];
    unsigned source_count;
    bool sources_given; /* the list was written by somebody: `ec2` in it is explicit */

    /* The metadata service; times in milliseconds. */
    char endpoint[SETTINGS_URL_MAX]; /* "" = the standard one of the mode */
    bool ipv6;
    bool metadata_disabled; /* AWS_EC2_METADATA_DISABLED */
    int64_t wait_ms;        /* over all */
    int64_t timeout_ms;     /* one request */
    unsigned attempts;      /* tries at silence; 0 = until wait_ms is over */

    int64_t network_wait_ms; /* for a way out, before the first step of a source without network */

    char seed[SETTINGS_PATH_MAX];      /* the seed folder */
    char user_data[SETTINGS_PATH_MAX]; /* --user-data FILE, "" = none */

    bool essentials; /* what the image owes its people is done; see BOOTLACE_ESSENTIAL */

    unsigned reboot_limit; /* restarts that steps may cause in a row */

    json_t *modules; /* settings by module name: time_limit, on_failure, on_interrupt */
};

#endif
