/* A check beside a transfer; see hashing.h. */
#include <s3/hashing.h>

#include <support/text.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 128 << 10 };

struct hashing {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t allowed; /* under the lock; so is */
    bool cancelled;

    int fd; /* the thread's own from here */
    uint64_t size;
    struct checksum_run run;
    int result;
};

/* Adds what the file has from one offset to another. */
static int add_range(int fd, uint64_t from, uint64_t to, char *chunk, struct checksum_run *run)
{
    while (from < to) {
        uint64_t left = to - from;
        ssize_t count = pread(fd, chunk, left < CHUNK ? (size_t)left : CHUNK, (off_t)from);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -ENODATA;
        checksum_add(run, chunk, (size_t)count);
        from += (uint64_t)count;
    }
    return 0;
}

/* How far it may read, once that is beyond what it has read; less, where it is to end. */
static uint64_t wait_for_more(struct hashing *hashing, uint64_t done)
{
    uint64_t allowed;

    pthread_mutex_lock(&hashing->lock);
    while (!hashing->cancelled && hashing->allowed <= done)
        pthread_cond_wait(&hashing->moved, &hashing->lock);
    allowed = hashing->cancelled ? done : hashing->allowed;
    pthread_mutex_unlock(&hashing->lock);
    return allowed;
}

static void *work(void *context)
{
    struct hashing *hashing = context;
    char *chunk = text_need(malloc(CHUNK));
    uint64_t done = 0;

    while (done < hashing->size && hashing->result == 0) {
        uint64_t allowed = wait_for_more(hashing, done);

        /* A chunk at a time: it may be cancelled meanwhile. */
        if (allowed > done + CHUNK)
            allowed = done + CHUNK;
        hashing->result = allowed > done
                              ? add_range(hashing->fd, done, allowed, chunk, &hashing->run)
                              : -ECANCELED;
        done = allowed;
    }
    free(chunk);
    return NULL;
}

struct hashing *hashing_begin(int fd, uint64_t size, enum checksum_kind kind)
{
    struct hashing *hashing = text_need(calloc(1, sizeof *hashing));
    sigset_t all, before;
    int error;

    hashing->fd = fd;
    hashing->size = size;
    checksum_begin(&hashing->run, kind);
    pthread_mutex_init(&hashing->lock, NULL);
    pthread_cond_init(&hashing->moved, NULL);
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&hashing->thread, NULL, work, hashing);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return hashing;
    checksum_end(&hashing->run, NULL);
    free(hashing);
    return NULL;
}

static void move(struct hashing *hashing, uint64_t offset, bool cancelled)
{
    pthread_mutex_lock(&hashing->lock);
    if (offset > hashing->allowed)
        hashing->allowed = offset;
    hashing->cancelled = cancelled;
    pthread_cond_signal(&hashing->moved);
    pthread_mutex_unlock(&hashing->lock);
}

void hashing_allow(struct hashing *hashing, uint64_t offset)
{
    move(hashing, offset, false);
}

int hashing_end(struct hashing *hashing, struct checksum *sum)
{
    int result;

    pthread_join(hashing->thread, NULL);
    result = hashing->result;
    checksum_end(&hashing->run, sum);
    pthread_cond_destroy(&hashing->moved);
    pthread_mutex_destroy(&hashing->lock);
    free(hashing);
    return result;
}

void hashing_cancel(struct hashing *hashing)
{
    if (!hashing)
        return;
    move(hashing, 0, true);
    hashing_end(hashing, NULL);
}

int hashing_range(int fd, uint64_t offset, uint64_t size, struct checksum_run *run)
{
    char *chunk = text_need(malloc(CHUNK));
    int result = add_range(fd, offset, offset + size, chunk, run);

    free(chunk);
    return result;
}

int hashing_file(int fd, uint64_t size, enum checksum_kind kind, struct checksum *sum)
{
    struct checksum_run run = {0};
    int result;

    checksum_begin(&run, kind);
    result = hashing_range(fd, 0, size, &run);
    checksum_end(&run, sum);
    return result;
}
