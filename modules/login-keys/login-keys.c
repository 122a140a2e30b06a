/*
 * login-keys: the metadata's public keys, for the image's default user and for root. They are there
 * before the user-data is asked for, whatever becomes of it; what it says about users and keys is
 * done by the module users.
 */
#include <bootlace/module.h>
#include <support/input.h>
#include <support/outcome.h>
#include <users/keys.h>

#include <login-keys.schema.h>

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    struct input given;
    json_t *user;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    user = keys_default_user(host, given.settings);
    keys_give(host, given.settings, user, &outcome);
    json_decref(user);
    return outcome_end(&outcome, host, "users' keys");
}

static int forget(const struct bootlace_host *host, const char *input)
{
    (void)input;
    return keys_forget(host);
}

static const char *const keys[] = {"default_user", "ssh_authorized_keys", "allow_public_ssh_keys",
                                   "disable_root", "disable_root_opts",   NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "login-keys",
    .version = BOOTLACE_VERSION,
    .summary = "lets the holder of the instance's key log in",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_INSTANCE,
    .order = 100,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_ESSENTIAL,
    .run = run,
    .forget = forget,
};
