/* One run at a time: who has the lock, and that it goes with its holder. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/file.h"
#include "os/lock.h"

#include <signal.h>
#include <sys/wait.h>

/* A process that takes the lock and holds it until it is told otherwise. */
struct holder {
    pid_t pid;
    int tell;
};

static struct holder start_holder(const char *path)
{
    struct holder holder;
    int ready[2], tell[2];
    char byte = 0;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
    holder.pid = fork();
    assert_true(holder.pid >= 0);
    if (holder.pid == 0) {
        struct error error = ERROR_INIT;
        pid_t other;

        close(tell[1]);
        if (lock_take(path, &other, &error) >= 0 && write(ready[1], "x", 1) == 1)
            _exit(read(tell[0], &byte, 1) < 0);
        _exit(1);
    }
    close(ready[1]);
    close(tell[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    holder.tell = tell[1];
    return holder;
}

static void end_holder(struct holder *holder, int signal)
{
    if (signal)
        kill(holder->pid, signal);
    close(holder->tell);
    assert_int_equal(waitpid(holder->pid, NULL, 0), holder->pid);
}

static void free_lock_is_taken(void **state)
{
    struct error error = ERROR_INIT;
    pid_t holder = 7;
    int fd = lock_take(folder_at("lock"), &holder, &error);
    struct stat info;

    (void)state;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode, S_IFREG | 0600);
    assert_silent(&error);
    close(fd);
}

static void second_one_is_told_who_has_it(void **state)
{
    struct holder other = start_holder(folder_at("lock"));
    struct error error = ERROR_INIT;
    char words[32];
    pid_t holder = 0;

    (void)state;
    assert_int_equal(lock_take(folder_at("lock"), &holder, &error), -1);
    assert_int_equal(error.kind, ERROR_BUSY);
    assert_int_equal(holder, other.pid);
    snprintf(words, sizeof words, "process %d", (int)other.pid);
    assert_says(&error, words);
    assert_int_equal(lock_holder(folder_at("lock")), other.pid);
    end_holder(&other, 0);
    assert_int_equal(lock_holder(folder_at("lock")), 0);
}

static void killed_holder_leaves_a_free_lock(void **state)
{
    struct holder other = start_holder(folder_at("lock"));
    struct error error = ERROR_INIT;
    pid_t holder;
    int fd;

    (void)state;
    end_holder(&other, SIGKILL);
    fd = lock_take(folder_at("lock"), &holder, &error);
    assert_true(fd >= 0);
    close(fd);
}

/* What a run started and what outlives it must not keep the next run away. */
static void children_do_not_inherit_it(void **state)
{
    struct error error = ERROR_INIT;
    pid_t holder, child;
    int fd = lock_take(folder_at("lock"), &holder, &error), wait_fds[2];

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(pipe2(wait_fds, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte;

        close(wait_fds[1]);
        _exit(read(wait_fds[0], &byte, 1) < 0);
    }
    close(fd);
    assert_int_equal(lock_holder(folder_at("lock")), 0);
    close(wait_fds[0]);
    close(wait_fds[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void without_a_file_nobody_has_it(void **state)
{
    (void)state;
    assert_int_equal(lock_holder(folder_at("lock")), 0);
    assert_false(file_exists(AT_FDCWD, folder_at("lock")));
}

static void links_are_not_followed(void **state)
{
    struct error error = ERROR_INIT;
    pid_t holder;

    (void)state;
    assert_int_equal(symlink(folder_at("target"), folder_at("lock")), 0);
    assert_int_equal(lock_take(folder_at("lock"), &holder, &error), -1);
    assert_int_equal(error.kind, ERROR_INTERNAL);
    assert_false(file_exists(AT_FDCWD, folder_at("target")));
    folder_put("target", "");
    assert_int_equal(lock_take(folder_at("lock"), &holder, &error), -1);
    assert_int_equal(lock_holder(folder_at("lock")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(free_lock_is_taken, folder_empty),
        cmocka_unit_test_teardown(second_one_is_told_who_has_it, folder_empty),
        cmocka_unit_test_teardown(killed_holder_leaves_a_free_lock, folder_empty),
        cmocka_unit_test_teardown(children_do_not_inherit_it, folder_empty),
        cmocka_unit_test_teardown(without_a_file_nobody_has_it, folder_empty),
        cmocka_unit_test_teardown(links_are_not_followed, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
