/*
 * powershell: runs <powershell> blocks under pwsh, PowerShell 7 and later.
 *
 * <powershellArguments> replaces the default arguments, as with EC2Launch; it is cut into words
 * at spaces, double quotes keep some together.
 */
#include <bootlace/module.h>
#include <support/executable.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

static const char default_arguments[] = "-ExecutionPolicy Unrestricted";

/* Cuts text in place into words; how many, or -E2BIG. */
static int cut_words(char *text, const char **words, int room)
{
    int count = 0;

    for (;;) {
        char *out;
        int quoted = 0;

        text += strspn(text, " \t\r\n");
        if (!*text)
            return count;
        if (count == room)
            return -E2BIG;
        words[count++] = out = text;
        for (; *text && (quoted || !strchr(" \t\r\n", *text)); text++) {
            if (*text == '"')
                quoted = !quoted;
            else
                *out++ = *text;
        }
        if (*text)
            text++;
        *out = '\0';
    }
}

/* pwsh knows a script by the ending of its name, so the file is renamed (but shown only, dry). */
static char *script_name(const char *file, int dry_run)
{
    char *name = malloc(strlen(file) + sizeof ".ps1");

    if (!name)
        abort();
    memcpy(name, file, strlen(file) + 1);
    memcpy(name + strlen(file), ".ps1", sizeof ".ps1");
    if (!dry_run && rename(file, name) < 0) {
        free(name);
        return NULL;
    }
    return name;
}

static int run(const struct bootlace_host *host, const char *input)
{
    json_t *object = json_loads(input, 0, NULL);
    const json_t *part = json_object_get(object, "part");
    const char *file = json_string_value(json_object_get(part, "file"));
    const char *given = json_string_value(json_object_get(part, "arguments"));
    int detach = json_is_true(json_object_get(part, "detach")), count, result;
    char *arguments = strdup(given ? given : default_arguments);
    const char *argv[WORDS_MAX + 4] = {"pwsh"};
    struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .effect = BOOTLACE_CHANGES, .detach = detach};
    struct bootlace_ending ending = {0};
    char *script = file ? script_name(file, host->dry_run) : NULL;

    if (!script || !arguments)
        return host->fail(host, errno, "its file cannot be read: %s", strerror(errno));
    count = cut_words(arguments, argv + 1, WORDS_MAX);
    if (count < 0)
        return host->fail(host, E2BIG, "<powershellArguments> has more than %d words", WORDS_MAX);
    argv[count + 1] = "-File";
    argv[count + 2] = script;
    result = host->run_program(host, &program, &ending);
    if (result == -ENOENT)
        return host->fail(host, ENOENT,
                          "pwsh is not installed; bake PowerShell into the image, or use a script "
                          "that begins with #!");
    if (result < 0)
        return host->fail(host, -result, "pwsh cannot be started: %s", strerror(-result));
    return executable_end(host, &ending, detach);
}

static const char *const types[] = {"text/x-powershell", NULL};

static const char *const metadata[] = EXECUTABLE_METADATA;

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "powershell",
    .version = BOOTLACE_VERSION,
    .summary = "runs <powershell> blocks under pwsh",
    .types = types,
    .metadata = metadata,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 900,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
