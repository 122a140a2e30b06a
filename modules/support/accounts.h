/*
 * Users and groups by name or number: those of the running machine from everything that it knows
 * (getpwnam), those of another tree from its /etc/passwd and /etc/group.
 */
#ifndef BOOTLACE_SUPPORT_ACCOUNTS_H
#define BOOTLACE_SUPPORT_ACCOUNTS_H

#include <bootlace/module.h>

/* 1 and its number, 0 there is none of that name yet, or a negative errno. */
int accounts_user(const struct bootlace_host *host, const char *name, uid_t *id);
int accounts_group(const struct bootlace_host *host, const char *name, gid_t *id);

#endif
