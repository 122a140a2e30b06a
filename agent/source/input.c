/* Reading a descriptor whole, with a cap. */
#include "source/input.h"

#include "base/banned.h"

#include <errno.h>

enum { CHUNK = 16384 };

int input_read(int fd, const char *name, struct buffer *out, struct error *error)
{
    for (;;) {
        char chunk[CHUNK];
        ssize_t size = read(fd, chunk, sizeof chunk);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return error_errno(error, ERROR_INPUT, errno, "cannot read %s", name);
        if (size == 0)
            return 0;
        if (!buffer_append(out, chunk, (size_t)size))
            return error_set(error, ERROR_INPUT, "%s is larger than the limit of %zu bytes", name,
                             out->maximum);
    }
}
