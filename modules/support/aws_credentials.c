/* Where credentials come from; see aws_credentials.h. */
#include <support/aws_credentials.h>

#include <support/aws_profile.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLES_ITEM "iam/security-credentials/"

enum { ROLE_NAME_MAX = 64, ITEM_MAX = sizeof ROLES_ITEM + ROLE_NAME_MAX };

static void forget_string(char **string)
{
    if (*string)
        explicit_bzero(*string, strlen(*string));
    free(*string);
    *string = NULL;
}

void aws_credentials_forget(struct aws_credentials *credentials)
{
    forget_string(&credentials->key_id);
    forget_string(&credentials->secret);
    forget_string(&credentials->token);
    *credentials = (struct aws_credentials){0};
}

static char *copy(const char *string)
{
    return text_need(strdup(string));
}

/* 1 they are there, 0 they are not, or -ENOKEY. */
static int find_in_environment(struct aws_credentials *credentials, struct text *why)
{
    const char *key_id = aws_variable("AWS_ACCESS_KEY_ID"),
               *secret = aws_variable("AWS_SECRET_ACCESS_KEY");
    const char *token = aws_variable("AWS_SESSION_TOKEN");

    if (!key_id)
        return 0;
    if (!secret) {
        text_add_string(why, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        return -ENOKEY;
    }
    credentials->key_id = copy(key_id);
    credentials->secret = copy(secret);
    credentials->token = token ? copy(token) : NULL;
    snprintf(credentials->origin, sizeof credentials->origin,
             "the environment's AWS_ACCESS_KEY_ID%s", token ? " and AWS_SESSION_TOKEN" : "");
    return 1;
}

static int find_in_file(bool in_credentials, struct aws_credentials *credentials, struct text *why)
{
    credentials->key_id = aws_profile_value(in_credentials, "aws_access_key_id");
    if (!credentials->key_id)
        return 0;
    credentials->secret = aws_profile_value(in_credentials, "aws_secret_access_key");
    credentials->token = aws_profile_value(in_credentials, "aws_session_token");
    if (!credentials->secret) {
        char *path = aws_profile_path(!in_credentials);

        text_add_format(why, "the profile %s in %s has no aws_secret_access_key",
                        aws_profile_name(), path);
        free(path);
        return -ENOKEY;
    }
    snprintf(credentials->origin, sizeof credentials->origin, "the profile %s in the %s file",
             aws_profile_name(), in_credentials ? "credentials" : "configuration");
    return 1;
}

/* Ways that a profile may name and that need more than a file. */
static int refuse_other_ways(struct text *why)
{
    static const char *const keys[] = {"role_arn", "credential_process", "sso_session",
                                       "sso_start_url", "web_identity_token_file"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char *value = aws_profile_value(false, keys[i]);

        if (value) {
            free(value);
            text_add_format(why,
                            "the profile %s gets its credentials by %s, which is not supported: "
                            "name a profile that has keys, or let the instance's role do it",
                            aws_profile_name(), keys[i]);
            return -ENOKEY;
        }
    }
    return 0;
}

static int find_in_files(struct aws_credentials *credentials, struct text *why)
{
    int result = find_in_file(true, credentials, why);

    if (result == 0)
        result = refuse_other_ways(why);
    if (result == 0)
        result = find_in_file(false, credentials, why);
    if (result == 0 && aws_variable("AWS_PROFILE")) {
        char *path = aws_profile_path(false);

        text_add_format(why, "AWS_PROFILE is %s, but %s%s%s", aws_profile_name(),
                        aws_profile_is_there() ? "that profile has no keys in "
                                               : "there is none in ",
                        path, " nor in the configuration file");
        free(path);
        return -ENOKEY;
    }
    return result;
}

/* "2026-11-22T16:30:02Z"; 0 where it is none. */
static time_t time_of(const char *text)
{
    struct tm when = {0};
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &when) : NULL;

    return end ? timegm(&when) : 0;
}

int aws_credentials_read_role(const char *json, const char *role,
                              struct aws_credentials *credentials, struct text *why)
{
    json_t *answer = json_loads(json, 0, NULL);
    const char *code = json_string_value(json_object_get(answer, "Code"));
    const char *key_id = json_string_value(json_object_get(answer, "AccessKeyId"));
    const char *secret = json_string_value(json_object_get(answer, "SecretAccessKey"));
    const char *token = json_string_value(json_object_get(answer, "Token"));
    const char *message = json_string_value(json_object_get(answer, "Message"));
    bool is_whole = key_id && *key_id && secret && *secret && (!code || !strcmp(code, "Success"));

    if (is_whole) {
        credentials->key_id = copy(key_id);
        credentials->secret = copy(secret);
        credentials->token = token && *token ? copy(token) : NULL;
        credentials->ends = time_of(json_string_value(json_object_get(answer, "Expiration")));
        credentials->can_be_renewed = true;
        snprintf(credentials->origin, sizeof credentials->origin, "the instance's role %s", role);
    } else if (code && strcmp(code, "Success") != 0)
        text_add_format(why, "the metadata service gives no credentials of the role %s: %s%s%s",
                        role, code, message ? ": " : "", message ? message : "");
    else
        text_add_format(why, "the metadata service's credentials of the role %s cannot be read",
                        role);
    json_decref(answer);
    return is_whole ? 0 : -ENOKEY;
}

/* The role's name: the first line of the list. What it may consist of is IAM's rule. */
static bool name_role(const char *list, char name[ROLE_NAME_MAX + 1])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_+=,.@-";
    size_t length = list ? strspn(list, allowed) : 0;

    if (length == 0 || length > ROLE_NAME_MAX || (list[length] && !strchr("\r\n", list[length])))
        return false;
    snprintf(name, ROLE_NAME_MAX + 1, "%.*s", (int)length, list);
    return true;
}

static int find_role(const struct bootlace_host *host, struct aws_credentials *credentials,
                     struct text *why)
{
    char role[ROLE_NAME_MAX + 1], item[ITEM_MAX];
    const char *json;

    if (!name_role(host->metadata(host, ROLES_ITEM), role)) {
        text_add_string(why, "no credentials were found: AWS_ACCESS_KEY_ID is not set, the shared "
                             "files have no profile with keys, and the instance has no role; give "
                             "it one (an instance profile)");
        return -ENOKEY;
    }
    snprintf(item, sizeof item, ROLES_ITEM "%s", role);
    json = host->metadata(host, item);
    if (json)
        return aws_credentials_read_role(json, role, credentials, why);
    text_add_format(why,
                    "the instance has the role %s, but the metadata service gives no credentials "
                    "of it",
                    role);
    return -ENOKEY;
}

int aws_credentials_find(const struct bootlace_host *host, struct aws_credentials *credentials,
                         struct text *why)
{
    int result;

    aws_credentials_forget(credentials);
    result = find_in_environment(credentials, why);
    if (result == 0)
        result = find_in_files(credentials, why);
    if (result == 0)
        result = find_role(host, credentials, why);
    if (result < 0)
        aws_credentials_forget(credentials);
    return result < 0 ? result : 0;
}

bool aws_credentials_end_soon(const struct aws_credentials *credentials, time_t now)
{
    return credentials->can_be_renewed && credentials->ends &&
           credentials->ends - now < AWS_RENEW_BEFORE_S;
}
