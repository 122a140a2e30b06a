/* Rules of sudo(8) for users, in a file of bootlace's own: /etc/sudoers.d/90-bootlace-users. */
#ifndef BOOTLACE_USERS_SUDO_H
#define BOOTLACE_USERS_SUDO_H

#include <bootlace/module.h>
#include <jansson.h>
#include <support/text.h>

/* Adds the file's text to out with the rules (a text or a list) for the user in the place of those
 * that it had; without any where rules is false or null. */
void sudo_merge(const char *file, const char *user, const json_t *rules, struct text *out);

/* Writes them, once visudo(8), where it is there, finds them right. 1, 0, or a negative errno and
 * *why. */
int sudo_take(const struct bootlace_host *host, const char *user, const json_t *rules,
              const char **why);

#endif
