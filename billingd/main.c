#include <stdio.h>

#include "billingd/base/log.h"
#include "billingd/config.h"
#include "billingd/daemon.h"

static int run(const struct config *config)
{
    if (config->help) {
        config_help(stdout);
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NOT_STARTED;
    }
    if (config->version) {
        return printf("billingd %s\n", BILLING_VERSION) > 0 && fflush(stdout) == 0
                   ? EXIT_DONE
                   : EXIT_NOT_STARTED;
    }
    log_set_level((enum log_level)config_log_level(config->log_level));
    return config->check ? daemon_check(config) : daemon_run(config);
}

int main(int argc, char *argv[])
{
    struct config config;
    int status = EXIT_BAD_CONFIG;
    if (config_load(argc, argv, &config, stderr) == 0) {
        status = run(&config);
    }
    config_done(&config);
    return status;
}
