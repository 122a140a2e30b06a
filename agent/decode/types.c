/*
 * The MIME types that decode knows.
 *
 * They are those of cloud-init's documentation ("User data formats"). As there, a part that is
 * declared as plain text, a script, or compressed is known by its content alone; every other
 * declared type counts.
 */
#include "decode/types.h"

#include "base/banned.h"
#include "base/memory.h"

static const struct type types[] = {
    {"text/plain", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"text/x-not-multipart", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {TYPE_SCRIPT, TYPE_KIND_UNSAID, TYPE_SCRIPT, PART_DEFAULT},
    {"application/octet-stream", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/gzip", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/gzip-compressed", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/gzipped", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-compress", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-compressed", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-gunzip", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-gzip", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-gzip-compressed", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-xz", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/zstd", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-zstd", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-bzip", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-bzip2", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/x-tar", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"application/zip", TYPE_KIND_UNSAID, NULL, PART_DEFAULT},
    {"text/x-shellscript-per-boot", TYPE_KIND_LEAF, TYPE_SCRIPT, PART_PER_BOOT},
    {"text/x-shellscript-per-instance", TYPE_KIND_LEAF, TYPE_SCRIPT, PART_PER_INSTANCE},
    {"text/x-shellscript-per-once", TYPE_KIND_LEAF, TYPE_SCRIPT, PART_ONCE},
    {TYPE_CONFIG, TYPE_KIND_LEAF, TYPE_CONFIG, PART_DEFAULT},
    {"text/cloud-config-jsonp", TYPE_KIND_LEAF, "text/cloud-config-jsonp", PART_DEFAULT},
    {"text/jinja2", TYPE_KIND_LEAF, "text/jinja2", PART_DEFAULT},
    {"text/x-powershell", TYPE_KIND_LEAF, "text/x-powershell", PART_DEFAULT},
    {"text/x-windows-script", TYPE_KIND_LEAF, "text/x-windows-script", PART_DEFAULT},
    {TYPE_ARCHIVE_LIST, TYPE_KIND_LIST, NULL, PART_DEFAULT},
    {TYPE_INCLUDE, TYPE_KIND_INCLUDE, NULL, PART_DEFAULT},
    {TYPE_INCLUDE_ONCE, TYPE_KIND_INCLUDE, NULL, PART_DEFAULT},
    {TYPE_BOOTHOOK, TYPE_KIND_BOOTHOOK, TYPE_BOOTHOOK, PART_DEFAULT},
    {TYPE_PART_HANDLER, TYPE_KIND_HANDLER, NULL, PART_DEFAULT},
    {"message/rfc822", TYPE_KIND_MESSAGE, NULL, PART_DEFAULT},
};

const struct type *type_find(const char *name)
{
    static const struct type unsaid = {NULL, TYPE_KIND_UNSAID, NULL, PART_DEFAULT};
    static const struct type other = {NULL, TYPE_KIND_OTHER, NULL, PART_DEFAULT};

    if (!name)
        return &unsaid;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return &other;
}
