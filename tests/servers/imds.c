/*
 * imds: EC2's instance metadata service, played from a folder of files, for tests, benchmarks and
 * the quickstart; it can also play the service in trouble. See usage() for how it is called.
 */
#define _GNU_SOURCE
#include "imds.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_USAGE = 2,
    OPTION_LISTEN = 256,
    OPTION_LISTEN_V6,
    OPTION_PORT_FILE,
    OPTION_READY_FILE,
    OPTION_LOG,
    OPTION_MODE,
    OPTION_FAULT,
    OPTION_DELAY_START,
};

static const struct option OPTIONS[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"listen-v6", required_argument, NULL, OPTION_LISTEN_V6},
    {"port-file", required_argument, NULL, OPTION_PORT_FILE},
    {"ready-file", required_argument, NULL, OPTION_READY_FILE},
    {"log", required_argument, NULL, OPTION_LOG},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"delay-start", required_argument, NULL, OPTION_DELAY_START},
    {"refuse-until", required_argument, NULL, OPTION_DELAY_START},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void usage(FILE *out)
{
    fputs(
        "usage: imds [OPTION]… DIR\n"
        "\n"
        "Serves the tree DIR/latest/… as EC2's instance metadata service does. The tree is read "
        "at\n"
        "each request. SIGTERM ends it.\n"
        "\n"
        "  --listen ADDR:PORT       where (127.0.0.1:0; port 0 = a free one)\n"
        "  --listen-v6 [ADDR]:PORT  the same with IPv6\n"
        "  --port-file FILE         gets the port as soon as it is taken\n"
        "  --ready-file FILE        gets the time (ms, CLOCK_MONOTONIC) at which it began to "
        "listen\n"
        "  --log FILE               a line a request; - = standard output\n"
        "  --mode v1|v2|both        which versions it answers (both)\n"
        "  --delay-start SECONDS    connections are refused for so long (also: --refuse-until)\n"
        "  --fault SPEC             what goes wrong; as often as wanted\n"
        "\n"
        "A log line: MONOTONIC_MS CONNECTION METHOD PATH TOKEN OUTCOME [FAULTS]\n"
        "TOKEN is none, valid, invalid or expired; OUTCOME the status answered, or silence, "
        "reset,\n"
        "close, garbage, or gone (the client left before a slow answer). The time is that of the\n"
        "answer's first byte.\n"
        "\n"
        "SPEC is [METHOD ]GLOB:KIND[=ARGUMENTS][@FIRST-LAST]: GLOB is matched with the decoded "
        "path\n"
        "(its * matches slashes, too), @ says which of the matching requests are hit, from 1: @3,\n"
        "@2-, @-4, @2-5; without it, all. All faults that hit a request act together; of two that\n"
        "set the same thing the later one counts. KINDs:\n",
        out);
    imds_fault_help(out);
    fputs("\nExamples: '/latest/api/token:silence'  '*/user-data:status=503,retry-after=1@1-2'\n"
          "          'GET *:slow=200'  '*/user-data:trickle=10/50'  '*:expire@3'\n",
          out);
}

static bool read_mode(const char *text, enum imds_mode *mode)
{
    if (strcmp(text, "v1") == 0)
        *mode = IMDS_V1;
    else if (strcmp(text, "v2") == 0)
        *mode = IMDS_V2;
    else if (strcmp(text, "both") == 0)
        *mode = IMDS_BOTH;
    else
        return false;
    return true;
}

static bool add_fault(const char *spec, struct imds_faults *faults)
{
    const char *problem = "too many faults";

    if (faults->count < IMDS_MAX_FAULTS)
        problem = imds_fault_parse(spec, &faults->list[faults->count]);
    if (problem != NULL) {
        fprintf(stderr, "imds: --fault '%s': %s\n", spec, problem);
        return false;
    }
    faults->count++;
    return true;
}

static bool read_seconds(const char *text, double *seconds)
{
    static const double MAX_DELAY = 86400;
    char *end;

    *seconds = strtod(text, &end);
    return end != text && *end == '\0' && *seconds >= 0 && *seconds <= MAX_DELAY;
}

static bool read_option(int option, struct imds_server_options *options,
                        struct imds_service *service)
{
    switch (option) {
    case OPTION_LISTEN:
    case OPTION_LISTEN_V6:
        options->listen = optarg;
        options->ipv6 = option == OPTION_LISTEN_V6;
        return true;
    case OPTION_PORT_FILE:
        options->port_file = optarg;
        return true;
    case OPTION_READY_FILE:
        options->ready_file = optarg;
        return true;
    case OPTION_LOG:
        options->log = optarg;
        return true;
    case OPTION_MODE:
        return read_mode(optarg, &service->mode);
    case OPTION_DELAY_START:
        return read_seconds(optarg, &options->delay_start);
    case OPTION_FAULT:
        return add_fault(optarg, &service->faults);
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static struct imds_service service = {.mode = IMDS_BOTH};
    struct imds_server_options options = {.listen = "127.0.0.1:0"};

    for (int option; (option = getopt_long(argc, argv, "h", OPTIONS, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return EXIT_SUCCESS;
        }
        if (!read_option(option, &options, &service)) {
            fputs("imds: no such option or argument; see imds --help\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc - 1) {
        fputs("imds: one folder is needed; see imds --help\n", stderr);
        return EXIT_USAGE;
    }
    service.root = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (service.root < 0) {
        fprintf(stderr, "imds: %s: %s\n", argv[optind], strerror(errno));
        return EXIT_FAILURE;
    }
    return imds_server_run(&options, &service);
}
