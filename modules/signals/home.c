/*
 * cloud-init's phone_home: url; post, "all" or a list of facts; tries. The facts are sent as a form
 * (application/x-www-form-urlencoded), under cloud-init's names.
 */
#include "home.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/aws_sign.h>
#include <support/http.h>
#include <support/input.h>
#include <support/text.h>
#include <support/tree.h>
#include <sys/utsname.h>

enum { FACT_TEXT_MAX = 64 << 10 };

static const char *file_fact(const struct bootlace_host *host, const char *path)
{
    struct text text = {0};

    if (tree_read(host, path, &text, NULL) < 0 || text.size > FACT_TEXT_MAX)
        return NULL;
    return text_string(&text);
}

static const char *host_name(void)
{
    struct utsname names;

    return uname(&names) == 0 ? text_format("%s", names.nodename) : NULL;
}

/* The name that the metadata has is the whole one, where there is one. */
static const char *whole_name(const struct bootlace_host *host)
{
    const char *name = host->metadata(host, "local-hostname");

    return name ? text_format("%s", name) : host_name();
}

static const char *instance_id(const struct bootlace_host *host)
{
    const char *id = host->metadata(host, "instance-id");

    return id ? text_format("%s", id) : NULL;
}

/* The value of a fact: NULL where this machine has none. */
static const char *find_fact(const struct bootlace_host *host, const char *name)
{
    static const char key[] = "pub_key_";

    if (strcmp(name, "instance_id") == 0)
        return instance_id(host);
    if (strcmp(name, "hostname") == 0)
        return host_name();
    if (strcmp(name, "fqdn") == 0)
        return whole_name(host);
    if (strncmp(name, key, strlen(key)) == 0)
        return file_fact(host, text_format("/etc/ssh/ssh_host_%s_key.pub", name + strlen(key)));
    return NULL;
}

static void add_fact(const struct bootlace_host *host, struct text *form, const char *name)
{
    const char *value = find_fact(host, name);

    if (!value)
        value = "N/A";
    text_add_format(form, "%s%s=", form->size ? "&" : "", name);
    aws_encode(form, value, strlen(value), "");
}

static void make_form(const struct bootlace_host *host, const json_t *post, struct text *form)
{
    static const char *const all[] = {"pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519",
                                      "instance_id", "hostname",      "fqdn"};
    const json_t *item;
    size_t i;

    if (!json_is_array(post)) {
        for (i = 0; i < sizeof all / sizeof *all; i++)
            add_fact(host, form, all[i]);
        return;
    }
    json_array_foreach(post, i, item)
    {
        if (json_is_string(item))
            add_fact(host, form, json_string_value(item));
    }
}

int home_phone(const struct bootlace_host *host, const json_t *settings, const char **why)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    const json_t *tries = json_object_get(settings, "tries");
    struct http_request request = {
        .method = "POST", .headers = headers, .attempts = HOME_TRIES, .redirects = 5};
    struct http_answer answer = {0};
    struct text form = {0};
    struct http *http;
    int result;

    *why = "its settings are none";
    if (input_text(host, settings, "url", &request.url) < 0)
        return -EINVAL;
    if (!request.url) {
        *why = "url is missing";
        return -EINVAL;
    }
    if (json_is_integer(tries) && json_integer_value(tries) > 0 &&
        json_integer_value(tries) <= HOME_TRIES_MAX)
        request.attempts = (unsigned)json_integer_value(tries);
    make_form(host, json_object_get(settings, "post"), &form);
    request.body = text_string(&form);
    request.body_size = form.size;
    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would post to the phone_home address");
        return 1;
    }
    http = http_new();
    result = http_fetch(http, &request, &answer);
    *why = result < 0 ? text_format("%s", answer.why) : "posted";
    http_answer_clear(&answer);
    http_free(http);
    return result < 0 ? result : 1;
}
