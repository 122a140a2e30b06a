/* What #include and #include-once name, fetched for the decoder; see includes.h. */
#include "verbs/includes.h"

#include "base/banned.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

enum { KEPT_MODE = 0600 };

int includes_fetch(void *context, const char *url, struct buffer *out, struct error *error)
{
    struct includes *includes = context;

    if (!includes->web)
        includes->web = web_new();
    return web_get(includes->web, url, out, error);
}

/* The name is the agent's own, made of the address' digest: no input chooses a path. */
static char *kept_name(const char *url)
{
    struct digest digest;
    char text[DIGEST_TEXT_MAX];

    digest_init(&digest);
    digest_add_text(&digest, url);
    return memory_format("include-%s", digest_text(&digest, text));
}

int includes_fetch_once(void *context, const char *url, struct buffer *out, struct error *error)
{
    const struct includes *includes = context;
    AUTO_FREE char *name = kept_name(url);
    int folder = includes->record ? includes->record->folder : -1, got = 0;
    struct error unkept = ERROR_INIT;

    if (folder >= 0)
        got = file_read(folder, name, out, error);
    if (got)
        return got < 0 ? -1 : 0;
    if (includes_fetch(context, url, out, error) < 0)
        return -1;
    /* That it cannot be kept costs one more request at the next boot. */
    if (folder >= 0 && includes->keep &&
        file_write(folder, name, buffer_text(out), out->size, KEPT_MODE, &unkept) < 0)
        log_warning_object(&unkept);
    return 0;
}
