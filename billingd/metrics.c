#include "billingd/metrics.h"

#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/process_metrics.h"
#include "billingd/report/report.h"

/* --- the daemon ------------------------------------------------------------------------------- */

static void write_build(const struct dispatch_options *options, struct metrics_text *text)
{
    metrics_family(text, "billingd_build_info", METRICS_GAUGE,
                   "Always 1: what is running is in the labels.");
    metrics_sample(
        text, METRICS_LABELS({"version", options->version}, {"currency", options->currency}), 1);
    metrics_family(text, "billingd_start_time_seconds", METRICS_GAUGE,
                   "When the daemon opened its doors, in seconds since 1970.");
    metrics_seconds(text, NULL, options->started_at_us);
}

static void write_connections(const struct dispatch_stats *stats, struct metrics_text *text)
{
    static const char *const doors[REQUEST__DOORS] = {
        [REQUEST_UNIX] = "unix",
        [REQUEST_TCP] = "tcp",
        [REQUEST_HTTP] = "http",
    };
    metrics_family(text, "billingd_connections", METRICS_GAUGE, "Open connections, by door.");
    for (unsigned i = 0; i < REQUEST__DOORS; i++) {
        metrics_sample(text, METRICS_LABELS({"door", doors[i]}), stats->open[i]);
    }
}

static void write_requests(const struct dispatch *dispatch, struct metrics_text *text)
{
    request_stats_write(&dispatch->counts, text);
    metrics_counter(text, "billingd_replays_total",
                    "Requests and items that were recorded before and were answered again.",
                    dispatch->stats.replays);
    metrics_gauge(text, "billingd_requests_in_flight",
                  "Requests with a worker, or waiting for one.", dispatch->stats.in_flight);
    write_connections(&dispatch->stats, text);
}

/* --- the workers ------------------------------------------------------------------------------ */

static void write_commits(const struct committer_stats *stats, const struct committer_times *times,
                          struct metrics_text *text)
{
    metrics_counter(text, "billingd_records_total", "Records that were committed.", stats->records);
    metrics_family(text, "billingd_commit_duration_seconds", METRICS_HISTOGRAM,
                   "Commits that recorded something, from their beginning to the end of their "
                   "sync.");
    metrics_histogram(text, NULL, &times->commit_us);
    metrics_family(text, "billingd_commit_sync_duration_seconds", METRICS_HISTOGRAM,
                   "Of that, writing and syncing.");
    metrics_histogram(text, NULL, &times->sync_us);
    metrics_family(text, "billingd_commit_records", METRICS_HISTOGRAM, "Records in a commit.");
    metrics_histogram(text, NULL, &times->records);
    metrics_gauge(text, "billingd_storage_full",
                  "1 where the last commit that was tried, seconds ago, found no room.",
                  stats->storage_full);
}

static void write_queues(const struct committer_stats *writes, const struct readers_stats *reads,
                         struct metrics_text *text)
{
    metrics_family(text, "billingd_queue_requests", METRICS_GAUGE, "Requests that wait, by queue.");
    metrics_sample(text, METRICS_LABELS({"queue", "write"}), writes->queued);
    metrics_sample(text, METRICS_LABELS({"queue", "read"}), reads->light);
    metrics_sample(text, METRICS_LABELS({"queue", "heavy_read"}), reads->heavy);
    metrics_family(text, "billingd_queue_bytes", METRICS_GAUGE,
                   "Memory of the requests that wait.");
    metrics_sample(text, METRICS_LABELS({"queue", "write"}), writes->queued_bytes);
    metrics_sample(text, METRICS_LABELS({"queue", "read"}), reads->bytes);
    metrics_gauge(text, "billingd_heavy_reads_running", "Heavy queries that are being answered.",
                  reads->heavy_running);
}

/* --- the store -------------------------------------------------------------------------------- */

static void write_sizes(const struct store_stats *stats, struct metrics_text *text)
{
    metrics_gauge(text, "billingd_store_size_bytes", "Size of the data file.", stats->file_bytes);
    metrics_gauge(text, "billingd_store_used_bytes",
                  "Of the data file, up to the last page that was ever used.", stats->used_bytes);
    metrics_gauge(text, "billingd_store_map_size_bytes",
                  "What the data file can grow to: map_bytes.", stats->map_bytes);
    metrics_gauge(text, "billingd_store_disk_free_bytes",
                  "What the file system has left that the data file is on.",
                  stats->disk_free_bytes);
}

static void write_store(const struct store_stats *stats, struct metrics_text *text)
{
    int64_t age_us = stats->oldest_view_us == 0 ? 0 : clock_monotonic_us() - stats->oldest_view_us;
    write_sizes(stats, text);
    metrics_gauge(text, "billingd_store_segments", "Segments that are read.", stats->segments);
    metrics_gauge(text, "billingd_store_segments_replaced",
                  "Segments that wait to be removed, or are being made.", stats->segments_replaced);
    metrics_gauge(text, "billingd_store_head_records", "Records that are in no segment yet.",
                  stats->head_records);
    metrics_gauge(text, "billingd_store_readers", "Views of the store that are open.",
                  stats->views);
    metrics_family(text, "billingd_store_oldest_reader_age_seconds", METRICS_GAUGE,
                   "Since when the oldest view is open: what it keeps cannot be used again.");
    metrics_seconds(text, NULL, age_us);
    metrics_gauge(text, "billingd_store_sealer_failing",
                  "1 where the last sealing, merging or removal of segments failed.",
                  stats->sealer_status != 0 || stats->segments_damaged);
}

/* --- memory, log, reports --------------------------------------------------------------------- */

static void write_memory(const struct metrics_sources *sources, const struct store_stats *store,
                         struct metrics_text *text)
{
    const struct memory_use *memory = &sources->dispatch->memory;
    metrics_family(text, "billingd_memory_bytes", METRICS_GAUGE, "Memory, by what it is for.");
    metrics_sample(text, METRICS_LABELS({"room", "requests"}), memory->bytes);
    metrics_sample(text, METRICS_LABELS({"room", "store_head"}), store->head_bytes);
    metrics_gauge(text, "billingd_memory_max_bytes",
                  "What requests, answers and the doors' buffers may take: memory_max.",
                  memory->bytes_max);
}

static void write_log(struct metrics_text *text)
{
    static const char *const names[LOG__LEVELS] = {"debug", "info", "warning", "error"};
    metrics_family(text, "billingd_log_lines_total", METRICS_COUNTER,
                   "Lines of the log, by level.");
    for (unsigned i = 0; i < LOG__LEVELS; i++) {
        metrics_sample(text, METRICS_LABELS({"level", names[i]}), log_lines((enum log_level)i));
    }
    metrics_counter(text, "billingd_log_lines_dropped_total",
                    "Of them, those that stderr had no room for.", log_dropped());
}

static void write_reports(const struct report *report, struct metrics_text *text)
{
    metrics_family(text, "billingd_error_reports_total", METRICS_COUNTER,
                   "Unexpected errors, by what became of their reports.");
    for (unsigned i = 0; i < REPORT__FATES; i++) {
        metrics_sample(text, METRICS_LABELS({"fate", report_fate_name((enum report_fate)i)}),
                       report == NULL ? 0 : report_count(report, (enum report_fate)i));
    }
}

void metrics_write(const struct metrics_sources *sources, struct metrics_text *text)
{
    const struct dispatch_options *options = &sources->dispatch->options;
    struct committer_stats writes = committer_stats(options->committer);
    struct readers_stats reads = readers_stats(options->readers);
    struct store_stats store;
    store_stats(sources->store, &store);
    write_build(options, text);
    write_requests(sources->dispatch, text);
    write_commits(&writes, committer_times(options->committer), text);
    write_queues(&writes, &reads, text);
    write_store(&store, text);
    write_memory(sources, &store, text);
    write_log(text);
    write_reports(sources->report, text);
    process_metrics_write(text);
}
