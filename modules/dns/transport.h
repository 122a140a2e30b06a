/* One message to a name server and its answer, over TCP (RFC 7766), within a time. */
#ifndef DNS_TRANSPORT_H
#define DNS_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <support/text.h>
#include <sys/socket.h>

enum {
    TRANSPORT_ANSWER_MAX = 16 << 10, /* bytes: answers to what is asked here are far smaller */
    TRANSPORT_HEADER = 12            /* bytes of a message at the least */
};

struct address {
    struct sockaddr_storage bytes;
    socklen_t size;
};

/*
 * Sends the message to one address and adds the answer to the text. 0, or a negative errno:
 * -ETIMEDOUT beyond limit_ms for everything together, -ECONNREFUSED, -ECONNRESET where it hung up,
 * -EPROTO where the answer is shorter than any message, -EMSGSIZE where it is longer than
 * TRANSPORT_ANSWER_MAX, or what connect(2) said.
 */
int transport_exchange(const struct address *address, const void *message, size_t size,
                       int limit_ms, struct text *answer);

#endif
