/*
 * A program inside a tree that is not running, an image: chrooted, and nothing of it outlives it.
 *
 * It has a mount namespace with /proc, /dev, /sys and an empty /run of its own, as maintainers'
 * scripts of packages want them, and a process namespace: what it leaves behind, a daemon that a
 * package starts, ends with it. SYSTEMD_OFFLINE tells systemd's tools that no machine runs here.
 */
#ifndef BOOTLACE_RUN_ENCLOSURE_H
#define BOOTLACE_RUN_ENCLOSURE_H

/* What became of it, in memory that the processes share. */
struct enclosure_ending {
    int failure; /* why it was not executed, an errno; or 0 */
    int status;  /* as of waitpid(2) */
};

struct enclosure {
    const char *root;
    const char *const *argv; /* argv[0] is looked up in PATH, inside */
    const char *folder;      /* working folder, inside */
    struct enclosure_ending *ending;
};

/* Memory for an ending; NULL: there is none. And its end; NULL is accepted. */
struct enclosure_ending *enclosure_ending_new(void);
void enclosure_ending_free(struct enclosure_ending *ending);

/* Runs it to its end; for a process of its own (struct process_start, function), whose exit code
 * is 0 where *ending says how the program ended. A struct enclosure is the context. */
int enclosure_main(void *context);

#endif
