/* Words for each kind of silence and refusal of the metadata service, and what to do about it. */
#ifndef BOOTLACE_SOURCE_EXPLAIN_H
#define BOOTLACE_SOURCE_EXPLAIN_H

#include "source/ec2_session.h"

/* No answer of use came within the limit. Returns -1. */
int explain_silence(const struct ec2_session *session, const struct ec2_trouble *trouble,
                    const char *what, struct error *error);

/* A status that ends it at once: 3xx, 400, 401, 403, others. Returns -1. */
int explain_status(const struct ec2_session *session, int status, const char *what,
                   struct error *error);

/* The same for the token request. Returns -1. */
int explain_token_status(const struct ec2_session *session, int status, struct error *error);

#endif
