#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "billingd/base/log.h"
#include "billingd/base/log_sink.h"
#include "billingd/config.h"
#include "billingd/daemon.h"
#include "proto/status.h"

static void set_up_log(const struct config *config)
{
    struct log_options options = {
        .level = (enum log_level)config_log_level(config->log_level),
        .format = (enum log_format)config_log_format(config->log_format),
        .journal = log_sink_is_journal(getenv("JOURNAL_STREAM")),
    };
    log_configure(&options);
}

static int run(struct config *config, const struct daemon_command *command)
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
    set_up_log(config);
    return config->check ? daemon_check(config) : daemon_run(config, command);
}

/* Where one of the three standard streams is closed, the next file that is opened takes its place,
 * the store's too, and the log would be written into it. */
static bool hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd) {
            return false;
        }
    }
    return true;
}

int main(int argc, char *argv[])
{
    struct config config;
    int status = EXIT_BAD_CONFIG;
    IGNORE(signal(SIGHUP, SIG_IGN) == SIG_ERR); /* until there is what can be reloaded */
    if (!hold_streams()) {
        return EXIT_NOT_STARTED; /* without a word: nobody knows where it would go */
    }
    if (config_load(argc, argv, &config, stderr) == 0) {
        struct daemon_command command = {.argc = argc, .argv = argv};
        status = run(&config, &command);
    }
    config_done(&config);
    return status;
}
