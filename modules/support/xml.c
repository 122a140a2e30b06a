/* XML as a tree, by libexpat; see xml.h. */
#include <support/xml.h>

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct xml {
    char *name, *text;
    struct xml *parent, *first, *last, *next;
};

struct reader {
    XML_Parser parser;
    struct xml *root, *at;
    struct text text; /* since the last tag */
    unsigned depth, count;
    const char *why;
};

static void stop(struct reader *reader, const char *why)
{
    reader->why = why;
    XML_StopParser(reader->parser, XML_FALSE);
}

/* Between a namespace's address and a name in it. No name and no address has one. */
static const char separator = '|';

/* A name without its namespace. */
static const char *local_name(const char *name)
{
    const char *last = strrchr(name, separator);

    return last ? last + 1 : name;
}

static void begin_element(void *context, const char *name, const char **attributes)
{
    struct reader *reader = context;
    struct xml *element;

    (void)attributes;
    name = local_name(name);
    if (reader->why)
        return;
    if (++reader->depth > XML_DEPTH_MAX) {
        stop(reader, "its elements are too deep");
        return;
    }
    if (++reader->count > XML_ELEMENTS_MAX || strlen(name) > XML_NAME_MAX) {
        stop(reader, "it has too many elements, or too long a name");
        return;
    }
    element = text_need(calloc(1, sizeof *element));
    element->name = text_format("%s", name);
    element->parent = reader->at;
    if (!reader->at)
        reader->root = element;
    else if (!reader->at->first)
        reader->at->first = reader->at->last = element;
    else
        reader->at->last = reader->at->last->next = element;
    reader->at = element;
    reader->text.size = 0;
}

static void end_element(void *context, const char *name)
{
    struct reader *reader = context;

    (void)name;
    if (reader->why)
        return;
    if (!reader->at->first && reader->text.size)
        reader->at->text = text_format("%.*s", (int)reader->text.size, reader->text.bytes);
    reader->text.size = 0;
    reader->depth--;
    reader->at = reader->at->parent;
}

static void take_text(void *context, const char *bytes, int size)
{
    struct reader *reader = context;

    if (reader->at && !reader->why)
        text_add(&reader->text, bytes, (size_t)size);
}

/* Where entities would be declared: no answer of AWS's has one. */
static void refuse_type(void *context, const char *name, const char *system_id,
                        const char *public_id, int has_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_subset;
    stop(context, "it has a document type");
}

struct xml *xml_parse(const char *bytes, size_t size, const char **why)
{
    struct reader reader = {.parser = text_need(XML_ParserCreateNS(NULL, separator))};
    bool whole;

    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, begin_element, end_element);
    XML_SetCharacterDataHandler(reader.parser, take_text);
    XML_SetStartDoctypeDeclHandler(reader.parser, refuse_type);
    whole = size <= INT_MAX &&
            XML_Parse(reader.parser, bytes, (int)size, XML_TRUE) == XML_STATUS_OK && reader.root;
    if (!whole && !reader.why)
        reader.why = size ? XML_ErrorString(XML_GetErrorCode(reader.parser)) : "it is empty";
    XML_ParserFree(reader.parser);
    free(reader.text.bytes);
    if (why)
        *why = whole ? NULL : reader.why;
    if (whole)
        return reader.root;
    xml_free(reader.root);
    return NULL;
}

void xml_free(struct xml *root)
{
    struct xml *child = root ? root->first : NULL;

    if (!root)
        return;
    while (child) {
        struct xml *next = child->next;

        xml_free(child);
        child = next;
    }
    free(root->name);
    free(root->text);
    free(root);
}

const char *xml_name(const struct xml *element)
{
    return element->name;
}

const char *xml_text(const struct xml *element)
{
    return element->text ? element->text : "";
}

static const struct xml *named(const struct xml *element, const char *name, size_t length)
{
    while (element && (strncmp(element->name, name, length) != 0 || element->name[length]))
        element = element->next;
    return element;
}

const struct xml *xml_child(const struct xml *element, const char *name)
{
    return name ? named(element->first, name, strlen(name)) : element->first;
}

const struct xml *xml_next(const struct xml *element, const char *name)
{
    return name ? named(element->next, name, strlen(name)) : element->next;
}

const struct xml *xml_find(const struct xml *element, const char *path)
{
    while (element && *path) {
        size_t length = strcspn(path, "/");

        element = named(element->first, path, length);
        path += length + (path[length] == '/');
    }
    return element;
}

const char *xml_find_text(const struct xml *element, const char *path)
{
    const struct xml *found = xml_find(element, path);

    return found ? xml_text(found) : NULL;
}

void xml_add_text(struct text *out, const char *string)
{
    for (; *string; string++) {
        switch (*string) {
        case '&':
            text_add_string(out, "&amp;");
            break;
        case '<':
            text_add_string(out, "&lt;");
            break;
        case '>':
            text_add_string(out, "&gt;");
            break;
        case '"':
            text_add_string(out, "&quot;");
            break;
        case '\r': /* a reader would make a line end of it */
            text_add_string(out, "&#13;");
            break;
        default:
            text_add(out, (unsigned char)*string < ' ' && !strchr("\t\n", *string) ? "?" : string,
                     1);
        }
    }
}

void xml_add_element(struct text *out, const char *name, const char *string)
{
    text_add_format(out, "<%s>", name);
    xml_add_text(out, string);
    text_add_format(out, "</%s>", name);
}
