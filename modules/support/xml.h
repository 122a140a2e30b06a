/*
 * XML as AWS's services answer it, as a tree: elements and their text. No attributes, no
 * namespaces (names are without prefix), no document types, so no entities but XML's own five.
 *
 * Read by libexpat, which is small, linked by itself alone and kept with care; libxml2 brings ICU
 * along in Debian, which is thirty times its size.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_XML_H
#define BOOTLACE_SUPPORT_XML_H

#include <stddef.h>
#include <support/text.h>

enum {
    XML_DEPTH_MAX = 32,
    XML_ELEMENTS_MAX = 200000, /* a listing of 1,000 objects has some 10,000 */
    XML_NAME_MAX = 255
};

struct xml;

/* The document's root element; NULL where it is not well-formed or beyond the limits, and *why
 * (which may be NULL) says so. The caller's, who ends it with xml_free(), which takes NULL. */
struct xml *xml_parse(const char *bytes, size_t size, const char **why);
void xml_free(struct xml *root);

const char *xml_name(const struct xml *element);

/* The text of an element that has no children; "" where there is none. */
const char *xml_text(const struct xml *element);

/* The first child of that name (NULL: of any), and the next of the same parent; or NULL. */
const struct xml *xml_child(const struct xml *element, const char *name);
const struct xml *xml_next(const struct xml *element, const char *name);

/* The element that is reached by the names of a path: "Error/Code"; or NULL. */
const struct xml *xml_find(const struct xml *element, const char *path);

/* The text of that element, or NULL where there is none. */
const char *xml_find_text(const struct xml *element, const char *path);

/* Adds text as XML content, with what must be escaped escaped. Characters that XML cannot hold
 * (most below U+0020) become a question mark. */
void xml_add_text(struct text *out, const char *string);

/* Adds <name>text</name>. */
void xml_add_element(struct text *out, const char *name, const char *string);

#endif
