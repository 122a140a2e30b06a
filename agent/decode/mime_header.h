/*
 * The header of a MIME message or part: RFC 5322 (section 2.2) and RFC 2045 (section 5), read as
 * tolerantly as people write it by hand: any line end, header names in any case, a missing empty
 * line. Parameters may be continued and encoded (RFC 2231).
 */
#ifndef BOOTLACE_DECODE_MIME_HEADER_H
#define BOOTLACE_DECODE_MIME_HEADER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    MIME_FIELDS_MAX = 200,
    MIME_FIELD_SIZE_MAX = 16 << 10, /* one field, with its continuation lines */
    MIME_HEADER_SIZE_MAX = 64 << 10
};

/* What a header says; the strings are owned, NULL where it does not say. */
struct mime_header {
    char *type;     /* media type in lower case, "text/plain" without parameters */
    char *boundary; /* parameters of Content-Type */
    char *charset;
    char *filename; /* Content-Disposition's, or else Content-Type's name */
    char *encoding; /* Content-Transfer-Encoding in lower case */
    char *launch_index;
    char *merge_type; /* Merge-Type or X-Merge-Type */
    bool is_mime;     /* there is a MIME-Version, or a Content-Type that is one */
    size_t size;      /* of the header, with the empty line at its end */
};

#define AUTO_MIME_HEADER __attribute__((cleanup(mime_header_clear)))
#define MIME_HEADER_INIT                                                                           \
    {                                                                                              \
        .size = 0                                                                                  \
    }

/* Reads the header at the beginning of a text: 0; or -1 and an error with its line in the text. */
int mime_header_read(const char *text, size_t size, struct mime_header *header,
                     struct error *error);
void mime_header_clear(struct mime_header *header);

/* A parameter of a field's value, "attachment; filename=x": the caller frees; NULL: none. */
char *mime_parameter(const char *value, const char *name);

/* How long the line is that begins here, with its end. */
size_t mime_line(const char *text, size_t size);

#endif
