/*
 * When what failed is worth another attempt, and how long to wait before it: exponential back-off
 * with full jitter, as AWS advises its clients ("Exponential Backoff And Jitter").
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_RETRY_H
#define BOOTLACE_SUPPORT_RETRY_H

#include <stdbool.h>
#include <support/http.h>

enum {
    RETRY_FIRST_MS = 500, /* the first wait is at most this long; each further one twice that, */
    RETRY_WAIT_MAX_MS = 20000, /* up to this */
    RETRY_AFTER_MAX_S = 60,    /* what a server's Retry-After may ask for */
    RETRY_NETWORK_S = 20       /* time that the network and its resolver are given to come up */
};

/* A random number of milliseconds, from 0 to what the n-th wait is at most; n from 1. */
int retry_wait_ms(unsigned n);

/* What Retry-After says, in seconds or as a date (RFC 9110, 10.2.3), within RETRY_AFTER_MAX_S; 0
 * where it says nothing. */
int retry_after_ms(const struct http_answer *answer);

/* Whether there was no way to the server at all: its name is not known, or there is no route. */
bool retry_is_unreachable(int result);

/* Whether it may go well the next time: a connection that failed, broke or was silent, or one of
 * the statuses 408, 429, 500, 502, 503 and 504. */
bool retry_is_transient(const struct http_answer *answer);

/*
 * Milliseconds to wait before the next attempt, or -1: this was the last. Of attempts there are as
 * many as given; where these are several and there was no way to the server, as many as
 * RETRY_NETWORK_S allows.
 */
int retry_next_ms(const struct http_answer *answer, unsigned attempts);

/* The same for a failure that the caller knows to be transient. */
int retry_again_ms(const struct http_answer *answer, unsigned attempts);

#endif
