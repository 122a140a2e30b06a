/*
 * What the decoders hand each other: a piece of the user-data that is still to be looked at.
 *
 * A decoder takes a piece, and gives each piece that is in it to decode_piece. Everything returns 0
 * to go on (a problem was reported, perhaps), or -1 to stop at once: a limit of the whole was
 * passed, or the machine refused something (then decoder->error says what).
 */
#ifndef BOOTLACE_DECODE_PIECE_H
#define BOOTLACE_DECODE_PIECE_H

#include "decode/decode.h"

enum { PIECE_NAME_MAX = 128, PIECE_WHERE_MAX = ERROR_WHERE_MAX };

struct piece {
    const char *bytes;
    size_t size;
    const char *name;         /* label, or NULL: it gets a number */
    const char *type;         /* declared MIME type in lower case, or NULL */
    const char *fallback;     /* type where nothing else tells, static; or NULL */
    const char *merge_type;   /* may be NULL */
    const char *launch_index; /* as written, or NULL */
    unsigned line;            /* where its text begins in what the user sees, from 1 */
    unsigned depth;           /* decoders that it came through */
};

/* Files that the user-data brought with it, in an archive. */
struct piece_files {
    struct piece_file {
        char *name;
        struct buffer bytes;
    } * items;
    size_t count;
};

/* The addresses that led here. */
struct piece_origin {
    const char *url;
    const struct piece_origin *outer;
};

struct decoder {
    const struct decode_setup *setup;
    struct parts *parts;
    struct problems *problems;
    struct error *error;
    size_t total;      /* bytes that decoders yielded */
    unsigned numbered; /* parts so far */
    unsigned includes; /* addresses fetched so far */
    unsigned taken;    /* files of archives taken so far */
    const struct piece_files *files;
    const struct piece_origin *origin;
};

/* Finds out what it is and goes on with that. */
int decode_piece(struct decoder *decoder, const struct piece *piece);

/* Whether it is compressed or an archive. */
bool piece_is_packed(const char *bytes, size_t size);

/* What is inside of it, to be filled in: the same in everything but its bytes, one deeper. */
struct piece piece_inner(const struct piece *piece, const struct buffer *bytes);

/* Adds a problem of the piece; its line, if any, is counted within the piece. Returns 0. */
int piece_problem(const struct decoder *decoder, const struct piece *piece, struct error *error);
int piece_warning(const struct decoder *decoder, const struct piece *piece, struct error *error);

/* Counts what a decoder yielded: -1 and a problem where that is too much. */
int piece_charge(struct decoder *decoder, const struct piece *piece, size_t size);

/* A label of what the user wrote: what a terminal or a person could stumble over becomes '_'. */
char *piece_label(const char *text);

/* The decoders of containers. */
bool mime_looks_so(const char *text, size_t size);
int mime_decode(struct decoder *decoder, const struct piece *piece);
int list_decode_yaml(struct decoder *decoder, const struct piece *piece);
int list_decode_json(struct decoder *decoder, const struct piece *piece, const json_t *list);
int include_decode(struct decoder *decoder, const struct piece *piece);
int bundle_decode(struct decoder *decoder, const struct piece *piece);

/*
 * Decodes a file of the archive that the piece came in, as inner says, whose bytes are filled in:
 * 0, -1; or 1 where there is no such file.
 */
int bundle_take(struct decoder *decoder, struct piece *inner, const char *name);

#endif
