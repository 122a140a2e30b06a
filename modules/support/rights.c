/* Mode and owner of files; see rights.h. */
#include <support/rights.h>

#include <support/accounts.h>
#include <support/text.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MODE_MAX = 07777, OCTAL = 8, NAME_MAX_BYTES = 256, DECIMAL_DIGITS = 3, NUMBER_MAX = 32 };

/* What is being read, and where words about it go. */
struct reading {
    const struct bootlace_host *host;
    const char *mode_key;
    struct rights *rights;
    char *why;
    size_t why_size;
};

static int wrong(const struct reading *reading, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct reading *reading, int number, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reading->why, reading->why_size, format, arguments);
    va_end(arguments);
    return -number;
}

static int wrong_mode(const struct reading *reading)
{
    return wrong(reading, EINVAL, "%s is no mode; write octal digits, as in \"0644\"",
                 reading->mode_key);
}

/*
 * A number is taken as it is: YAML has read 0644 as octal already. Only 644 and its like, three
 * octal digits that as a decimal number would be a nonsensical mode, are told from it.
 */
static int read_mode_number(const struct reading *reading, json_int_t number)
{
    char digits[NUMBER_MAX];

    snprintf(digits, sizeof digits, "%lld", (long long)number);
    if (number > 0777 && strlen(digits) == DECIMAL_DIGITS &&
        strspn(digits, "01234567") == DECIMAL_DIGITS)
        return wrong(reading, EINVAL, "%s %s is a decimal number; write \"0%s\"", reading->mode_key,
                     digits, digits);
    if (number < 0 || number > MODE_MAX)
        return wrong_mode(reading);
    reading->rights->mode = (mode_t)number;
    return 0;
}

static int read_mode(const struct reading *reading, const json_t *given)
{
    const char *text = json_string_value(given);
    unsigned long mode;

    if (!given || json_is_null(given))
        return 0;
    reading->rights->mode_given = true;
    if (json_is_integer(given))
        return read_mode_number(reading, json_integer_value(given));
    if (text && strncasecmp(text, "0o", 2) == 0)
        text += 2;
    if (!text || !*text || strspn(text, "01234567") != strlen(text))
        return wrong_mode(reading);
    mode = strtoul(text, NULL, OCTAL);
    if (mode > MODE_MAX)
        return wrong(reading, EINVAL, "%s is more than 07777", reading->mode_key);
    reading->rights->mode = (mode_t)mode;
    return 0;
}

/* "", "-1" and "none" mean: as a new file has it, which is root. cloud-init's rule. */
static const char *account_or_none(const char *name)
{
    return !*name || strcmp(name, "-1") == 0 || strcasecmp(name, "none") == 0 ? NULL : name;
}

static int find_owner(const struct reading *reading)
{
    struct rights *rights = reading->rights;
    int result = rights->user ? accounts_user(reading->host, rights->user, &rights->owner) : 1;

    if (result > 0 && rights->group)
        result = accounts_group(reading->host, rights->group, &rights->group_id);
    if (result < 0)
        return wrong(reading, -result, "owner cannot be looked up: %s", strerror(-result));
    rights->owner_is_there = result > 0;
    return 0;
}

static int read_owner(const struct reading *reading, const json_t *given)
{
    struct rights *rights = reading->rights;
    const char *text = json_string_value(given);
    char *copy, *colon;

    rights->owner_is_there = true;
    if (!given || json_is_null(given))
        return 0;
    rights->owner_given = true;
    if (json_is_integer(given))
        text = text_format("%lld", (long long)json_integer_value(given));
    if (!text || strlen(text) > NAME_MAX_BYTES || strchr(text, '\n'))
        return wrong(reading, EINVAL, "owner is not USER:GROUP");
    copy = text_format("%s", text);
    colon = strchr(copy, ':');
    if (colon) {
        *colon = '\0';
        if (strchr(colon + 1, ':'))
            return wrong(reading, EINVAL, "owner is not USER:GROUP");
        rights->group = account_or_none(colon + 1);
    }
    rights->user = account_or_none(copy);
    return find_owner(reading);
}

int rights_read(const struct bootlace_host *host, const json_t *object, const char *mode_key,
                struct rights *rights, char *why, size_t why_size)
{
    const struct reading reading = {host, mode_key, rights, why, why_size};
    int result = read_mode(&reading, json_object_get(object, mode_key));

    return result < 0 ? result : read_owner(&reading, json_object_get(object, "owner"));
}

char *rights_owner_text(const struct rights *rights)
{
    return text_format("%s%s%s", rights->user ? rights->user : "", rights->group ? ":" : "",
                       rights->group ? rights->group : "");
}
