/* A journal as a power cut may leave it: read, appended to, and read again. */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "record/journal.h"
#include "record/record.h"

#include <fcntl.h>

static void check_history(const json_t *history)
{
    const char *name;
    json_t *entry;

    json_object_foreach((json_t *)history, name, entry)
    {
        struct outcome outcome = {.exit_code = -1};

        MUST(json_object_get(entry, "status"));
        outcome_from_json(&outcome, entry);
        outcome_clear(&outcome);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct description module = {.name = (char *)"m"};
    const struct step step = {.name = (char *)"fuzz", .module = &module, .digest = "d"};
    struct record record = RECORD_INIT, again = RECORD_INIT;
    struct error error = ERROR_INIT;
    const json_t *entry;

    record.journal = fuzz_file(data, size);
    again.journal = dup(record.journal);
    MUST(again.journal >= 0);
    MUST(journal_read(&record, &error) == 0);
    MUST(json_is_object(record.history) && json_is_object(record.history_once));
    MUST(!record.metadata || json_is_object(record.metadata));
    check_history(record.history);
    /* What is written after it is read, whatever it was. */
    MUST(lseek(record.journal, 0, SEEK_END) == (off_t)size);
    MUST(record_begin_step(&record, &step, "boot", &error) == 0);
    MUST(journal_read(&again, &error) == 0);
    entry = json_object_get(again.history, "fuzz");
    MUST(strcmp(json_text_of(entry, "status", ""), "running") == 0);
    record_close(&record);
    record_close(&again);
    return 0;
}
