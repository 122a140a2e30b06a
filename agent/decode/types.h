/* The MIME types that decode knows, and what it does with each. */
#ifndef BOOTLACE_DECODE_TYPES_H
#define BOOTLACE_DECODE_TYPES_H

#include "model/part.h"

#define TYPE_ARCHIVE_LIST "text/cloud-config-archive"
#define TYPE_BOOTHOOK "text/cloud-boothook"
#define TYPE_CONFIG "text/cloud-config"
#define TYPE_INCLUDE "text/x-include-url"
#define TYPE_INCLUDE_ONCE "text/x-include-once-url"
#define TYPE_PART_HANDLER "text/part-handler"
#define TYPE_SCRIPT "text/x-shellscript"

enum type_kind {
    TYPE_KIND_OTHER,   /* not known here: it stays what was declared */
    TYPE_KIND_UNSAID,  /* says nothing: the content tells */
    TYPE_KIND_LEAF,    /* a part, whatever is in it */
    TYPE_KIND_LIST,    /* a list of parts */
    TYPE_KIND_INCLUDE, /* addresses */
    TYPE_KIND_BOOTHOOK,
    TYPE_KIND_HANDLER, /* Python code */
    TYPE_KIND_MESSAGE  /* a MIME message */
};

struct type {
    const char *name;
    enum type_kind kind;
    const char *result; /* the type of the part; with TYPE_KIND_UNSAID where nothing else tells */
    enum part_frequency frequency;
};

/* Never NULL; name may be NULL. */
const struct type *type_find(const char *name);

#endif
