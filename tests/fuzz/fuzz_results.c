/* What a module writes to descriptor 3. */
#include "fuzz.h"

#include "base/banned.h"
#include "base/memory.h"
#include "run/execute.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct execute execute = EXECUTE_INIT;

    buffer_init(&execute.result_text, EXECUTE_RESULT_LINE_MAX);
    execute.items = memory_need(json_array());
    execute.result_fd = fuzz_file(data, size);
    while (execute.result_fd >= 0)
        execute_take(&execute);
    MUST(!execute.result || json_is_object(execute.result));
    MUST(!execute.progress || json_object_get(execute.progress, "progress"));
    MUST(json_array_size(execute.items) <= EXECUTE_ITEMS_MAX);
    execute_clear(&execute);
    return 0;
}
