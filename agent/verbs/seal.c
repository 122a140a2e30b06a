/*
 * bootlace seal: makes a machine, or a tree that is not running, ready to become an image.
 *
 * The modules take back what is the instance's (`forget`), then what is known to be left by any
 * machine is removed (agent/seal). On a machine that runs much of that is written anew until it is
 * off: a random seed, logs, the histories of shells. So the unit bootlace-seal.service, which is
 * started here, does the same once more as the last thing of the shutdown.
 */
#include "seal/sweep.h"

#include "base/banned.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/lock.h"
#include "os/process.h"
#include "record/record.h"
#include "run/registry.h"
#include "run/schedule.h"
#include "verbs/reboot.h"
#include "verbs/schemas.h"
#include "verbs/show.h"
#include "verbs/shutdown.h"
#include "verbs/step_environment.h"
#include "verbs/verbs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

enum {
    FORGET_LIMIT_S = 60,
    ASK_LIMIT_MS = 60000,
    COMPLAINT_MAX = 512,
    RUN_FOLDER_MODE = 0755,
    ANSWER_MAX = 16
};

#define UNIT "bootlace-seal.service"

struct seal {
    const struct options *options;
    char *path; /* of the root */
    int root;
    bool running; /* the root is the machine that runs */
    struct registry registry;
    json_t *items; /* what was taken away, or would be */
    size_t failed;
};

/* A line of the result; action in both its forms. error may be NULL. */
static void tell_item(struct seal *seal, const char *what, const char *name, const char *will,
                      const char *did, const char *error)
{
    json_t *item = memory_need(json_object());
    AUTO_FREE char *shown = memory_copy_string(name);

    json_put_text(item, "what", what);
    json_put_text(item, "path", name);
    json_put_text(item, "action", seal->options->dry_run ? will : did);
    json_put_text(item, "error", error);
    json_add(seal->items, item);
    seal->failed += error != NULL;
    for (char *c = shown; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; /* a name is anybody's, and no order to a terminal */
    }
    if (error)
        log_line(LOG_LEVEL_ERROR, "%s: %s (%s)", shown, error, what);
    else if (!seal->options->json)
        printf("%-8s %s (%s)\n", seal->options->dry_run ? will : did, shown, what);
}

static void tell_leftover(void *context, const struct leftover *leftover, const char *path,
                          int number)
{
    bool empty = leftover->action == LEFTOVER_EMPTY;

    tell_item(context, leftover->what, path, empty ? "empty" : "remove",
              empty ? "emptied" : "removed", number ? strerror(number) : NULL);
}

/* Where trials and tests have their files; "/" where there is no such place. */
static const char *given_prefix(void)
{
    const char *prefix = secure_getenv("BOOTLACE_PREFIX");

    return prefix && *prefix ? prefix : "/";
}

static int open_root(struct seal *seal, struct error *error)
{
    const char *given = seal->options->root ? seal->options->root : given_prefix();
    bool goes_down = seal->options->power_off || seal->options->restart;

    seal->path = realpath(given, NULL);
    seal->root = seal->path ? open(seal->path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (seal->root < 0)
        return error_set(error, ERROR_USAGE, "--root: there is no folder %.200s", given);
    /* "/" by name is a tree, too: whoever makes an image in a chroot says so. */
    seal->running = !seal->options->root && strcmp(seal->path, "/") == 0;
    if (seal->options->root && strcmp(seal->path, "/") != 0)
        paths_set_root(seal->path);
    if (goes_down && !seal->running)
        return error_set(error, ERROR_USAGE, "--poweroff and --reboot are for this machine alone");
    if (seal->options->power_off && seal->options->restart)
        return error_set(error, ERROR_USAGE, "either --poweroff or --reboot");
    if (!sweep_has(seal->root, "/etc/os-release") &&
        !sweep_has(seal->root, "/usr/lib/os-release")) {
        error_set(error, ERROR_USAGE, "%.200s holds no system", seal->path);
        return error_hint(error, "neither /etc/os-release nor /usr/lib/os-release is there");
    }
    return 0;
}

static int check_user(const struct seal *seal, struct error *error)
{
    if (geteuid() == 0 || strcmp(given_prefix(), "/") != 0)
        return 0;
    error_set(error, ERROR_USAGE, "a seal wants root%s",
              seal->options->dry_run ? ", also to see what it would do" : "");
    return error_hint(error, "use sudo");
}

/* Somebody at a terminal may have meant another machine. */
static int confirm(const struct seal *seal, struct error *error)
{
    char answer[ANSWER_MAX];

    if (seal->options->dry_run || seal->options->yes || !seal->running || !isatty(STDIN_FILENO))
        return 0;
    fputs("This machine will forget its host keys, ids, logs and the record of its instance.\n"
          "What makes it this machine is gone then. Go on? [y/N] ",
          stderr);
    if (fgets(answer, sizeof answer, stdin) && strcmp(answer, "y\n") == 0)
        return 0;
    error_set(error, ERROR_USAGE, "not sealed");
    return error_hint(error, "--dry-run lists what would be removed, --yes does not ask");
}

/* Where there is no state there is no run, and nothing is to be made for a lock. */
static int take_lock(int *held, struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/lock", paths_get(PATHS_RUN));
    pid_t holder = 0;

    if (!file_exists(AT_FDCWD, paths_get(PATHS_STATE)))
        return 0;
    if (file_make_folders(AT_FDCWD, paths_get(PATHS_RUN), RUN_FOLDER_MODE, error) < 0)
        return -1;
    *held = lock_take(path, &holder, error);
    return *held < 0 ? -1 : 0;
}

static int begin_step(void *context, struct step *step, char **part_file, struct error *error)
{
    (void)context, (void)step, (void)part_file, (void)error;
    return 0;
}

/* What a module took back, by its items, or as a whole where it names none. */
static void end_step(void *context, struct step *step)
{
    const struct outcome *outcome = &step->outcome;
    struct seal *seal = context;
    bool done = outcome->state == STEP_DONE;
    size_t told = 0, i;
    const json_t *item;

    json_array_foreach(outcome->items, i, item)
    {
        const char *status = json_text_of(item, "status", "");
        bool failed = strcmp(status, "failed") == 0;

        if (strcmp(status, "unchanged") == 0)
            continue;
        told++;
        tell_item(seal, step->module->name, json_text_of(item, "item", ""), "forget", "forgot",
                  failed ? json_text_of(item, "message", "failed") : NULL);
    }
    if (!told && (!done || outcome->changed))
        tell_item(seal, step->module->name, outcome->message ? outcome->message : "its own",
                  "forget", "forgot", done ? NULL : "the module failed");
}

static void let_modules_forget(struct seal *seal)
{
    AUTO_JSON json_t *metadata = memory_need(json_object());
    struct step_environment environment;
    struct steps steps = {0};
    struct schedule schedule = {.phase = HOST_FORGET,
                                .root = seal->path,
                                .dry_run = seal->options->dry_run,
                                .show_output = true,
                                .output_log_fd = -1,
                                .signal_fd = -1,
                                .metadata = metadata,
                                .host = {.context = seal, .begin = begin_step, .end = end_step}};

    for (size_t i = 0; i < seal->registry.count; i++) {
        const struct description *module = &seal->registry.modules[i];
        struct step *step;

        if (module->left_out || module->package || !module->has_forget)
            continue;
        step = steps_add(&steps);
        step->name = memory_copy_string(module->name);
        step->module = module;
        step->settings = memory_need(json_object());
        step->time_limit = FORGET_LIMIT_S;
        step->run = true;
    }
    step_environment_make(&environment, "", metadata);
    schedule.environment = step_environment_list(&environment);
    schedule_run(&schedule, &steps);
    step_environment_clear(&environment);
    steps_clear(&steps);
}

/* The modules whose state is of the tree. */
static json_t *kept_names(const struct registry *registry)
{
    json_t *names = memory_need(json_object());

    for (size_t i = 0; i < registry->count; i++) {
        if (registry->modules[i].tree_state)
            json_put_flag(names, registry->modules[i].name, true);
    }
    return names;
}

static void sweep(struct seal *seal)
{
    AUTO_JSON json_t *kept = kept_names(&seal->registry);
    const struct sweep sweep = {.root = seal->root,
                                .dry_run = seal->options->dry_run,
                                .at_rest = !seal->running || seal->options->shutdown,
                                .kept = kept,
                                .tell = tell_leftover,
                                .context = seal};
    struct error error = ERROR_INIT;
    int reduced = record_reduce_once(seal->options->dry_run, &error);
    char text[ERROR_TEXT_MAX];

    if (reduced)
        tell_item(seal, "outputs of what is done once", "/var/lib/bootlace/once", "reduce",
                  "reduced", reduced < 0 ? error_text(&error, text, sizeof text) : NULL);
    sweep_run(&sweep, leftovers, leftover_count);
}

/* Runs a program that helps; that it is not there, or will not, is a warning. */
static void ask(const char *name, const char *const *arguments, const char *otherwise)
{
    AUTO_FREE char *path = process_find(name);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(COMPLAINT_MAX);
    AUTO_BUFFER struct buffer complaint = BUFFER_INIT(COMPLAINT_MAX);
    const char *argv[] = {path, arguments[0], arguments[1], NULL};
    struct process_capture capture = {
        .argv = argv, .out = &out, .complaint = &complaint, .limit_ms = ASK_LIMIT_MS};
    struct error error = ERROR_INIT;
    int code = path ? process_capture(&capture, &error) : -1;

    if (code != 0)
        log_line(LOG_LEVEL_WARNING, "%s: %s %s: %.200s", otherwise, name, arguments[0],
                 !path            ? "it is not installed"
                 : code < 0       ? error.message
                 : complaint.size ? buffer_text(&complaint)
                                  : "it failed");
}

/* The journal goes on in memory, and what is written from now on is removed at the shutdown. */
static void prepare_machine(const struct seal *seal)
{
    static const char *const start[] = {"start", UNIT};
    static const char *const relinquish[] = {"--relinquish-var", NULL};

    if (!seal->running || seal->options->shutdown || seal->options->dry_run)
        return;
    ask("systemctl", start, "what is written from now on until the machine is off stays there");
    ask("journalctl", relinquish, "the journal goes on in /var/log");
}

static void show(const struct seal *seal)
{
    const char *end = seal->options->dry_run || !seal->running || seal->options->shutdown
                          ? ""
                          : "; the rest follows at its shutdown";

    if (seal->options->json) {
        AUTO_JSON json_t *object = memory_need(json_object());

        json_put_flag(object, "dry_run", seal->options->dry_run);
        json_put(object, "items", json_incref(seal->items));
        show_json(object);
    } else if (seal->options->dry_run && !json_array_size(seal->items)) {
        puts("nothing to do");
    }
    if (!seal->options->dry_run && !seal->failed)
        log_line(LOG_LEVEL_INFO, "sealed: an image of %s makes a new instance%s",
                 seal->running ? "this machine" : "this tree", end);
}

static int execute(struct seal *seal, struct error *error)
{
    if (registry_scan(&seal->registry, NULL, NULL, false, error) < 0)
        return -1;
    schemas_log_left_out(&seal->registry, 0);
    prepare_machine(seal);
    let_modules_forget(seal);
    sweep(seal);
    if (!seal->options->dry_run)
        sync(); /* an image may be made of the disk as it is now */
    show(seal);
    if (seal->failed)
        return error_set(error, ERROR_STEP, "not sealed: %zu could not be removed", seal->failed);
    if (!seal->options->dry_run && (seal->options->power_off || seal->options->restart))
        return reboot_ask(seal->options->power_off, error);
    return 0;
}

static int seal_root(struct seal *seal, struct error *error)
{
    AUTO_CLOSE int held = -1;

    if (open_root(seal, error) < 0 || check_user(seal, error) < 0 || confirm(seal, error) < 0)
        return -1;
    /* What must not outlive the machine is undone while it is still known. */
    if (seal->running && !seal->options->dry_run && !seal->options->shutdown &&
        shutdown_run(seal->options) != 0)
        seal->failed++;
    if (!seal->options->dry_run && take_lock(&held, error) < 0)
        return -1;
    return execute(seal, error);
}

int verb_seal(const struct options *options)
{
    struct seal seal = {.options = options, .root = -1, .items = memory_need(json_array())};
    struct error error = ERROR_INIT;
    int result;

    log_show(options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    process_hide_memory();
    process_adopt_orphans();
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    result = seal_root(&seal, &error);
    if (result < 0)
        log_error_object(&error);
    registry_clear(&seal.registry);
    json_decref(seal.items);
    memory_close_fd(&seal.root);
    free(seal.path);
    return result < 0 ? error_exit_code(&error) : 0;
}
