/* What a step prints: cut into lines and given on; see output.h. */
#include "run/output.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

enum { READ_CHUNK = 65536, LINE_OVERHEAD = 256, JOURNAL_INFO = 6, BATCH_FULL = 65536 };

enum { TAIL_ROOM = 8 * OUTPUT_TAIL_MAX };

void output_init(struct output *output, const char *step, int fd, int log_fd, int copy_fd,
                 bool show)
{
    *output = (struct output){.step = step,
                              .fd = fd,
                              .log_fd = log_fd,
                              .copy_fd = copy_fd,
                              .show = show,
                              .line = BUFFER_INIT(OUTPUT_LINE_MAX),
                              .journal = log_to_journal(),
                              .to_log = BUFFER_INIT(BATCH_FULL + OUTPUT_LINE_MAX + LINE_OVERHEAD),
                              .to_copy = BUFFER_INIT(BATCH_FULL + OUTPUT_LINE_MAX + LINE_OVERHEAD),
                              .to_show = BUFFER_INIT(BATCH_FULL + OUTPUT_LINE_MAX + LINE_OVERHEAD),
                              .tail = BUFFER_INIT(TAIL_ROOM + OUTPUT_LINE_MAX + 1)};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Control characters that could play tricks on a terminal or forge a line of the log. */
static void make_printable(struct buffer *line)
{
    for (size_t i = 0; i < line->size; i++) {
        unsigned char c = (unsigned char)line->bytes[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            line->bytes[i] = '?';
    }
}

/* More than is kept in the end, and cut back now and then: a line costs no move of all the others.
 */
static void keep_tail(struct output *output)
{
    struct buffer *tail = &output->tail;

    if (tail->size > TAIL_ROOM)
        buffer_drop(tail, tail->size - OUTPUT_TAIL_MAX);
    buffer_append(tail, output->line.bytes, output->line.size);
    buffer_append(tail, "\n", 1);
}

static void write_batch(int fd, struct buffer *batch)
{
    if (batch->size && fd >= 0)
        file_write_all(fd, batch->bytes, batch->size);
    buffer_clear(batch);
}

static void write_lines(struct output *output)
{
    write_batch(output->log_fd, &output->to_log);
    write_batch(output->copy_fd, &output->to_copy);
    write_batch(STDERR_FILENO, &output->to_show);
}

static void log_a_line(struct output *output, const char *text)
{
    char stamp[CLOCK_TEXT_MAX];

    if (output->logged > OUTPUT_LOG_MAX)
        return;
    output->logged += strlen(text);
    if (output->logged > OUTPUT_LOG_MAX)
        text = "[bootlace keeps no more of this step's output]";
    if (output->copy_fd >= 0)
        buffer_format(&output->to_copy, "%s\n", text);
    if (output->log_fd < 0)
        return;
    buffer_format(&output->to_log, "%s %.100s: %s\n", clock_text(stamp), output->step, text);
}

static void end_line(struct output *output)
{
    const char *text = buffer_text(&output->line);

    if (output->line.size && text[output->line.size - 1] == '\r')
        output->line.bytes[--output->line.size] = '\0';
    make_printable(&output->line);
    log_a_line(output, text);
    keep_tail(output);
    if (output->show && output->journal)
        buffer_format(&output->to_show, "<%d>%.100s: %s\n", JOURNAL_INFO, output->step, text);
    else if (output->show)
        buffer_format(&output->to_show, "%.100s: %s\n", output->step, text);
    if (output->to_log.size > BATCH_FULL || output->to_show.size > BATCH_FULL)
        write_lines(output);
    buffer_clear(&output->line);
}

static void take_bytes(struct output *output, const char *bytes, size_t size)
{
    while (size) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : size;
        size_t room = output->line.maximum - output->line.size;

        if (length > room) {
            buffer_append(&output->line, bytes, room);
            end_line(output);
            bytes += room;
            size -= room;
            continue;
        }
        buffer_append(&output->line, bytes, length);
        if (end)
            end_line(output);
        bytes += length + (end != NULL);
        size -= length + (end != NULL);
    }
}

void output_take(struct output *output)
{
    char chunk[READ_CHUNK];
    ssize_t count;

    while (output->fd >= 0) {
        count = read(output->fd, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return;
        if (count == 0) {
            close(output->fd);
            output->fd = -1;
        }
        take_bytes(output, chunk, (size_t)count);
        write_lines(output);
        /* One chunk a call keeps a step that prints without end from starving the others. */
        if ((size_t)count < sizeof chunk)
            continue;
        return;
    }
}

/*
 * Goes on reading for a program that outlives its step. It keeps nothing open but the pipe and the
 * log, and ends when the last holder of the pipe's other end does.
 */
_Noreturn static void keep(struct output *output)
{
    struct pollfd fd = {.fd = output->fd, .events = POLLIN};
    sigset_t none;

    output->show = false;
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < 3; i++) {
        int null = open("/dev/null", O_RDWR);

        if (null >= 0 && null != i) {
            dup2(null, i);
            close(null);
        }
    }
    for (int i = 3; i < 1024; i++) {
        if (i != output->fd && i != output->log_fd && i != output->copy_fd)
            close(i);
    }
    while (output->fd >= 0) {
        if (poll(&fd, 1, -1) > 0)
            output_take(output);
    }
    if (output->line.size)
        end_line(output);
    write_lines(output);
    _exit(0);
}

void output_finish(struct output *output)
{
    for (size_t left = OUTPUT_LOG_MAX / READ_CHUNK; left && output->fd >= 0; left--) {
        struct pollfd fd = {.fd = output->fd, .events = POLLIN};

        if (poll(&fd, 1, 0) <= 0)
            break;
        output_take(output);
    }
    if (output->fd >= 0) {
        write_lines(output);
        if (fork() == 0)
            keep(output);
        close(output->fd);
        output->fd = -1;
        output->log_fd = output->copy_fd =
            -1; /* how an unended line goes on is the keeper's to log */
    }
    if (output->line.size)
        end_line(output);
    write_lines(output);
}

const char *output_tail(const struct output *output)
{
    const char *text = buffer_text(&output->tail), *start, *first;
    size_t lines = 0;

    if (!output->tail.size)
        return text;
    first = output->tail.size > OUTPUT_TAIL_MAX ? text + output->tail.size - OUTPUT_TAIL_MAX : text;
    /* Back from the last line's end to where a whole line begins, or as far as there is room. */
    for (start = text + output->tail.size - 1; start > first; start--) {
        if (start[-1] == '\n' && ++lines == OUTPUT_TAIL_LINES)
            return start;
    }
    if (first > text && first[-1] != '\n' && lines)
        first = strchr(first, '\n') + 1;
    return first;
}

void output_free(struct output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    output->fd = -1;
    buffer_free(&output->line);
    buffer_free(&output->tail);
    buffer_free(&output->to_log);
    buffer_free(&output->to_copy);
    buffer_free(&output->to_show);
}
