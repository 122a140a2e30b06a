/*
 * Credentials of AWS, found where its SDKs find them, and in their order; see aws.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_CREDENTIALS_H
#define BOOTLACE_SUPPORT_AWS_CREDENTIALS_H

#include <bootlace/module.h>
#include <stdbool.h>
#include <support/text.h>
#include <time.h>

enum {
    AWS_RENEW_BEFORE_S = 300, /* a role's credentials are asked anew when they end this soon; */
    AWS_RENEW_AGAIN_S = 60,   /* if the new ones end as soon, this much later again */
    AWS_CREDENTIAL_MAX = 16 << 10
};

struct aws_credentials {
    char *key_id;
    char *secret;
    char *token;         /* NULL: none */
    time_t ends;         /* 0: never */
    bool can_be_renewed; /* they are a role's */
    char origin[128];    /* where they came from, for words: "the instance's role web" */
};

/*
 * Finds credentials; 0, or -ENOKEY and in why (which is added to) what was looked for and what is
 * wrong. What was there before is forgotten.
 */
int aws_credentials_find(const struct bootlace_host *host, struct aws_credentials *credentials,
                         struct text *why);

/* Whether they should be found anew at this time. */
bool aws_credentials_end_soon(const struct aws_credentials *credentials, time_t now);

/* Overwrites and frees them. */
void aws_credentials_forget(struct aws_credentials *credentials);

/* Reads the answer of iam/security-credentials/<role>, JSON; as aws_credentials_find(). */
int aws_credentials_read_role(const char *json, const char *role,
                              struct aws_credentials *credentials, struct text *why);

#endif
