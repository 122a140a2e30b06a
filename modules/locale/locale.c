/*
 * locale: the language of the system, LANG in /etc/default/locale (Debian) or /etc/locale.conf
 * (systemd's locale.conf(5)).
 *
 * A locale that is not there is made first, where the distribution has locale-gen: named in
 * /etc/locale.gen, as locale.gen(5) wants it. Nothing is set to one that is not there.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <support/input.h>
#include <support/tree.h>

#include <locale.schema.h>

#define LIST_PATH "/etc/locale.gen"

enum { LOCALE_NAME_MAX = 64, FILE_MODE = 0644, LIST_MAX = 256 << 10, GENERATION_LIMIT_S = 900 };

/* language[_TERRITORY][.CHARSET][@modifier] */
static bool is_locale_name(const char *name)
{
    return *name && strlen(name) <= LOCALE_NAME_MAX && *name != '.' && *name != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-") ==
               strlen(name);
}

/* As glibc compares them: the charset in lower case, without `-`. */
static bool names_are_same(const char *left, const char *right)
{
    bool charset = false;

    for (;;) {
        while (charset && *left == '-')
            left++;
        while (charset && *right == '-')
            right++;
        if (charset ? strncasecmp(left, right, 1) != 0 : *left != *right)
            return false;
        if (!*left)
            return true;
        charset = (charset || *left == '.') && *left != '@';
        left++;
        right++;
    }
}

/* These are in the C library itself. */
static bool is_built_in(const char *name)
{
    return names_are_same(name, "C") || names_are_same(name, "POSIX") ||
           names_are_same(name, "C.UTF-8");
}

/* What `locale -a` lists; where there is no such program, everything is believed. */
static int is_there(const struct bootlace_host *host, const char *name)
{
    static const char *const argv[] = {"locale", "-a", NULL};
    char *list = text_need(malloc(LIST_MAX)), *line, *rest;
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = argv,
                                             .effect = BOOTLACE_READS,
                                             .capture = list,
                                             .capture_size = LIST_MAX};
    struct bootlace_ending ending;
    bool found = is_built_in(name);
    int result = found ? 0 : host->run_program(host, &program, &ending);

    if (result == -ENOENT)
        found = true;
    else if (result == 0 && !found) {
        for (line = strtok_r(list, "\n", &rest); line && !found; line = strtok_r(NULL, "\n", &rest))
            found = names_are_same(line, name);
    }
    free(list);
    return result < 0 && result != -ENOENT ? result : found;
}

/* "NAME CHARSET", as locale.gen(5) has it; its name for UTF-8 is just that. */
static char *list_line(const char *name)
{
    const char *dot = strchr(name, '.'), *modifier;

    if (!dot)
        return text_format("%s ISO-8859-1", name);
    modifier = dot + strcspn(dot, "@");
    if (strncasecmp(dot, ".utf8", strlen(".utf8")) == 0 ||
        strncasecmp(dot, ".utf-8", strlen(".utf-8")) == 0)
        return text_format("%.*s.UTF-8%s UTF-8", (int)(dot - name), name, modifier);
    return text_format("%s %.*s", name, (int)(modifier - dot - 1), dot + 1);
}

/* Adds the locale's line to /etc/locale.gen unless it is there. */
static int list_locale(const struct bootlace_host *host, const char *name)
{
    char *wanted = list_line(name);
    size_t length = strlen(wanted);
    struct text text = {0};
    int result = tree_read(host, LIST_PATH, &text, NULL);

    if (result < 0)
        return result;
    for (const char *line = text_string(&text); *line;) {
        line += strspn(line, " \t");
        if (strncmp(line, wanted, length) == 0 &&
            strchr("\n#", line[length + strspn(line + length, " \t\r")]))
            return 0;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (text.size && text.bytes[text.size - 1] != '\n')
        text_add_string(&text, "\n");
    text_add_format(&text, "%s\n", wanted);
    return tree_put(host, LIST_PATH, &text, FILE_MODE);
}

static int generate(const struct bootlace_host *host, const char *name)
{
    static const char *const argv[] = {"locale-gen", NULL};
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = argv,
                                             .effect = BOOTLACE_CHANGES,
                                             .time_limit = GENERATION_LIMIT_S};
    struct bootlace_ending ending;
    int result;

    if (!tree_has(host, LIST_PATH))
        return host->fail(host, ENOENT,
                          "there is no locale %s; install its package (locales, glibc-langpack)",
                          name);
    result = list_locale(host, name);
    if (result < 0)
        return host->fail(host, -result, LIST_PATH " cannot be changed: %s", strerror(-result));
    result = host->run_program(host, &program, &ending);
    if (result < 0)
        return host->fail(host, -result, "locale-gen cannot be started: %s", strerror(-result));
    if (ending.exit_code != 0) {
        host->ended(host, &ending);
        return host->fail(host, EIO, "locale-gen ended with %s %d",
                          ending.signal ? "signal" : "exit code",
                          ending.signal ? ending.signal : ending.exit_code);
    }
    if (!host->dry_run && is_there(host, name) == 0)
        return host->fail(host, ENOENT, "locale-gen made no locale %s; is it written right?", name);
    return 1;
}

/* The file with LANG=name in place of its LANG line, everything else as it was. */
static int put_language(const struct bootlace_host *host, const char *path, const char *name)
{
    static const char key[] = "LANG=";
    struct text before = {0}, after = {0};
    bool done = false;
    int result = tree_read(host, path, &before, NULL);

    if (result < 0 && result != -ENOENT)
        return result;
    for (const char *line = text_string(&before); *line;) {
        size_t size = strcspn(line, "\n");
        bool is_language = strncmp(line, key, strlen(key)) == 0;

        if (!is_language)
            text_add_format(&after, "%.*s\n", (int)size, line);
        else if (!done)
            text_add_format(&after, "%s%s\n", key, name);
        done = done || is_language;
        line += size + (line[size] == '\n');
    }
    if (!done)
        text_add_format(&after, "%s%s\n", key, name);
    return tree_put(host, path, &after, FILE_MODE);
}

/* false, off, no: cloud-init's words for leaving it alone. */
static int read_settings(const struct bootlace_host *host, const json_t *settings,
                         const char **name, const char **path)
{
    const json_t *value = json_object_get(settings, "locale");
    int result = 0;

    if (!json_is_false(value))
        result = input_text(host, settings, "locale", name);
    if (result == 0)
        result = input_text(host, settings, "locale_configfile", path);
    if (*name && (!**name || strcasecmp(*name, "false") == 0 || strcasecmp(*name, "off") == 0 ||
                  strcasecmp(*name, "no") == 0))
        *name = NULL;
    if (result == 0 && *name && !is_locale_name(*name))
        return host->fail(host, EINVAL, "locale is no name of a locale, such as de_DE.UTF-8");
    return result;
}

static int run(const struct bootlace_host *host, const char *input)
{
    const char *name = NULL, *path = NULL;
    struct input given;
    int there, file, result = input_read(host, input, &given);

    if (result == 0)
        result = read_settings(host, given.settings, &name, &path);
    if (result < 0)
        return result;
    if (!name) {
        host->note(host, "no locale is given");
        return 0;
    }
    there = is_there(host, name);
    if (there < 0)
        return host->fail(host, -there, "locale -a cannot be started: %s", strerror(-there));
    result = there ? 0 : generate(host, name);
    if (result < 0)
        return result;
    if (!path)
        path = tree_is_like(host, "debian") ? "/etc/default/locale" : "/etc/locale.conf";
    file = put_language(host, path, name);
    if (file < 0)
        return host->fail(host, -file, "%s cannot be written: %s", path, strerror(-file));
    if (result || file)
        host->note(host, "the locale is %s now", name);
    else
        host->note(host, "the locale was %s already", name);
    return result || file;
}

static const char *const keys[] = {"locale", "locale_configfile", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "locale",
    .version = BOOTLACE_VERSION,
    .summary = "sets the system's locale",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 400,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
};
