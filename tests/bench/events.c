/*
 * events: the least that reading YAML can cost: `events FILE`.
 *
 * It goes through libyaml's events (yaml_parser_parse) and keeps nothing of them: no values, no
 * places, no check. Benchmarks measure against it what reading and checking a cloud-config costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

int main(int argc, char **argv)
{
    yaml_parser_t parser;
    yaml_event_t event;
    unsigned long count = 0;
    int last = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;

    if (file == NULL || !yaml_parser_initialize(&parser)) {
        fputs("usage: events FILE\n", stderr);
        return 2;
    }
    yaml_parser_set_input_file(&parser, file);
    while (!last) {
        if (!yaml_parser_parse(&parser, &event)) {
            fprintf(stderr, "events: %s: line %zu\n", argv[1], parser.problem_mark.line + 1);
            return EXIT_FAILURE;
        }
        last = event.type == YAML_STREAM_END_EVENT;
        count++;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    printf("%lu events\n", count);
    return EXIT_SUCCESS;
}
