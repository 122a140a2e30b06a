/* Metadata items by their names; see metadata.h. */
#include "model/metadata.h"

#include "base/banned.h"
#include "base/memory.h"

bool metadata_is_public(const char *path)
{
    static const char *const secret[] = {"iam/", "identity-credentials/", "user-data"};

    for (size_t i = 0; i < ARRAY_SIZE(secret); i++) {
        if (strncmp(path, secret[i], strlen(secret[i])) == 0)
            return false;
    }
    return true;
}
