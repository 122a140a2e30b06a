/*
 * deeds: what a cloud-config asks for, done by a plain program:
 * `deeds FOLDER FILES BYTES COMMANDS`.
 *
 * It writes FILES files of BYTES bytes into FOLDER and runs /bin/true COMMANDS times, one after
 * another. Power may go at any moment: each file is written under another name, what is written is
 * on the disk (one syncfs(2) for 128 of them) before they get their names, and so are the names (an
 * fsync(2) of the folder) before anything else begins. The agent's write_files does the same.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { NAME_MAX_BYTES = 64, MODE = 0644, BATCH = 128 };

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void write_file(int folder, int number, const char *bytes, size_t size)
{
    char name[NAME_MAX_BYTES];
    int fd;

    snprintf(name, sizeof(name), "%d.new", number);
    fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    if (fd < 0 || fchmod(fd, MODE) < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd) < 0)
        fail(name);
}

static void name_file(int folder, int number)
{
    char unfinished[NAME_MAX_BYTES], name[NAME_MAX_BYTES];

    snprintf(unfinished, sizeof(unfinished), "%d.new", number);
    snprintf(name, sizeof(name), "%d", number);
    if (renameat(folder, unfinished, folder, name) < 0)
        fail(name);
}

static void write_files(const char *path, int count, size_t size)
{
    char *bytes = malloc(size + 1);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (bytes == NULL || folder < 0)
        fail(path);
    memset(bytes, 'x', size);
    for (int begin = 0; begin < count; begin += BATCH) {
        int end = begin + BATCH < count ? begin + BATCH : count;

        for (int i = begin; i < end; i++)
            write_file(folder, i, bytes, size);
        if (syncfs(folder) < 0)
            fail(path);
        for (int i = begin; i < end; i++)
            name_file(folder, i);
        if (fsync(folder) < 0)
            fail(path);
    }
    free(bytes);
    close(folder);
}

static void run_command(void)
{
    char *words[] = {"/bin/true", NULL};
    pid_t pid;
    int status;

    if (posix_spawn(&pid, words[0], NULL, NULL, words, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0)
        fail(words[0]);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: deeds FOLDER FILES BYTES COMMANDS\n", stderr);
        return 2;
    }
    write_files(argv[1], atoi(argv[2]), strtoul(argv[3], NULL, 10));
    for (int i = 0; i < atoi(argv[4]); i++)
        run_command();
    return EXIT_SUCCESS;
}
