#include "bench/options.h"

int main(int argc, char **argv)
{
    struct bench_options options;
    const struct bench_mode *mode = options_parse(argc, argv, &options);
    struct report *report = report_create(mode->name);
    mode->run(&options, report);
    return report_print(report, options.json);
}
