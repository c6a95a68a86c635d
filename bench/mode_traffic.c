/* A daemon under writing clients, through either door. */
#include <stdlib.h>

#include "bench/caller.h"
#include "bench/clock.h"
#include "bench/daemon.h"
#include "bench/files.h"
#include "bench/options.h"
#include "bench/traffic.h"

/* What the daemon, where it is ours, took to record what it did. */
static void report_daemon(const struct daemon *daemon, int64_t cpu_ns,
                          const struct traffic_result *result, struct report *report)
{
    if (daemon->pid == 0) {
        return;
    }
    report_number(report, "daemon_cpu_percent",
                  (double)(clock_cpu_ns(daemon->pid) - cpu_ns) * 100 / (double)result->elapsed_ns,
                  1);
    report_number(report, "rss_anon_mib", (double)files_rss_anon(daemon->pid) / 1048576.0, 1);
    report_number(report, "store_mib", (double)files_bytes(daemon->data_dir) / 1048576.0, 1);
}

static void run(const struct bench_options *options, struct report *report,
                const struct traffic_door *door)
{
    static struct traffic_result result;
    struct daemon daemon;
    struct caller caller;
    daemon_start(&daemon, options);
    caller_open(&caller, daemon.socket);
    struct slice *customers = caller_customers(&caller, options->customers);
    caller_close(&caller);
    int64_t cpu_ns = clock_cpu_ns(daemon.pid);
    traffic_run(options, door, door == &traffic_http ? daemon.http : daemon.socket, customers,
                &result);
    free(customers);
    traffic_report(options, &result, report);
    report_daemon(&daemon, cpu_ns, &result, report);
    if (options->kill) {
        report_number(report, "restart_ms", (double)daemon_crash(&daemon) / 1e6, 0);
    }
    daemon_stop(&daemon);
}

void mode_rpc(const struct bench_options *options, struct report *report)
{
    run(options, report, &traffic_rpc);
}

void mode_http(const struct bench_options *options, struct report *report)
{
    run(options, report, &traffic_http);
}
