/* The journal of what is done once on this file system, made fit for an image; see record.h. */
#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "record/record.h"

#include <fcntl.h>

enum { PRIVATE_MODE = 0600 };

/* What tells whether a step is to be done again. */
static json_t *reduce(const json_t *entry)
{
    static const char *const members[] = {"event", "step", "module", "digest", "status"};
    json_t *reduced = memory_need(json_object());

    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        json_put_text(reduced, members[i], json_text_of(entry, members[i], NULL));
    return reduced;
}

/* The last entry of each step, in the order in which they were begun. */
static json_t *last_entries(const struct buffer *text)
{
    json_t *steps = memory_need(json_object());
    const char *line = buffer_text(text), *stop = line + text->size, *end;

    for (; (end = memchr(line, '\n', (size_t)(stop - line))); line = end + 1) {
        struct error ignored = ERROR_INIT;
        AUTO_JSON json_t *entry = json_parse(line, (size_t)(end - line), NULL, &ignored);
        const char *step = json_text_of(entry, "step", NULL);

        if (step && json_text_of(entry, "status", NULL))
            json_put(steps, step, reduce(entry));
    }
    return steps;
}

int record_reduce_once(bool dry_run, struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/once", paths_get(PATHS_STATE));
    AUTO_BUFFER struct buffer old = BUFFER_INIT(RECORD_JOURNAL_MAX);
    AUTO_BUFFER struct buffer reduced = BUFFER_INIT(RECORD_JOURNAL_MAX);
    AUTO_JSON json_t *steps = NULL;
    const char *name;
    json_t *entry;
    int got = file_read(AT_FDCWD, path, &old, error);

    if (got <= 0)
        return got;
    steps = last_entries(&old);
    json_object_foreach(steps, name, entry)
    {
        AUTO_FREE char *line = json_one_line(entry);

        buffer_format(&reduced, "%s\n", line);
    }
    if (reduced.size == old.size && (!old.size || memcmp(reduced.bytes, old.bytes, old.size) == 0))
        return 0;
    if (!dry_run &&
        file_write(AT_FDCWD, path, buffer_text(&reduced), reduced.size, PRIVATE_MODE, error) < 0)
        return -1;
    return 1;
}
