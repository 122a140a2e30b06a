/*
 * final-message: a line in the log when everything else is done, at every boot.
 *
 * The text may have $UPTIME, $TIMESTAMP, $VERSION and $DATASOURCE, as cloud-init's; also in lower
 * case and braces, and behind a line `## template: jinja` as {{ uptime }}.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <string.h>
#include <support/input.h>
#include <support/tree.h>
#include <time.h>

#include <final-message.schema.h>

enum { CENTISECOND_NS = 10000000, FIRST_YEAR = 1900 };

static const char default_text[] =
    "bootlace $VERSION finished at $TIMESTAMP. Datasource $DATASOURCE. Up $UPTIME seconds";

/* Seconds since the kernel's start, as /proc/uptime has them. */
static const char *uptime(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_BOOTTIME, &now);
    return text_format("%lld.%02ld", (long long)now.tv_sec, now.tv_nsec / CENTISECOND_NS);
}

/* RFC 5322's form, in English whatever the locale. */
static const char *timestamp(void)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm parts = {0};

    gmtime_r(&now, &parts);
    return text_format("%s, %02d %s %d %02d:%02d:%02d +0000", days[parts.tm_wday], parts.tm_mday,
                       months[parts.tm_mon], parts.tm_year + FIRST_YEAR, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
}

/* Where user-data came from, by the agent's summary of this run, which everybody may read. */
static const char *datasource(const struct bootlace_host *host)
{
    struct text text = {0};
    const json_t *status = NULL;
    const char *source;

    if (tree_read(host, "/run/bootlace/status.json", &text, NULL) == 0)
        status = json_loads(text_string(&text), 0, NULL);
    source = json_string_value(json_object_get(status, "source"));
    return source && *source ? source : "unknown";
}

/* Whether the first line says so; it is passed over. */
static bool is_template(const char **message)
{
    static const char marker[] = "## template:";
    const char *word = *message;

    if (strncmp(word, marker, strlen(marker)) != 0)
        return false;
    word += strlen(marker);
    word += strspn(word, " \t");
    if (strncmp(word, "jinja", strlen("jinja")) != 0)
        return false;
    *message += strcspn(*message, "\n");
    *message += **message == '\n';
    return true;
}

static void log_lines(const struct bootlace_host *host, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");

        host->log(host, BOOTLACE_INFO, "%.*s", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static int run(const struct bootlace_host *host, const char *input)
{
    const char *message = NULL;
    struct text text = {0};
    struct input given;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_text(host, given.settings, "final_message", &message);
    if (result < 0)
        return result;
    const struct text_word words[] = {{"uptime", uptime()},
                                      {"UPTIME", uptime()},
                                      {"timestamp", timestamp()},
                                      {"TIMESTAMP", timestamp()},
                                      {"version", BOOTLACE_VERSION},
                                      {"VERSION", BOOTLACE_VERSION},
                                      {"datasource", datasource(host)},
                                      {"DATASOURCE", datasource(host)},
                                      {NULL, NULL}};
    if (!message || !message[strspn(message, " \t\r\n")])
        message = default_text;
    message += strspn(message, " \t\r\n");
    if (is_template(&message))
        text_add_replaced(&text, message, words);
    else
        text_add_expanded(&text, message, words);
    log_lines(host, text_string(&text));
    return 0;
}

static const char *const keys[] = {"final_message", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "final-message",
    .version = BOOTLACE_VERSION,
    .summary = "logs a last line when all is done",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 980,
    .flags = BOOTLACE_REPEATABLE,
    .run = run,
};
