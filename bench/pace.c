#include "bench/pace.h"

#include "bench/clock.h"

static double per_second(uint64_t records, int64_t ns)
{
    return ns <= 0 ? 0 : (double)records * (double)NS_PER_SECOND / (double)ns;
}

void pace_start(struct pace *pace, uint64_t window, int64_t now_ns)
{
    *pace = (struct pace){
        .window = window, .start_ns = now_ns, .last_ns = now_ns, .window_start_ns = now_ns};
}

void pace_add(struct pace *pace, uint64_t records, int64_t now_ns)
{
    if (records == 0) {
        return;
    }
    if (now_ns - pace->last_ns > pace->longest_pause_ns) {
        pace->longest_pause_ns = now_ns - pace->last_ns;
    }
    pace->last_ns = now_ns;
    pace->records += records;
    pace->window_records += records;
    if (pace->window_records >= pace->window && pace->windows < PACE_WINDOWS_MAX) {
        pace->rates[pace->windows++] =
            per_second(pace->window_records, now_ns - pace->window_start_ns);
        pace->window_records = 0;
        pace->window_start_ns = now_ns;
    }
}

void pace_report(const struct pace *pace, struct report *report)
{
    int64_t ns = pace->last_ns - pace->start_ns;
    report_count(report, "records", pace->records);
    report_number(report, "seconds", (double)ns / (double)NS_PER_SECOND, 3);
    report_number(report, "records_per_s", per_second(pace->records, ns), 0);
    report_number(report, "longest_pause_ms", (double)pace->longest_pause_ns / 1e6, 3);
    report_count(report, "window", pace->window);
    report_numbers(report, "windows", pace->rates, pace->windows, 0);
}
