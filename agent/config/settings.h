/*
 * The agent's settings: /etc/bootlace/config.yaml, then config.d/ (every *.yaml in the order of
 * their names, a later one's values over an earlier one's, mappings merged), then the AWS SDKs'
 * environment variables. What the files say wrongly is an error with its line's key.
 *
 *     bootlace:
 *       sources: [seed, ec2]
 *       metadata: {endpoint: URL, endpoint_mode: ipv4|ipv6, wait: S, timeout: S, attempts: N}
 *       seed: FOLDER
 *       network_wait: S
 *       reboot_limit: N
 *       modules: {NAME: {time_limit: S, on_failure: keep|retry, on_interrupt: keep|rerun}}
 *
 * Beside `bootlace:` stand cloud-config keys, the image's defaults.
 */
#ifndef BOOTLACE_CONFIG_SETTINGS_H
#define BOOTLACE_CONFIG_SETTINGS_H

#include "base/error.h"
#include "config/positions.h"
#include "model/settings.h"

enum { SETTINGS_FILE_MAX = 1 << 20 };

/*
 * Reads everything into settings; *image gets the cloud-config keys of the files as an object
 * (never NULL afterwards, owned by the caller); positions (may be NULL) get where they stand.
 */
int settings_read(struct settings *settings, json_t **image, struct positions *positions,
                  struct error *error);
void settings_clear(struct settings *settings);

#endif
