/* One item of `services`: what the user wants of a service, and what became of it. */
#ifndef BOOTLACE_SERVICES_ITEM_H
#define BOOTLACE_SERVICES_ITEM_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <support/remember.h>
#include <support/text.h>

enum {
    ITEM_NAME_MAX = 255,
    ITEM_WAIT_S = 120, /* longer than the 90 s that systemd itself gives a start by default */
    ITEM_WAIT_MAX_S = 86400,
    ITEM_WHY_MAX = 640
};

enum item_state {
    ITEM_LEFT = 0, /* as it is */
    ITEM_STARTED,
    ITEM_RESTARTED,
    ITEM_RELOADED,
    ITEM_STOPPED,
    ITEM_MASKED
};

enum item_enabled { ITEM_AS_IT_IS = 0, ITEM_ENABLED, ITEM_DISABLED };

struct item {
    const char *name; /* as it was given */
    const char *unit; /* as the service manager calls it */
    enum item_state state;
    enum item_enabled enabled;
    const char *text;      /* the whole unit, or NULL */
    const json_t *dropins; /* name -> text, or NULL */
    bool waits;
    unsigned limit_s;
    unsigned port; /* 0 = none */
    const char *address, *url;
    int status;
    char digest[REMEMBER_DIGEST_MAX];

    bool changed;       /* something of it */
    bool files_changed; /* its unit or a drop-in: a service that runs has the old ones still */
    bool started;       /* by this run: whether it stays up is looked at again */
    int result;         /* 0, or the negative errno that ended it */
    int exit_code;      /* of its main process, where that is why; else -1 */
    const char *note;   /* for its record, or NULL */
    struct text log;    /* the service's last words, where it failed */
    char why[ITEM_WHY_MAX];
};

/* Reads an item; item->result and item->why say what is wrong with it. */
void item_read(const json_t *given, struct item *item);

/* Ends an item: its result is -number, and why the words. Returns -number. */
int item_fail(struct item *item, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether it is to run at the end. */
bool item_is_to_run(const struct item *item);

#endif
