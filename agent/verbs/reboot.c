/* The restart of the machine that a step asked for; see reboot.h. */
#include "verbs/reboot.h"

#include "base/banned.h"
#include "base/log.h"
#include "base/memory.h"
#include "os/process.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum { ASK_LIMIT_MS = 30000, WAIT_S = 120, COMPLAINT_MAX = 512 };

const struct step *reboot_wanted_by(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (steps->items[i].run && steps->items[i].outcome.reboot)
            return &steps->items[i];
    }
    return NULL;
}

bool reboot_is_due(const struct launch *launch, const struct step *step, struct error *error)
{
    unsigned done = launch->record.reboots, limit = launch->settings.reboot_limit;

    if (done < limit)
        return true;
    error_set(error, ERROR_STEP,
              "%s asked for a restart of the machine, but there were %u in a row already",
              step->name, done);
    error_hint(error, "what is left was done without it; bootlace.reboot_limit is %u", limit);
    return false;
}

int reboot_ask(bool power_off, struct error *error)
{
    AUTO_FREE char *systemctl = process_find("systemctl");
    AUTO_FREE char *shutdown = process_find("shutdown");
    const char *const by_systemd[] = {systemctl, "--no-block", power_off ? "poweroff" : "reboot",
                                      NULL};
    const char *const by_other[] = {shutdown, power_off ? "-P" : "-r", "now", NULL};
    AUTO_BUFFER struct buffer out = BUFFER_INIT(COMPLAINT_MAX);
    AUTO_BUFFER struct buffer complaint = BUFFER_INIT(COMPLAINT_MAX);
    struct process_capture capture = {.argv = systemctl ? by_systemd : by_other,
                                      .out = &out,
                                      .complaint = &complaint,
                                      .limit_ms = ASK_LIMIT_MS};
    int code;

    if (!systemctl && !shutdown)
        return error_set(error, ERROR_STEP, "there is neither systemctl nor shutdown");
    code = process_capture(&capture, error);
    if (code > 0)
        return error_set(error, ERROR_STEP, "%s ended with exit code %d: %.200s", capture.argv[0],
                         code, buffer_text(&complaint));
    return code;
}

int reboot_machine(const struct step *step, struct error *error)
{
    const struct timespec limit = {.tv_sec = WAIT_S};
    sigset_t end;

    log_line(LOG_LEVEL_INFO, "restarts the machine: %s asked for it", step->name);
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    if (reboot_ask(false, error) < 0)
        return error_hint(error, "restart the machine; `bootlace plan` shows what is left");
    while (sigtimedwait(&end, NULL, &limit) < 0) {
        if (errno == EINTR)
            continue;
        error_set(error, ERROR_STEP, "the machine was told to restart, and did not in %d s",
                  WAIT_S);
        return error_hint(error, "restart the machine; `bootlace plan` shows what is left");
    }
    return 0;
}
