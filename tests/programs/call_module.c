/*
 * call_module: calls a module's function as the agent does, on a tree of the caller's.
 *
 *     call_module MODULE.so ROOT RESULTS [prepare|stop|forget] [dry-run] [METADATA [PART]]
 *
 * The settings are YAML on standard input. METADATA is a JSON object; PART a file. The variables
 * CALL_STAGE, CALL_MACHINE and CALL_BEFORE are the input's "stage", "machine" and, a word for each
 * step, "before". The module's log goes to standard output and error, its results, JSON lines, to
 * the file RESULTS. It is the agent's own host (run/host.h) that the module sees; metadata that is
 * not given is absent.
 */
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "bootlace/module.h"
#include "config/yaml.h"
#include "run/host.h"

#include "base/banned.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { USAGE = 2 };

static int complain(const struct error *error)
{
    char text[ERROR_TEXT_MAX];

    fprintf(stderr, "call_module: %s\n", error_text(error, text, sizeof text));
    return USAGE;
}

static json_t *read_settings(struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(HOST_INPUT_MAX);

    if (file_read(AT_FDCWD, "/dev/stdin", &text, error) < 0)
        return NULL;
    return yaml_parse(buffer_text(&text), text.size, "settings", error);
}

static int put_input(const json_t *input)
{
    char *text = memory_need(json_dumps(input, JSON_COMPACT));
    int fd = memfd_create("input", 0);

    if (fd < 0 || file_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    free(text);
    return dup2(fd, STDIN_FILENO);
}

/* The name that the file's own promises. */
static char *module_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = memory_copy_string(slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');

    if (dot)
        *dot = '\0';
    return name;
}

static bool takes_word(int count, char **arguments, int *next, const char *word)
{
    bool taken = count > *next && strcmp(arguments[*next], word) == 0;

    *next += taken;
    return taken;
}

/* The words of a text as a list; NULL where there is no text. */
static json_t *words_of(const char *text)
{
    AUTO_FREE char *copy = text ? memory_copy_string(text) : NULL;
    json_t *list = text ? memory_need(json_array()) : NULL;
    char *rest = copy, *word;

    while (rest && (word = strsep(&rest, " "))) {
        if (*word)
            json_add(list, json_string(word));
    }
    return list;
}

int main(int count, char **arguments)
{
    int next = 4;
    bool prepare = takes_word(count, arguments, &next, "prepare");
    bool stop = takes_word(count, arguments, &next, "stop");
    bool forget = takes_word(count, arguments, &next, "forget");
    bool dry_run = takes_word(count, arguments, &next, "dry-run");
    const char *metadata = count > next ? arguments[next] : "{}";
    const char *part_file = count > next + 1 ? arguments[next + 1] : NULL;
    struct error error = ERROR_INIT;
    json_t *input = memory_need(json_object()), *settings, *part;
    struct host_call call;
    int results;

    if (count < 4) {
        fputs("call_module MODULE.so ROOT RESULTS [prepare|stop] [dry-run] [METADATA [PART]]\n",
              stderr);
        return USAGE;
    }
    settings = read_settings(&error);
    if (!settings)
        return complain(&error);
    if (part_file) {
        part = memory_need(json_object());
        json_put_text(part, "file", part_file);
        json_put(input, "part", part);
    } else
        json_put(input, "settings", settings);
    json_put_flag(input, "dry_run", dry_run);
    json_put_text(input, "root", arguments[2]);
    json_put_text(input, "stage", getenv("CALL_STAGE"));
    json_put_text(input, "machine", getenv("CALL_MACHINE"));
    if (getenv("CALL_BEFORE"))
        json_put(input, "before", words_of(getenv("CALL_BEFORE")));
    settings = json_parse(metadata, strlen(metadata), "metadata", &error);
    if (!settings)
        return complain(&error);
    json_put(input, "metadata", settings);
    results = open(arguments[3], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (results < 0 || put_input(input) < 0 || dup2(results, HOST_RESULT_FD) < 0)
        return USAGE;
    close(HOST_QUERY_FD);
    call = (struct host_call){.path = arguments[1],
                              .name = module_name(arguments[1]),
                              .phase = prepare  ? HOST_PREPARE
                                       : stop   ? HOST_STOP
                                       : forget ? HOST_FORGET
                                                : HOST_RUN};
    /* As a step's process ends: what the module did not free is not looked for. */
    _exit(host_main(&call));
}
