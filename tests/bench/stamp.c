/*
 * stamp: the interpreter of a script that tells when it began: `#!/path/to/stamp FILE`.
 *
 * Its first act is to take the time; then it writes it, as milliseconds of CLOCK_MONOTONIC, to
 * FILE. To be linked statically, so that no loading of libraries lies between the exec and the
 * time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NANOSECONDS_A_MICROSECOND = 1000, MICROSECONDS_A_MILLISECOND = 1000 };

int main(int argc, char **argv)
{
    struct timespec now;
    char text[64];
    int size;
    int fd;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (argc < 2)
        return EXIT_FAILURE;
    long microseconds = now.tv_nsec / NANOSECONDS_A_MICROSECOND;
    size = snprintf(text, sizeof(text), "%lld.%03ld\n",
                    (long long)now.tv_sec * 1000 + microseconds / MICROSECONDS_A_MILLISECOND,
                    microseconds % MICROSECONDS_A_MILLISECOND);
    fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    return fd >= 0 && write(fd, text, (size_t)size) == size ? EXIT_SUCCESS : EXIT_FAILURE;
}
