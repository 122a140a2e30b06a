/*
 * imds_token.c: the session tokens of version 2 of the metadata service: opaque, issued for a time.
 */
#include "imds.h"

#include <string.h>
#include <sys/random.h>

enum { MICROSECONDS = 1000000 };

const char *imds_token_issue(struct imds_tokens *tokens, long seconds)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct imds_token *token = &tokens->list[tokens->next];
    unsigned char random[IMDS_TOKEN_SIZE];

    /* Up to 256 bytes, getrandom gives all or (before the pool is ready) waits. */
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return NULL;
    for (size_t i = 0; i < IMDS_TOKEN_SIZE; i++)
        token->text[i] = DIGITS[random[i] % (sizeof(DIGITS) - 1)];
    /* EC2's tokens end so: a client that takes them for anything but opaque text stumbles here. */
    memcpy(token->text + IMDS_TOKEN_SIZE - 2, "==", 2);
    token->text[IMDS_TOKEN_SIZE] = '\0';
    token->expires_us = imds_now_us() + (int64_t)seconds * MICROSECONDS;
    tokens->next = (tokens->next + 1) % IMDS_MAX_TOKENS;
    return token->text;
}

enum imds_standing imds_token_check(const struct imds_tokens *tokens, const char *text)
{
    if (text == NULL)
        return IMDS_TOKEN_NONE;
    for (size_t i = 0; i < IMDS_MAX_TOKENS; i++) {
        const struct imds_token *token = &tokens->list[i];

        if (token->expires_us == 0 || strcmp(token->text, text) != 0)
            continue;
        return token->expires_us > imds_now_us() ? IMDS_TOKEN_VALID : IMDS_TOKEN_EXPIRED;
    }
    return IMDS_TOKEN_INVALID;
}

const char *imds_token_word(enum imds_standing standing)
{
    switch (standing) {
    case IMDS_TOKEN_VALID:
        return "valid";
    case IMDS_TOKEN_INVALID:
        return "invalid";
    case IMDS_TOKEN_EXPIRED:
        return "expired";
    case IMDS_TOKEN_NONE:
        break;
    }
    return "none";
}
