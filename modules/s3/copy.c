/* What the parts of a copy share; see copy.h. */
#include <s3/copy.h>

#include <support/text.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROGRESS_MS = 1000, MS_PER_S = 1000, NS_PER_MS = 1000000, KIBI = 1024 };

static volatile sig_atomic_t ended;

static void notice(int number)
{
    ended = number;
}

bool copy_is_ended(void)
{
    return ended != 0;
}

void copy_notice_end(void)
{
    const struct sigaction action = {.sa_handler = notice};

    sigaction(SIGTERM, &action, NULL);
}

void copy_fail(struct copy *copy, const char *name, int number, const char *why)
{
    if (!copy->failed++)
        copy->number = number;
    if (copy->failed <= COPY_NAMED_MAX)
        text_add_format(&copy->failures, "%s%s%s%s", copy->failures.size ? "; " : "", name,
                        *name ? ": " : "", why && *why ? why : strerror(number));
    else if (copy->failed == COPY_NAMED_MAX + 1)
        text_add_string(&copy->failures, "; …");
}

char *copy_size_text(uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes / KIBI;
    size_t unit = 0;

    if (bytes < KIBI)
        return text_format("%u bytes", (unsigned)bytes);
    for (; amount >= KIBI && unit + 1 < sizeof units / sizeof *units; unit++)
        amount /= KIBI;
    return text_format("%.1f %s", amount, units[unit]);
}

void copy_progress(struct copy *copy, uint64_t under_way)
{
    struct timespec now;
    int64_t now_ms;
    char *text, *size;

    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ms = (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
    if (!copy->told_ms)
        copy->told_ms = now_ms;
    if (now_ms - copy->told_ms < PROGRESS_MS)
        return;
    copy->told_ms = now_ms;
    size = copy_size_text(copy->bytes + under_way);
    text = copy->item->tree ? text_format("%s: %lu objects, %s", copy->item->label,
                                          copy->copied + copy->unchanged, size)
                            : text_format("%s: %s", copy->item->label, size);
    copy->host->progress(
        copy->host, copy->size ? (double)(copy->bytes + under_way) / (double)copy->size : 0, text);
    free(size);
    free(text);
}
