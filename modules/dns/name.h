/* Domain names as text: lower-case, without the dot at the end; the root is ".". */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>

enum { NAME_MAX_BYTES = 253, NAME_LABEL_MAX = 63 }; /* RFC 1035, 2.3.4, as text */

/* What a name must be, for messages. */
#define NAME_RULE                                                                                  \
    "letters, digits, - and _, at most 63 between dots, 253 in all; others in their xn-- form"

/* The name as this header wants it, or NULL where it is none. The caller's. */
char *name_read(const char *text);

/* Whether name is zone or below it. */
bool name_is_within(const char *name, const char *zone);

/* The name without its first label, a part of it; "." above the last one. */
const char *name_parent(const char *name);

/* The name under which an address is found (RFC 1035, 3.5; RFC 3596, 2.5); NULL where the text is
 * no address. The caller's. */
char *name_of_address(const char *address);

#endif
