/* A seed's meta-data file. */
#include "fuzz.h"

#include "base/banned.h"
#include "source/seed_yaml.h"

static void check_item(const struct seed_items *items, const struct seed_item *item)
{
    MUST(*item->path && strlen(item->path) <= SEED_PATH_MAX);
    for (const char *c = item->path; *c; c++)
        MUST((unsigned char)*c >= ' ' && *c != 0x7f);
    MUST(seed_items_find(items, item->path) == item->value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seed_items items = {0};
    struct error error = ERROR_INIT;

    if (seed_yaml_read((const char *)data, size, "fuzz", &items, &error) < 0)
        MUST(error.kind == ERROR_INPUT && *error.message);
    MUST(items.count <= SEED_ITEMS_MAX);
    for (size_t i = 0; i < items.count; i++)
        check_item(&items, &items.items[i]);
    seed_items_free(&items);
    return 0;
}
