/*
 * imds.h: what the parts of the tests' own instance metadata service share.
 *
 * imds.c          the command line
 * imds_server.c   sockets, connections, time: one thread, one epoll loop
 * imds_listen.c   the address to listen on, and telling a test about it
 * imds_request.c  bytes in, an HTTP/1.1 request (RFC 9112) out
 * imds_service.c  what EC2's service would answer: methods, tokens, modes, errors
 * imds_token.c    the session tokens of version 2
 * imds_items.c    the tree of files behind the answers
 * imds_fault.c    what is to go wrong, when, and how
 *
 * It serves tests and benchmarks on loopback and in network namespaces; it is no part of the agent.
 */
#ifndef BOOTLACE_TESTS_IMDS_H
#define BOOTLACE_TESTS_IMDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum {
    IMDS_MAX_REQUEST = 16 * 1024,     /* head and body of one request, bytes */
    IMDS_MAX_PATH = 1024,             /* a decoded path, with its NUL */
    IMDS_MAX_CONNECTIONS = 256,       /* one more is closed as soon as it is there */
    IMDS_MAX_FAULTS = 64,             /* --fault options */
    IMDS_MAX_TOKENS = 1024,           /* live tokens; the oldest gives way */
    IMDS_MAX_HEADERS = 1024,          /* header lines that faults add to one answer, bytes */
    IMDS_MAX_PATTERN = 256,           /* the glob of a fault, with its NUL */
    IMDS_MAX_BODY = 64 * 1024 * 1024, /* a file of the tree, bytes */
    IMDS_TOKEN_SIZE = 56,             /* characters of a token, as on EC2 */
    IMDS_MAX_TTL = 21600,             /* seconds that a token may live: six hours */
};

/* Microseconds of CLOCK_MONOTONIC: the clock of the log, of tokens and of every delay. */
int64_t imds_now_us(void);

/* ---- a request ---- */

struct imds_request {
    char head[IMDS_MAX_REQUEST + 1]; /* the copy that the pointers below point into */
    size_t size;                     /* bytes of the whole request: head and body */
    const char *method;
    const char *target; /* as it came, with its query: for the log */
    char path[IMDS_MAX_PATH];
    const char *token;     /* X-aws-ec2-metadata-token, or NULL */
    const char *token_ttl; /* X-aws-ec2-metadata-token-ttl-seconds, or NULL */
    bool forwarded;        /* an X-Forwarded-For came: some proxy lets the world in */
    bool keep_alive;
};

/*
 * Reads one request from the first `size` bytes of `data`.
 * Returns 1 when it is there whole, 0 when more has to come, or the negated HTTP status that
 * refuses it (its method and target are then "-" as far as they could not be read).
 */
int imds_request_read(const char *data, size_t size, struct imds_request *request);

/* ---- faults ---- */

enum imds_outcome {
    IMDS_ANSWER,  /* an HTTP answer */
    IMDS_SILENCE, /* nothing, for ever */
    IMDS_RESET,   /* the connection is reset */
    IMDS_CLOSE,   /* the connection is closed */
    IMDS_GARBAGE, /* bytes that are no HTTP, then closed */
};

struct imds_fault_kind;

struct imds_fault {
    const struct imds_fault_kind *kind;
    char method[8]; /* "" = any */
    char glob[IMDS_MAX_PATTERN];
    long long number; /* the kind's first argument, where it is a number */
    long long second; /* its second, likewise */
    bool flag;        /* its flag, where it has one */
    const char *text; /* its text, where it has one; points into the command line */
    size_t text_size;
    unsigned long first, last; /* which of the matching requests it hits, from 1 */
    unsigned long seen;        /* matching requests so far */
};

struct imds_faults {
    struct imds_fault list[IMDS_MAX_FAULTS];
    size_t count;
};

/* What all faults that hit a request make of its answer. All zero: nothing. */
struct imds_effects {
    enum imds_outcome outcome;
    int status;                     /* in place of the true answer; 0 = the true one */
    bool empty;                     /* with that status: no body */
    char headers[IMDS_MAX_HEADERS]; /* whole header lines */
    long long slow_ms;              /* before the answer begins */
    size_t drip_bytes;              /* the body in drips of so many bytes; 0 = at once */
    long long drip_ms;              /* between two of them */
    bool truncated;                 /* only truncate_at bytes of the body, then closed */
    size_t truncate_at;
    long long length_shift;     /* what Content-Length is wrong by */
    unsigned long long huge;    /* a body of so many bytes instead of the true one */
    bool unannounced;           /* no Content-Length: the end of the connection ends the body */
    bool forget_tokens;         /* before the request is judged */
    bool say_close, just_close; /* after the answer: closed, having said so or not */
    char names[128];            /* the kinds that hit, for the log */
};

/* Reads one --fault; NULL, or what is wrong with it. `spec` must live as long as the fault. */
const char *imds_fault_parse(const char *spec, struct imds_fault *fault);
void imds_fault_help(FILE *out);

/* Counts the request with every fault that matches it, and collects what those do to it. */
void imds_faults_collect(struct imds_faults *faults, const struct imds_request *request,
                         struct imds_effects *effects);

/* ---- tokens ---- */

struct imds_token {
    char text[IMDS_TOKEN_SIZE + 1];
    int64_t expires_us; /* 0 = no token */
};

struct imds_tokens {
    struct imds_token list[IMDS_MAX_TOKENS];
    size_t next; /* the place of the next one, which is that of the oldest */
};

/* How a request stands by its token, in the words of the log. */
enum imds_standing {
    IMDS_TOKEN_NONE,
    IMDS_TOKEN_VALID,
    IMDS_TOKEN_INVALID,
    IMDS_TOKEN_EXPIRED,
};

const char *imds_token_issue(struct imds_tokens *tokens, long seconds);
enum imds_standing imds_token_check(const struct imds_tokens *tokens, const char *text);
const char *imds_token_word(enum imds_standing standing);

/* ---- items ---- */

struct imds_item {
    char *data; /* malloc'd, the receiver's to free */
    size_t size;
    bool is_user_data;
    time_t modified;
};

/* Reads what `path` names below the folder `root`; 200, or the status that says why not. */
int imds_item_read(int root, const char *path, struct imds_item *item);

/* ---- the service ---- */

enum imds_mode {
    IMDS_V1 = 1,   /* knows no tokens */
    IMDS_V2 = 2,   /* answers nothing without one */
    IMDS_BOTH = 3, /* tokens are optional */
};

struct imds_service {
    int root; /* the tree, an open folder */
    enum imds_mode mode;
    struct imds_faults faults;
    struct imds_tokens tokens;
};

struct imds_answer {
    struct imds_effects effects;
    enum imds_standing standing;
    int status;
    char head[IMDS_MAX_HEADERS + 1024]; /* status line and headers, ready to be sent */
    size_t head_size;
    char *body; /* malloc'd or NULL */
    size_t body_size;
    unsigned long long send_size; /* bytes of the body that will go out */
    bool close_after;
};

/* Judges a request. What answer->body holds is the caller's to free. */
void imds_service_judge(struct imds_service *service, const struct imds_request *request,
                        struct imds_answer *answer);

/* The answer to a request that could not be read: `status`, then the connection closes. */
void imds_service_refuse(int status, struct imds_answer *answer);

/* ---- the server ---- */

struct imds_server_options {
    const char *listen; /* ADDR:PORT, or [ADDR]:PORT with ipv6 */
    bool ipv6;
    const char *port_file;  /* written once the port is taken, or NULL */
    const char *ready_file; /* written once connections are accepted, or NULL */
    const char *log;        /* a file to append to, "-" = stdout, or NULL */
    double delay_start;     /* seconds for which connections are refused */
};

/*
 * A socket bound to the address, its port written to the port file; -1 when it cannot be had (which
 * was said on stderr). It does not listen yet: until then, connections are refused.
 */
int imds_listener_bind(const struct imds_server_options *options);

/* Puts a file in place whole; those who wait for it to appear find it so. NULL: none is wanted. */
void imds_file_put(const char *path, const char *text);

void imds_write_all(int fd, const char *text, size_t size);

/* Serves until SIGTERM or SIGINT; the exit code. */
int imds_server_run(const struct imds_server_options *options, struct imds_service *service);

#endif
