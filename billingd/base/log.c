#include "billingd/base/log.h"

#include <pthread.h>
#include <stdatomic.h>

#include "billingd/base/clock.h"
#include "billingd/base/log_sink.h"
#include "proto/timestamp.h"

static const struct {
    const char *name;
    int priority; /* syslog's, for the journal */
} levels[LOG__LEVELS] = {
    [LOG_LEVEL_DEBUG] = {"debug", 7},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_ERROR] = {"error", 3},
};
static const char *const area_names[] = {"daemon", "net", "rpc", "commit", "store"};

/* --- set before threads --- */
static enum log_format format;
static bool journal;
static log_error_fn error_hook;
static void *error_hook_arg;

/* --- any thread --- */
static atomic_int threshold = LOG_LEVEL_INFO;
static atomic_uint_fast64_t lines[LOG__LEVELS];
static atomic_uint_fast64_t dropped;

/* --- guarded by lock: what is written to stderr, and --- */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t unsaid; /* lines dropped of which no line tells yet */

void log_configure(const struct log_options *options)
{
    format = options->format;
    journal = options->journal;
    log_set_level(options->level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_is_on(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

void log_set_error_hook(log_error_fn hook, void *arg)
{
    error_hook = hook;
    error_hook_arg = arg;
}

const char *log_area_name(enum log_area area)
{
    return area_names[area];
}

static void make_line(struct log_line *line, enum log_level level, enum log_area area,
                      const char *message, const struct log_field *fields)
{
    char time[TIMESTAMP_TEXT_MAX];
    log_line_begin(line, format, journal ? levels[level].priority : -1);
    if (!journal) {
        size_t length = timestamp_print(clock_wall_us(), time);
        log_line_text(line, "time", (struct slice){time, length});
    }
    log_line_text(line, "level", slice_of(levels[level].name));
    log_line_text(line, "area", slice_of(area_names[area]));
    log_line_text(line, "msg", slice_of(message));
    for (; fields->name != NULL; fields++) {
        if (fields->type == LOG_FIELD_INT) {
            log_line_int(line, fields->name, fields->number);
        } else {
            log_line_text(line, fields->name, fields->text);
        }
    }
    log_line_end(line);
}

/* Under the lock.  Returns whether nothing is unsaid. */
static bool say_dropped(void)
{
    struct log_line line;
    if (unsaid == 0) {
        return true;
    }
    make_line(&line, LOG_LEVEL_WARNING, LOG_DAEMON, "log lines were dropped: stderr had no room",
              (const struct log_field[]){LOG_INT("count", unsaid), {0}});
    if (!log_sink_write(line.text, line.length)) {
        return false;
    }
    unsaid = 0;
    return true;
}

void log_catch_up(void)
{
    pthread_mutex_lock(&lock);
    IGNORE(say_dropped()); /* else later */
    pthread_mutex_unlock(&lock);
}

void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields)
{
    struct log_line line;
    if (level == LOG_LEVEL_ERROR && error_hook != NULL) {
        error_hook(area, message, fields, error_hook_arg);
    }
    if (!log_is_on(level)) {
        return;
    }
    make_line(&line, level, area, message, fields);
    atomic_fetch_add_explicit(&lines[level], 1, memory_order_relaxed);
    pthread_mutex_lock(&lock);
    if (!say_dropped() || !log_sink_write(line.text, line.length)) {
        unsaid++;
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lock);
}

uint64_t log_lines(enum log_level level)
{
    return atomic_load_explicit(&lines[level], memory_order_relaxed);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}
