/* The host table: what a native module may use; see host.h. */
#include "run/host.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "bootlace/module.h"
#include "model/metadata.h"
#include "run/native.h"
#include "run/place.h"
#include "run/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

enum { LINE_MAX_BYTES = 4096 };

/* What the functions of one call share; host.context points to it. */
struct call {
    json_t *input;
    json_t *metadata; /* borrowed from input; answers of the query descriptor are added, */
    json_t *secrets;  /* but for those that are asked for anew each time */
    char *message;
    struct bootlace_ending ending;
    bool ended;
    bool reboot;
    char *left;               /* why something is left for the instances, or NULL */
    struct place_batch batch; /* files that take their places later */
    int unsettled;            /* 0, or a negative errno: one of them could not */
};

const char *host_phase_name(enum host_phase phase)
{
    static const char *const names[] = {[HOST_RUN] = "run",
                                        [HOST_PREPARE] = "prepare",
                                        [HOST_STOP] = "stop",
                                        [HOST_FORGET] = "forget"};

    return names[phase];
}

static struct call *call_of(const struct bootlace_host *host)
{
    return host->context;
}

static void write_result(json_t *object)
{
    AUTO_FREE char *line = json_one_line(object);

    json_decref(object);
    /* One write a line: several processes of a step may share the descriptor. */
    AUTO_FREE char *whole = memory_format("%s\n", line);
    file_write_all(HOST_RESULT_FD, whole, strlen(whole));
}

__attribute__((format(printf, 3, 4))) static void
host_log(const struct bootlace_host *host, enum bootlace_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    size_t length;

    (void)host;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    length = strlen(line);
    line[length] = '\n';
    file_write_all(level <= BOOTLACE_WARNING ? STDERR_FILENO : STDOUT_FILENO, line, length + 1);
}

static void host_progress(const struct bootlace_host *host, double fraction, const char *message)
{
    json_t *object = memory_need(json_object());

    (void)host;
    json_put(object, "progress", json_real(fraction < 0 ? 0 : fraction > 1 ? 1 : fraction));
    json_put_text(object, "message", message);
    write_result(object);
}

static void host_item(const struct bootlace_host *host, const char *item, const char *status,
                      int exit_code, const char *message)
{
    json_t *object = memory_need(json_object());

    (void)host;
    json_put_text(object, "item", item);
    json_put_text(object, "status", status);
    if (exit_code >= 0)
        json_put_number(object, "exit_code", exit_code);
    json_put_text(object, "message", message);
    write_result(object);
}

__attribute__((format(printf, 2, 0))) static void set_message(const struct bootlace_host *host,
                                                              const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        memory_exhausted();
    free(call_of(host)->message);
    call_of(host)->message = text;
}

__attribute__((format(printf, 3, 4))) static int host_fail(const struct bootlace_host *host,
                                                           int number, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_message(host, format, arguments);
    va_end(arguments);
    return number > 0 ? -number : -EIO;
}

__attribute__((format(printf, 2, 3))) static void host_note(const struct bootlace_host *host,
                                                            const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_message(host, format, arguments);
    va_end(arguments);
}

static void host_ended(const struct bootlace_host *host, const struct bootlace_ending *ending)
{
    call_of(host)->ending = *ending;
    call_of(host)->ended = true;
}

static void host_leave(const struct bootlace_host *host, const char *why)
{
    free(call_of(host)->left);
    call_of(host)->left = memory_copy_string(why);
}

static int host_settle(const struct bootlace_host *host)
{
    struct call *call = call_of(host);
    AUTO_FREE char *failed = NULL;
    int result = place_settle(&call->batch, &failed);

    if (result < 0 && !call->unsettled) {
        call->unsettled = result;
        host->fail(host, -result, "%s cannot be written: %s", failed, strerror(-result));
    }
    return result;
}

static int host_run_program(const struct bootlace_host *host, const struct bootlace_program *given,
                            struct bootlace_ending *ending)
{
    struct bootlace_program program = {0};

    if (given->size < offsetof(struct bootlace_program, argv) + sizeof given->argv)
        return -EINVAL;
    memcpy(&program, given, given->size < sizeof program ? given->size : sizeof program);
    *ending = (struct bootlace_ending){0};
    host_settle(host);
    if (host->dry_run && program.effect != BOOTLACE_READS) {
        AUTO_FREE char *line = program_text(program.argv);

        host->log(host, BOOTLACE_INFO, "would run: %s", line);
        return 0;
    }
    return program_run(host->root, &program, ending);
}

static int host_put_file(const struct bootlace_host *host, const char *path, const void *bytes,
                         size_t size, const struct bootlace_file *how)
{
    struct place place = {.root = host->root,
                          .path = path,
                          .bytes = bytes,
                          .size = size,
                          .mode = how->mode,
                          .owner = how->owner,
                          .group = how->group,
                          .dry_run = host->dry_run};
    struct call *call = call_of(host);
    bool later = how->size >= offsetof(struct bootlace_file, flags) + sizeof how->flags &&
                 how->flags & BOOTLACE_FILE_LATER;
    int result;

    if (how->size < offsetof(struct bootlace_file, group) + sizeof how->group)
        return -EINVAL;
    if (!later && (result = host_settle(host)) < 0)
        return result;
    result = place_file(&place, later ? &call->batch : NULL);
    if (host->dry_run && result > 0)
        host->log(host, BOOTLACE_INFO, "would write %s (%zu bytes)", path, size);
    return result;
}

static const char *host_metadata(const struct bootlace_host *host, const char *path)
{
    struct call *call = call_of(host);
    const json_t *known = json_object_get(call->metadata, path);
    static char answer[HOST_ANSWER_MAX + 2];
    json_t *value;
    ssize_t size;

    if (known)
        return json_string_value(known);
    if (!*path || strlen(path) > HOST_PATH_MAX ||
        send(HOST_QUERY_FD, path, strlen(path), MSG_NOSIGNAL) < 0)
        return NULL;
    do
        size = recv(HOST_QUERY_FD, answer, sizeof answer - 1, 0);
    while (size < 0 && errno == EINTR);
    value = size > 0 && answer[0] == HOST_ANSWER_PRESENT
                ? json_lossy_string(answer + 1, (size_t)size - 1)
                : json_null();
    if (metadata_is_public(path))
        json_put(call->metadata, path, value);
    else if (json_array_append_new(call->secrets, value) < 0)
        memory_exhausted();
    return json_string_value(value);
}

static void host_reboot(const struct bootlace_host *host, const char *why)
{
    host->log(host, BOOTLACE_INFO, "a restart is wanted: %s", why);
    call_of(host)->reboot = !host->dry_run;
}

static bootlace_function *function_of(const struct bootlace_module *module, enum host_phase phase)
{
    switch (phase) {
    case HOST_PREPARE:
        return module->prepare;
    case HOST_STOP:
        return module->stop;
    case HOST_FORGET:
        return module->forget;
    case HOST_RUN:
        break;
    }
    return module->run;
}

static void write_outcome(const struct call *call, int result)
{
    json_t *object = memory_need(json_object());

    json_put_text(object, "status", result < 0 ? "failed" : result > 0 ? "changed" : "unchanged");
    if (call->message)
        json_put_text(object, "message", call->message);
    else if (result < 0)
        json_put_text(object, "message", strerror(-result));
    if (call->ended && call->ending.exit_code >= 0)
        json_put_number(object, "exit_code", call->ending.exit_code);
    if (call->ended && call->ending.signal)
        json_put_number(object, "signal", call->ending.signal);
    if (call->reboot)
        json_put_flag(object, "reboot", true);
    json_put_text(object, "left", call->left);
    write_result(object);
}

static int read_input(struct buffer *text, json_t **input, struct error *error)
{
    if (file_read(AT_FDCWD, "/proc/self/fd/0", text, error) <= 0)
        return -1;
    *input = json_parse(buffer_text(text), text->size, "input", error);
    return *input ? 0 : -1;
}

/* A failure before the module had its turn. */
static int refuse(const struct error *error)
{
    struct call call = {0};
    char text[ERROR_TEXT_MAX];

    call.message = memory_format("the module %s", error_text(error, text, sizeof text));
    write_outcome(&call, -EIO);
    return 1;
}

int host_main(void *context)
{
    const struct host_call *what = context;
    AUTO_BUFFER struct buffer text = BUFFER_INIT(HOST_INPUT_MAX);
    struct error error = ERROR_INIT;
    struct call call = {0};
    const struct bootlace_module *module = native_open(what->path, &error);
    bootlace_function *function;
    int result;

    if (!module || read_input(&text, &call.input, &error) < 0)
        return refuse(&error);
    if (strcmp(module->name, what->name) != 0) {
        error_set(&error, ERROR_INTERNAL, "calls itself %s, its manifest says %s", module->name,
                  what->name);
        return refuse(&error);
    }
    call.metadata = json_object_get(call.input, "metadata");
    call.secrets = memory_need(json_array());
    struct bootlace_host host = {
        .size = sizeof host,
        .interface = BOOTLACE_INTERFACE,
        .dry_run = json_flag_of(call.input, "dry_run", false),
        .root = json_text_of(call.input, "root", "/"),
        .context = &call,
        .log = host_log,
        .progress = host_progress,
        .item = host_item,
        .fail = host_fail,
        .note = host_note,
        .ended = host_ended,
        .run_program = host_run_program,
        .put_file = host_put_file,
        .metadata = host_metadata,
        .reboot = host_reboot,
        .settle = host_settle,
        .bake = json_flag_of(call.input, "bake", false),
        .leave = host_leave,
    };
    function = function_of(module, what->phase);
    result = function ? function(&host, buffer_text(&text)) : 0;
    host_settle(&host);
    if (result >= 0 && call.unsettled)
        result = call.unsettled;
    fflush(NULL);
    write_outcome(&call, result);
    return result < 0;
}
