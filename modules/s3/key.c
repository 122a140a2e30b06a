/* Keys and paths; see key.h. */
#include <s3/key.h>

#include <support/text.h>

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { HEX = 16 };

char *key_path(const char *relative, bool *is_folder, const char **why)
{
    char *path = text_need(malloc(strlen(relative) + 1)), *end = path;

    *is_folder = !*relative || relative[strlen(relative) - 1] == '/';
    *why = NULL;
    for (const char *name = relative; *name && !*why;) {
        size_t size = strcspn(name, "/");

        if ((size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.'))
            *why = "its key has a name . or .., which is no file's";
        else if (size > NAME_MAX)
            *why = "its key has a name of more than 255 bytes, which is no file's";
        else if (size > 0) {
            if (end > path)
                *end++ = '/';
            memcpy(end, name, size);
            end += size;
        }
        name += size;
        name += *name == '/';
    }
    *end = '\0';
    if (!*why)
        return path;
    free(path);
    return NULL;
}

bool key_decode(char *key)
{
    char *to = key;

    for (const char *from = key; *from; from++) {
        if (*from == '%') {
            const char digits[] = {from[1], from[1] ? from[2] : '\0', '\0'};

            if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
                return false;
            *to = (char)strtoul(digits, NULL, HEX);
            if (!*to++)
                return false;
            from += 2;
        } else
            *to++ = *from == '+' ? ' ' : *from;
    }
    *to = '\0';
    return true;
}
