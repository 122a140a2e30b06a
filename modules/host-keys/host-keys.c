/*
 * host-keys: every instance has SSH host keys of its own. Those that came with the disk from
 * another machine are deleted before sshd starts, in the early stage; a key of ed25519 is there at
 * once. The others are made by a program in the background: one of RSA takes as long as a whole
 * boot. Their fingerprints are shown on the console, where EC2's get-console-output finds them.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/program.h>
#include <support/remember.h>
#include <support/text.h>
#include <support/tree.h>
#include <unistd.h>

#include <host-keys.schema.h>

enum { PRIVATE_MODE = 0600, PUBLIC_MODE = 0644, TYPES_MAX = 8, KEY_LIMIT_S = 60 };

static const char module_name[] = "host-keys", fast_type[] = "ed25519";
static const char certificates[] = "/etc/ssh/sshd_config.d/11-bootlace-certificates.conf";

/* All that there can be; which of them are made unless settings say so. */
static const struct {
    const char *name;
    bool usual;
} types[] = {{"ed25519", true}, {"ecdsa", true}, {"rsa", true}, {"dsa", false}};

enum { TYPE_COUNT = sizeof types / sizeof *types };

/*
 * What is done behind the run's back, by a fixed text that gets words alone: missing keys of the
 * types before "--" are made, fingerprints of the types behind it are shown where $1 says so, and
 * sshd is told. The markers are those that tools look for in a console's output.
 */
static const char background[] =
    "console=$1; shift; made=\n"
    "while [ \"$1\" != -- ]; do\n"
    "    key=/etc/ssh/ssh_host_$1_key\n"
    "    [ -e $key ] || { nice ssh-keygen -q -t $1 -N '' -C '' -f $key </dev/null && made=1; }\n"
    "    shift\n"
    "done; shift\n"
    "[ -z \"$made\" ] || [ ! -d /run/systemd/system ] ||\n"
    "    systemctl --no-block try-reload-or-restart ssh.service sshd.service\n"
    "[ \"$console\" = yes ] || exit 0\n"
    "{\n"
    "    echo '-----BEGIN SSH HOST KEY FINGERPRINTS-----'\n"
    "    for type; do ssh-keygen -l -f /etc/ssh/ssh_host_${type}_key.pub; done\n"
    "    echo '-----END SSH HOST KEY FINGERPRINTS-----'\n"
    "} 2>/dev/null | sed 's/$/\\r/' >/dev/console\n";

struct wish {
    const json_t *given; /* ssh_keys, or NULL */
    bool delete_old, show;
    bool made[TYPE_COUNT], shown[TYPE_COUNT];
};

static char *path_of(const char *type, const char *end)
{
    return text_format("/etc/ssh/ssh_host_%s_key%s", type, end);
}

static bool has_word(const json_t *list, const char *word)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *text = json_string_value(one);

        if (text && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

/* As ssh names the type in fingerprints' and keys' blacklists: ssh-rsa, ecdsa-sha2-nistp256. */
static bool is_blacklisted(const json_t *settings, const char *type)
{
    const json_t *lists[] = {json_object_get(settings, "ssh_fp_console_blacklist"),
                             json_object_get(settings, "ssh_key_console_blacklist")};
    const char *name = strcmp(type, "dsa") == 0     ? "ssh-dss"
                       : strcmp(type, "ecdsa") == 0 ? "ecdsa-sha2-nistp256"
                                                    : text_format("ssh-%s", type);

    return has_word(lists[0], name) || has_word(lists[0], type) || has_word(lists[1], name);
}

static int read_wish(const struct bootlace_host *host, const json_t *settings, struct wish *wish)
{
    const json_t *wanted = json_object_get(settings, "ssh_genkeytypes");
    bool hidden = false;

    *wish = (struct wish){
        .delete_old = true, .show = true, .given = json_object_get(settings, "ssh_keys")};
    if (input_flag(host, settings, "ssh_deletekeys", &wish->delete_old) < 0 ||
        input_flag(host, settings, "no_ssh_fingerprints", &hidden) < 0 ||
        input_flag(host, json_object_get(settings, "ssh"), "emit_keys_to_console", &wish->show) < 0)
        return -EINVAL;
    wish->show = wish->show && !hidden;
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        wish->made[i] = wanted ? has_word(wanted, types[i].name) : types[i].usual;
        wish->shown[i] = !is_blacklisted(settings, types[i].name);
    }
    return 0;
}

static int delete_all(const struct bootlace_host *host, struct outcome *outcome)
{
    static const char *const ends[] = {"", ".pub", "-cert.pub"};

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        for (size_t j = 0; j < sizeof ends / sizeof *ends; j++) {
            const char *path = path_of(types[i].name, ends[j]);
            int result = tree_remove(host, path);

            if (result)
                outcome_item(outcome, host, path, result, -1,
                             result < 0 ? strerror(-result) : "was another machine's");
            if (result < 0)
                return result;
        }
    }
    return 0;
}

static int make_now(const struct bootlace_host *host, const char *type, struct outcome *outcome)
{
    const char *path = path_of(type, ""), *why = NULL;
    const char *const argv[] = {"ssh-keygen", "-q", "-t", type, "-N", "",
                                "-C",         "",   "-f", path, NULL};
    int result;

    if (tree_has(host, path))
        return 0;
    result = program_change(host, argv, NULL, KEY_LIMIT_S, &why);
    if (result == -ENOENT) {
        host->log(host, BOOTLACE_INFO, "there is no ssh-keygen, so no host key is made");
        return 0;
    }
    outcome_item(outcome, host, path, result < 0 ? result : 1, -1, why);
    return result < 0 ? result : 1;
}

static void put(const struct bootlace_host *host, const char *path, const char *text, mode_t mode,
                struct outcome *outcome)
{
    struct text content = {0};
    int result;

    text_add_string(&content, text);
    if (content.size && content.bytes[content.size - 1] != '\n')
        text_add_string(&content, "\n");
    result = tree_put(host, path, &content, mode);
    outcome_item(outcome, host, path, result, -1, result < 0 ? strerror(-result) : NULL);
}

static bool is_same(const json_t *state, const char *key, const char *value)
{
    const char *known = json_string_value(json_object_get(state, key));

    return known && value && strcmp(known, value) == 0;
}

/* The public part of a private key that was given alone. */
static void derive(const struct bootlace_host *host, const char *type, struct outcome *outcome)
{
    const char *path = path_of(type, ".pub");
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", path_of(type, ""), NULL};
    struct text public = {0};

    if (host->dry_run)
        return;
    if (program_ask(host, argv, KEY_LIMIT_S, &public) == 0) {
        put(host, path, text_string(&public), PUBLIC_MODE, outcome);
        return;
    }
    /* sshd would not start with it alone. */
    tree_remove(host, path_of(type, ""));
    outcome_item(outcome, host, text_format("ssh_keys.%s_private", type), -EINVAL, -1,
                 "it is no private key without a pass phrase");
}

static void put_type(const struct bootlace_host *host, const json_t *given, const char *type,
                     struct text *lines, struct outcome *outcome)
{
    static const char *const ends[] = {"", ".pub", "-cert.pub"};
    static const char *const words[] = {"private", "public", "certificate"};
    const char *texts[sizeof words / sizeof *words];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *path = path_of(type, ends[i]);

        texts[i] = json_string_value(json_object_get(given, text_format("%s_%s", type, words[i])));
        if (texts[i])
            put(host, path, texts[i], i ? PUBLIC_MODE : PRIVATE_MODE, outcome);
        else
            tree_remove(host, path);
    }
    if (texts[0] && !texts[1])
        derive(host, type, outcome);
    if (texts[2])
        text_add_format(lines, "HostCertificate %s\n", path_of(type, "-cert.pub"));
}

/* sshd reads its keys anew, once it is up: its own job of the boot is not waited for. */
static void tell_sshd(const struct bootlace_host *host)
{
    const char *const argv[] = {"systemctl",   "--no-block",   "try-reload-or-restart",
                                "ssh.service", "sshd.service", NULL};
    const char *why;

    if (tree_is_running(host) && access("/run/systemd/system", F_OK) == 0 &&
        program_change(host, argv, NULL, KEY_LIMIT_S, &why) < 0)
        host->log(host, BOOTLACE_INFO, "sshd was not told: %s", why);
}

/*
 * The user's own keys; types that are not given have none then. Once for an instance, and for each
 * set of them: who changes one later has a reason.
 */
static void put_given(const struct bootlace_host *host, const struct wish *wish, bool early,
                      json_t *state, struct outcome *outcome)
{
    const unsigned before = outcome->changed, failed = outcome->failed;
    char digest[REMEMBER_DIGEST_MAX];
    struct text lines = {0};

    remember_digest_json(digest, wish->given);
    if (is_same(state, "given", digest))
        return;
    for (size_t i = 0; i < TYPE_COUNT; i++)
        put_type(host, wish->given, types[i].name, &lines, outcome);
    if (lines.size)
        put(host, certificates, text_string(&lines), PUBLIC_MODE, outcome);
    if (outcome->failed == failed)
        json_object_set_new(state, "given", text_need(json_string(digest)));
    if (outcome->changed != before && !early)
        tell_sshd(host);
}

/* sshd does not start without any: where there is none, one is made at once, of the types that are
 * wanted first, and the quick ones before the slow. */
static int make_one(const struct bootlace_host *host, const struct wish *wish,
                    struct outcome *outcome)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (host->dry_run || tree_has(host, path_of(types[i].name, "")))
            return 0;
    }
    for (int wanted = 1; wanted >= 0; wanted--) {
        for (size_t i = 0; i < TYPE_COUNT; i++) {
            if (wish->made[i] == wanted && (wanted || types[i].usual) &&
                make_now(host, types[i].name, outcome) >= 0)
                return 1;
        }
    }
    return -EIO;
}

/* Makes what is missing, and shows fingerprints, behind the run's back. */
static int start_background(const struct bootlace_host *host, const struct wish *wish, bool show,
                            struct outcome *outcome)
{
    const char *argv[TYPES_MAX * 2 + 8] = {"/bin/sh", "-c", background, "sh", show ? "yes" : "no"};
    const struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .effect = BOOTLACE_CHANGES, .detach = 1};
    struct bootlace_ending ending;
    size_t count = 5, missing = 0;
    int result;

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (wish->made[i] && !wish->given && !tree_has(host, path_of(types[i].name, ""))) {
            argv[count++] = types[i].name;
            missing++;
        }
    }
    argv[count++] = "--";
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (wish->shown[i])
            argv[count++] = types[i].name;
    }
    if ((!missing && !show) || !tree_has(host, "/usr/bin/ssh-keygen"))
        return 0;
    result = host->run_program(host, &program, &ending);
    outcome_item(outcome, host, "keys that take their time", result < 0 ? result : missing != 0, -1,
                 result < 0 ? strerror(-result) : NULL);
    return result;
}

/*
 * Whether the keys may be another machine's; remembers that they no longer are. Early, the
 * machine's own number tells, and what was renewed then is right for the instance that the main
 * stage learns of.
 */
static bool is_new(const struct input *given, json_t *state)
{
    bool early = input_is_early(given), renewed = json_is_true(json_object_get(state, "renewed"));
    const char *key = early ? "machine" : "instance";
    const char *now = early ? input_machine(given) : input_metadata(given, "instance-id");

    if (!now || is_same(state, key, now))
        return false;
    json_object_set_new(state, key, json_string(now));
    json_object_set_new(state, "renewed", json_boolean(early));
    if (early || !renewed)
        json_object_del(state, "given");
    return early || !renewed;
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    struct input given;
    struct wish wish;
    json_t *state, *before;
    bool early, first;
    int result = input_read(host, input, &given);

    if (result < 0 || (result = read_wish(host, given.settings, &wish)) < 0)
        return result;
    early = input_is_early(&given);
    state = remember_read(host, module_name);
    before = text_need(json_deep_copy(state));
    if (is_new(&given, state) && wish.delete_old)
        result = delete_all(host, &outcome);
    if (result == 0 && wish.given)
        put_given(host, &wish, early, state, &outcome);
    else if (result == 0 && wish.made[0])
        make_now(host, fast_type, &outcome);
    if (result == 0)
        make_one(host, &wish, &outcome);
    first = !json_equal(state, before);
    if (result == 0 && !early)
        start_background(host, &wish, first && wish.show, &outcome);
    if (first && remember_write(host, module_name, state) < 0)
        host->log(host, BOOTLACE_WARNING, "that the keys are this machine's cannot be remembered");
    json_decref(before);
    json_decref(state);
    return outcome_end(&outcome, host, "host keys");
}

static const char *const keys[] = {"ssh_deletekeys",
                                   "ssh_genkeytypes",
                                   "ssh_keys",
                                   "ssh_quiet_keygen",
                                   "no_ssh_fingerprints",
                                   "ssh_fp_console_blacklist",
                                   "ssh_key_console_blacklist",
                                   "ssh",
                                   NULL};
static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = module_name,
    .version = BOOTLACE_VERSION,
    .summary = "gives every instance SSH host keys of its own",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 105,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_ESSENTIAL | BOOTLACE_ALSO_EARLY,
    .run = run,
};
