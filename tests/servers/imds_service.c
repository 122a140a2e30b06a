/*
 * imds_service.c: what EC2's instance metadata service would answer to a request, and what the
 * faults make of that.
 *
 * PUT /latest/api/token gives a token; everything else is GET and HEAD. With version 2 alone
 * nothing is answered without a valid token; with both, a token is optional, but a bad one is
 * refused. Errors carry an XHTML page, as EC2's do: who takes a body for data without looking at
 * the status gets that.
 */
#define _GNU_SOURCE
#include "imds.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char TOKEN_PATH[] = "/latest/api/token";
static const char TOKEN_PATH_END[] = "/api/token";

static const char PLAIN[] = "text/plain";
static const char OCTETS[] = "application/octet-stream";
static const char XHTML[] = "text/html";

/* An answer while it is being put together. */
struct draft {
    int status;
    const char *type;
    char headers[256]; /* whole lines */
    struct imds_item item;
};

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } REASONS[] = {
        {200, "OK"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof(REASONS) / sizeof(REASONS[0]); i++)
        if (REASONS[i].status == status)
            return REASONS[i].text;
    return "Status";
}

__attribute__((format(printf, 2, 3))) static void add_line(struct draft *draft, const char *format,
                                                           ...)
{
    size_t used = strlen(draft->headers);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(draft->headers + used, sizeof(draft->headers) - used, format, arguments);
    va_end(arguments);
}

static void set_page(struct draft *draft, int status)
{
    char *page;
    int size = asprintf(&page,
                        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\"\n"
                        "  \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\n"
                        "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\">\n"
                        " <head><title>%d %s</title></head>\n"
                        " <body><h1>%d %s</h1></body>\n"
                        "</html>\n",
                        status, reason(status), status, reason(status));

    free(draft->item.data);
    draft->item = (struct imds_item){.modified = 0};
    draft->status = status;
    draft->type = XHTML;
    if (size < 0)
        return; /* no memory for a page: the status says it as well */
    draft->item.data = page;
    draft->item.size = (size_t)size;
}

static void set_text(struct draft *draft, const char *text)
{
    draft->item.data = strdup(text);
    draft->item.size = draft->item.data == NULL ? 0 : strlen(text);
    draft->status = 200;
    draft->type = PLAIN;
}

/* ---- the true answer ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);

    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* The life that a PUT asks for, in seconds; 0: none that may be given. */
static long asked_ttl(const struct imds_request *request)
{
    char *end;
    long seconds;

    if (request->token_ttl == NULL || request->token_ttl[0] < '0' || request->token_ttl[0] > '9')
        return 0;
    seconds = strtol(request->token_ttl, &end, 10);
    return *end == '\0' && seconds <= IMDS_MAX_TTL ? seconds : 0;
}

static void answer_put(struct imds_service *service, const struct imds_request *request,
                       struct draft *draft)
{
    long seconds = asked_ttl(request);
    const char *token;

    if (service->mode == IMDS_V1 && ends_with(request->path, TOKEN_PATH_END)) {
        set_page(draft, 404);
        return;
    }
    if (strcmp(request->path, TOKEN_PATH) != 0) {
        set_page(draft, ends_with(request->path, TOKEN_PATH_END) ? 403 : 405);
        if (draft->status == 405)
            add_line(draft, "Allow: GET, HEAD\r\n");
        return;
    }
    if (request->forwarded || seconds == 0) {
        set_page(draft, request->forwarded ? 403 : 400);
        return;
    }
    token = imds_token_issue(&service->tokens, seconds);
    if (token == NULL) {
        set_page(draft, 500);
        return;
    }
    set_text(draft, token);
    add_line(draft, "X-aws-ec2-metadata-token-ttl-seconds: %ld\r\n", seconds);
}

static void answer_get(struct imds_service *service, const struct imds_request *request,
                       enum imds_standing standing, struct draft *draft)
{
    bool needs_token =
        service->mode == IMDS_V2 || (service->mode == IMDS_BOTH && standing != IMDS_TOKEN_NONE);
    char date[64];
    struct tm when;
    int status;

    if (service->mode != IMDS_V1 && strcmp(request->path, TOKEN_PATH) == 0) {
        set_page(draft, 405);
        add_line(draft, "Allow: PUT\r\n");
        return;
    }
    if (needs_token && standing != IMDS_TOKEN_VALID) {
        set_page(draft, 401);
        return;
    }
    status = imds_item_read(service->root, request->path, &draft->item);
    if (status != 200) {
        set_page(draft, status);
        return;
    }
    draft->status = status;
    draft->type = draft->item.is_user_data ? OCTETS : PLAIN;
    if (gmtime_r(&draft->item.modified, &when) == NULL ||
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &when) == 0)
        return;
    add_line(draft, "Accept-Ranges: none\r\nLast-Modified: %s\r\n", date);
}

static void answer_truly(struct imds_service *service, const struct imds_request *request,
                         enum imds_standing standing, struct draft *draft)
{
    if (strcmp(request->method, "PUT") == 0) {
        answer_put(service, request, draft);
    } else if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) {
        answer_get(service, request, standing, draft);
    } else {
        set_page(draft, 405);
        add_line(draft, "Allow: GET, HEAD\r\n");
    }
}

/* ---- what goes out ---- */

/* Content-Length as it is to be said; the line is empty where it is not said. */
static void length_line(const struct imds_effects *effects, unsigned long long size, char line[64])
{
    long long said = (long long)size + effects->length_shift;

    line[0] = '\0';
    if (!effects->unannounced)
        snprintf(line, 64, "Content-Length: %lld\r\n", said < 0 ? 0 : said);
}

static void write_head(struct imds_answer *answer, const struct draft *draft,
                       unsigned long long size)
{
    char date[64] = "";
    char length[64];
    time_t now = time(NULL);
    struct tm when;
    int used;

    length_line(&answer->effects, size, length);
    if (gmtime_r(&now, &when) == NULL ||
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &when) == 0)
        date[0] = '\0';
    used = snprintf(answer->head, sizeof(answer->head),
                    "HTTP/1.1 %d %s\r\n%s%sContent-Type: %s\r\n%sDate: %s\r\nServer: EC2ws\r\n"
                    "Connection: %s\r\n\r\n",
                    answer->status, reason(answer->status), draft->headers, answer->effects.headers,
                    draft->type, length, date,
                    answer->close_after && !answer->effects.just_close ? "close" : "keep-alive");
    answer->head_size = used < 0 ? 0 : (size_t)used;
}

/* Makes the draft into what is sent, with the faults that change its shape. */
static void finish(const struct draft *draft, bool head_only, bool keep_alive,
                   struct imds_answer *answer)
{
    const struct imds_effects *effects = &answer->effects;
    unsigned long long size = effects->huge > 0 ? effects->huge : draft->item.size;

    answer->status = draft->status;
    answer->body = draft->item.data;
    answer->body_size = draft->item.size;
    answer->send_size = head_only ? 0 : size;
    answer->close_after = !keep_alive || effects->say_close || effects->just_close;
    answer->close_after = answer->close_after || effects->unannounced;
    write_head(answer, draft, size);
    /* Said after the head is written: who cuts an answer short does not say so beforehand. */
    if (!effects->truncated)
        return;
    answer->close_after = true;
    if (answer->send_size > effects->truncate_at)
        answer->send_size = effects->truncate_at;
}

static void override_status(const struct imds_effects *effects, struct draft *draft)
{
    draft->headers[0] = '\0';
    set_page(draft, effects->status);
    if (effects->empty || effects->status == 204 || effects->status == 304) {
        free(draft->item.data);
        draft->item = (struct imds_item){.modified = 0};
    }
}

void imds_service_judge(struct imds_service *service, const struct imds_request *request,
                        struct imds_answer *answer)
{
    struct draft draft = {.status = 500, .type = PLAIN};

    *answer = (struct imds_answer){.status = 500};
    imds_faults_collect(&service->faults, request, &answer->effects);
    if (answer->effects.forget_tokens)
        memset(&service->tokens, 0, sizeof(service->tokens));
    answer->standing = imds_token_check(&service->tokens, request->token);
    if (answer->effects.outcome != IMDS_ANSWER)
        return;
    if (answer->effects.status != 0)
        override_status(&answer->effects, &draft);
    else
        answer_truly(service, request, answer->standing, &draft);
    finish(&draft, strcmp(request->method, "HEAD") == 0, request->keep_alive, answer);
}

void imds_service_refuse(int status, struct imds_answer *answer)
{
    struct draft draft = {.status = 500, .type = PLAIN};

    *answer = (struct imds_answer){.status = status};
    set_page(&draft, status);
    finish(&draft, false, false, answer);
}
