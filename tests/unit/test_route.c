/*
 * Routes asked of the kernel and waited for. What needs a network of its own is done in a user and
 * network namespace of the test's own, which takes no root where the kernel lets users make one.
 */
#include "os/route.h"

#include "base/banned.h"
#include "base/clock.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct route_address parse(const char *text)
{
    struct route_address address;

    assert_true(route_address_parse(text, &address));
    return address;
}

static void addresses(void **state)
{
    static const char *const bad[] = {"",       "localhost",  "169.254.169",  "256.1.1.1", "[::1]",
                                      "::1%lo", " 127.0.0.1", "127.0.0.1:80", "fd00::g"};
    struct route_address address;

    (void)state;
    assert_true(route_address_parse("169.254.169.254", &address));
    assert_int_equal(address.family, AF_INET);
    assert_memory_equal(address.bytes, "\xa9\xfe\xa9\xfe", 4);
    assert_true(route_address_parse("fd00:ec2::254", &address));
    assert_int_equal(address.family, AF_INET6);
    assert_memory_equal(address.bytes, "\xfd\x00\x0e\xc2", 4);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(route_address_parse(bad[i], &address));
}

/* Without netlink the question is left to the connection itself. */
static void without_a_watch_all_is_well(void **state)
{
    struct route_address address = parse("192.0.2.1");
    int64_t before = clock_milliseconds();

    (void)state;
    assert_int_equal(route_state(NULL, &address), ROUTE_PRESENT);
    route_wait(NULL, before + 30);
    assert_in_range(clock_milliseconds() - before, 30, 2000);
    route_wait(NULL, before);
    route_watch_close(NULL);
}

/* Runs fn in a child with a network of its own, in which not even lo is up. */
static void in_own_network(int (*fn)(void))
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
            _exit(77);
        _exit(fn());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip(); /* no namespaces for this user here */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    request.ifr_flags = IFF_UP;
    result = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return result;
}

static int none_then_present(void)
{
    struct route_watch *watch = route_watch_open();
    struct route_address loopback = {.family = 0}, elsewhere = loopback, ipv6 = loopback;

    if (!watch || !route_address_parse("127.0.0.1", &loopback) ||
        !route_address_parse("169.254.169.254", &elsewhere) ||
        !route_address_parse("fd00:ec2::254", &ipv6))
        return 2;
    if (route_state(watch, &loopback) != ROUTE_NONE || route_state(watch, &elsewhere) != ROUTE_NONE)
        return 3;
    if (route_state(watch, &ipv6) != ROUTE_NONE)
        return 4;
    if (raise_loopback() < 0)
        return 5;
    if (route_state(watch, &loopback) != ROUTE_PRESENT)
        return 6;
    if (route_state(watch, &elsewhere) != ROUTE_NONE)
        return 7;
    route_watch_close(watch);
    return 0;
}

static void route_is_seen_when_it_is_there(void **state)
{
    (void)state;
    in_own_network(none_then_present);
}

static int woken_by_a_change(void)
{
    struct route_watch *watch = route_watch_open();
    int64_t before;

    if (!watch)
        return 2;
    before = clock_milliseconds();
    route_wait(watch, before + 100);
    if (clock_milliseconds() - before < 100)
        return 3; /* nothing changed, so the deadline ended it */
    before = clock_milliseconds();
    if (fork() == 0) {
        clock_sleep(50);
        _exit(raise_loopback() < 0);
    }
    route_wait(watch, before + 4000);
    /* Far below both the deadline and the recheck. */
    return clock_milliseconds() - before < 1500 ? 0 : 4;
}

static void change_wakes_the_waiting(void **state)
{
    (void)state;
    in_own_network(woken_by_a_change);
}

/* What happened between the question and the wait is not missed. */
static int told_of_an_earlier_change(void)
{
    struct route_watch *watch = route_watch_open();
    int64_t before = clock_milliseconds();

    if (!watch || raise_loopback() < 0)
        return 2;
    route_wait(watch, before + 4000);
    return clock_milliseconds() - before < 1500 ? 0 : 3;
}

static void change_before_the_wait_counts(void **state)
{
    (void)state;
    in_own_network(told_of_an_earlier_change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(without_a_watch_all_is_well),
        cmocka_unit_test(route_is_seen_when_it_is_there),
        cmocka_unit_test(change_wakes_the_waiting),
        cmocka_unit_test(change_before_the_wait_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
