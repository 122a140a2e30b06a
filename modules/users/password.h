/* Passwords as `password` and `chpasswd` have them, and `ssh_pwauth`. */
#ifndef BOOTLACE_USERS_PASSWORD_H
#define BOOTLACE_USERS_PASSWORD_H

#include <bootlace/module.h>
#include <jansson.h>
#include <support/outcome.h>

/* Sets them; a RANDOM one is made up once for an instance, and shown on the console and nowhere
 * else. instance and default_user may be NULL. */
void passwords_set(const struct bootlace_host *host, const json_t *settings, const char *instance,
                   const char *default_user, struct outcome *outcome);

/* Tells sshd whether passwords will do. 1, 0, or a negative errno and *why. */
int password_logins(const struct bootlace_host *host, const json_t *wish, const char **why);

#endif
