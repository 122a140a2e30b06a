/* The agent's own log: one line an event, to /var/log/bootlace.log and standard error. */
#include "base/log.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

enum { LINE_MAX_BYTES = 2048 };

static int log_fd = -1;
static enum log_level shown = LOG_LEVEL_WARNING;

/*
 * The group that may read logs on Debian. Read from the file itself: getgrnam would load NSS
 * modules, which costs more than everything else at start-up and may ask the network.
 */
static gid_t adm_group(void)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct error error = ERROR_INIT;
    const char *line;

    if (file_read(AT_FDCWD, "/etc/group", &text, &error) <= 0)
        return 0;
    for (line = text.bytes; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
        const char *number = strncmp(line, "adm:", 4) == 0 ? strchr(line + 4, ':') : NULL;

        if (number)
            return (gid_t)strtoul(number + 1, NULL, 10);
    }
    return 0;
}

int log_open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

    if (fd >= 0)
        return fd;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0 && (fchmod(fd, 0640) < 0 || (geteuid() == 0 && fchown(fd, 0, adm_group()) < 0))) {
        close(fd);
        return -1;
    }
    return fd;
}

bool log_to_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat info;
    char *end;

    if (!stream || fstat(STDERR_FILENO, &info) < 0)
        return false;
    device = strtoull(stream, &end, 10);
    inode = *end == ':' ? strtoull(end + 1, NULL, 10) : 0;
    return device == info.st_dev && inode == info.st_ino;
}

void log_open(const char *path)
{
    if (log_fd < 0)
        log_fd = log_open_file(path);
}

void log_show(enum log_level level)
{
    shown = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    char text[LINE_MAX_BYTES], stamp[CLOCK_TEXT_MAX], line[LINE_MAX_BYTES + 64];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' && *c != '\t')
            *c = ' ';
    }
    if (level <= shown) {
        if (log_to_journal())
            snprintf(line, sizeof line, "<%d>%s\n", (int)level, text);
        else
            snprintf(line, sizeof line, "bootlace: %s\n", text);
        file_write_all(STDERR_FILENO, line, strlen(line));
    }
    if (log_fd >= 0 && level <= LOG_LEVEL_INFO) {
        static const char *const names[] = {
            [LOG_LEVEL_ERROR] = "error ", [LOG_LEVEL_WARNING] = "warning ", [LOG_LEVEL_INFO] = ""};

        snprintf(line, sizeof line, "%s [%d] %s%s\n", clock_text(stamp), (int)getpid(),
                 names[level], text);
        file_write_all(log_fd, line, strlen(line));
    }
}

void log_error_object(const struct error *error)
{
    char text[ERROR_TEXT_MAX];

    log_line(LOG_LEVEL_ERROR, "%s", error_text(error, text, sizeof text));
}

void log_warning_object(const struct error *error)
{
    char text[ERROR_TEXT_MAX];

    log_line(LOG_LEVEL_WARNING, "%s", error_text(error, text, sizeof text));
}
