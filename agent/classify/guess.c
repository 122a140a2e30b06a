/* What unknown data looks like: a guess for an error message, made without showing the data. */
#include "classify/guess.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <ctype.h>
#include <strings.h>

static const struct {
    const char *magic;
    size_t size, offset;
    const char *looks_like;
} magics[] = {
    {"\x1f\x8b", 2, 0, "gzip-compressed data"},
    {"BZh", 3, 0, "bzip2-compressed data"},
    {"\xfd"
     "7zXZ",
     5, 0, "xz-compressed data"},
    {"\x28\xb5\x2f\xfd", 4, 0, "zstd-compressed data"},
    {"PK\x03\x04", 4, 0, "a zip archive"},
    {"ustar", 5, 257, "a tar archive"},
    {"\x7f"
     "ELF",
     4, 0, "a Linux program (ELF)"},
    {"MZ", 2, 0, "a Windows program"},
    {"%PDF-", 5, 0, "a PDF document"},
    {"\x89PNG", 4, 0, "a PNG picture"},
};

static const char default_hint[] =
    "begin it with #! for a script, or put it into <script> or <powershell>";

/* Beginnings of text, compared in any case. */
static const struct {
    const char *beginning;
    const char *looks_like;
    const char *hint;
} beginnings[] = {
    {"mime-version:", "a MIME message", "its header is not whole: Content-Type names a boundary"},
    {"content-type:", "a MIME message", "its header is not whole: Content-Type names a boundary"},
    {"---", "YAML without its first line", "the first line of a cloud-config is #cloud-config"},
    {"#ps1", "PowerShell in cloudbase-init's form", "put it into <powershell>…</powershell>"},
    {"rem cmd", "a batch file in cloudbase-init's form", "put it into <script>…</script>"},
    {"@echo", "a batch file", "put it into <script>…</script>"},
    {"<!--", "HTML or XML", default_hint},
    {"<!doctype", "an HTML page", "was an error page saved instead of the script?"},
    {"<html", "an HTML page", "was an error page saved instead of the script?"},
    {"<?xml", "XML", default_hint},
    {"{", "JSON", default_hint},
    {"[", "JSON", default_hint},
    {"version:", "EC2Launch v2 tasks in YAML", "use <script> or <powershell> blocks"},
    {"# /", "a script whose first line has a space instead of !", "write #!/bin/sh"},
};

static const char *encoding_of(const char *bytes, size_t size)
{
    json_t *utf8 = json_stringn(bytes, size);
    bool ascii = true;

    json_decref(utf8);
    if (!utf8 || memchr(bytes, '\0', size))
        return "binary";
    for (size_t i = 0; i < size; i++)
        ascii = ascii && (unsigned char)bytes[i] < 0x80;
    return ascii ? "ASCII" : "UTF-8";
}

/* Base64 (RFC 4648) of some length, with line ends or without. */
static bool is_base64(const char *bytes, size_t size)
{
    size_t digits = 0;

    for (size_t i = 0; i < size; i++) {
        if (isalnum((unsigned char)bytes[i]) || bytes[i] == '+' || bytes[i] == '/' ||
            bytes[i] == '=')
            digits++;
        else if (bytes[i] != '\n' && bytes[i] != '\r')
            return false;
    }
    return digits >= 16 && digits % 4 == 0;
}

/* A first line like "key:" or "key: value". */
static bool is_yaml(const char *bytes, size_t size)
{
    size_t i = 0;

    while (i < size && (isalnum((unsigned char)bytes[i]) || bytes[i] == '_' || bytes[i] == '-'))
        i++;
    return i > 0 && i < size && bytes[i] == ':' &&
           (i + 1 == size || isspace((unsigned char)bytes[i + 1]));
}

/* What its beginning says, or NULL. */
static const char *guess_by_beginning(const char *bytes, size_t size, const char **hint)
{
    *hint = default_hint;
    for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
        if (size >= magics[i].offset + magics[i].size &&
            memcmp(bytes + magics[i].offset, magics[i].magic, magics[i].size) == 0)
            return magics[i].looks_like;
    }
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
        size_t length = strlen(beginnings[i].beginning);

        if (size >= length && strncasecmp(bytes, beginnings[i].beginning, length) == 0) {
            *hint = beginnings[i].hint;
            return beginnings[i].looks_like;
        }
    }
    return NULL;
}

bool guess_knows(const char *bytes, size_t size)
{
    const char *hint;

    return guess_by_beginning(bytes, size, &hint) != NULL;
}

static const char *guess(const char *bytes, size_t size, const char **hint)
{
    const char *looks_like = guess_by_beginning(bytes, size, hint);

    if (looks_like)
        return looks_like;
    if (is_base64(bytes, size)) {
        *hint = "it was probably encoded once too often: give the script itself";
        return "base64 text";
    }
    if (is_yaml(bytes, size)) {
        *hint = "the first line of a cloud-config is #cloud-config";
        return "YAML without its first line";
    }
    return NULL;
}

int guess_explain(const char *bytes, size_t size, struct error *error)
{
    const char *hint, *encoding = encoding_of(bytes, size);
    const char *looks_like = guess(bytes, size, &hint);

    if (looks_like)
        error_set(error, ERROR_INPUT, "not known as user-data: it looks like %s (%zu bytes, %s)",
                  looks_like, size, encoding);
    else
        error_set(error, ERROR_INPUT, "not known as user-data: %s (%zu bytes, %s)",
                  strcmp(encoding, "binary") == 0 ? "it looks like nothing known"
                                                  : "it is text without a known first line",
                  size, encoding);
    return error_hint(error, "%s", hint);
}
