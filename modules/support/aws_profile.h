/*
 * What configures AWS's SDKs: variables, and the shared files ~/.aws/credentials and ~/.aws/config
 * ("AWS SDKs and Tools Reference Guide"), of which one profile counts: AWS_PROFILE, or "default".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_PROFILE_H
#define BOOTLACE_SUPPORT_AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <support/text.h>

enum { AWS_PROFILE_FILE_MAX = 1 << 20 };

/* A variable of the environment that is set and not empty, or NULL. */
const char *aws_variable(const char *name);

/* AWS_PROFILE, or "default". */
const char *aws_profile_name(void);

/* The path of the credentials file or of the configuration file; a new string. */
char *aws_profile_path(bool is_config);

/*
 * A value of a section of a file's text; NULL where there is none. section is as it stands in
 * brackets: "default", "profile web", "services local". A nested value, a line that is indented
 * below a key without value, is asked for as "s3.endpoint_url". A new string.
 */
char *aws_profile_lookup(const char *text, size_t size, const char *section, const char *key);

/* Whether the text has such a section. */
bool aws_profile_has(const char *text, size_t size, const char *section);

/* The profile's value in the configuration file, or, with in_credentials, in the credentials file;
 * NULL where there is none. A new string. */
char *aws_profile_value(bool in_credentials, const char *key);

/* Whether either file has the profile. */
bool aws_profile_is_there(void);

/* endpoint_url of a service ("s3", "route_53") in the profile's services section, or of the profile
 * itself; NULL where there is none. A new string. */
char *aws_profile_endpoint(const char *service);

#endif
