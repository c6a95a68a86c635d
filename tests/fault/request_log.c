#include "tests/fault/request_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/model/memory.h"

enum {
    FIELDS = 15, /* of the longest line of the file */
    NOBODY = -1, /* in place of an index */
};

struct request_log {
    pthread_mutex_t lock; /* guards all below */
    struct memory memory;
    struct logged_request **requests;
    size_t n;
    uint64_t tick;
    int fd; /* of the file; -1: none */
};

/* --- the file: a line a change, its fields between tabs, nothing for what is NULL ------------- */

static void write_line(struct request_log *log, const char *line, int length)
{
    if (log->fd < 0) {
        return;
    }
    const char *newline = strchr(line, '\n'); /* a text with one would forge a line */
    ssize_t written = write(log->fd, line, (size_t)length);
    if (newline != line + length - 1 || written != length) {
        abort();
    }
}

__attribute__((format(printf, 2, 3))) static void put_line(struct request_log *log,
                                                           const char *format, ...)
{
    char *line;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (length < 0) {
        abort();
    }
    write_line(log, line, length);
    free(line);
}

static const char *shown(const char *text)
{
    if (text != NULL && strpbrk(text, "\t\n") != NULL) {
        abort();
    }
    return text == NULL ? "" : text;
}

static int64_t index_of(const struct logged_request *request)
{
    return request == NULL ? NOBODY : (int64_t)request->index;
}

static void put_sent(struct request_log *log, const struct logged_request *request)
{
    const struct logged_payload *p = &request->payload;
    put_line(log,
             "sent\t%s\t%d\t%" PRId64 "\t%" PRId64 "\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%" PRId64
             "\t%" PRId64 "\t%" PRId64 "\n",
             shown(request->request_id), (int)p->kind, index_of(p->customer), index_of(p->usage),
             shown(p->name), shown(p->external_id), shown(p->service), shown(p->units),
             shown(p->price), shown(p->label), shown(p->amount), shown(p->reason),
             p->occurred_at_us, p->start_us, p->end_us);
}

/* --- logging ---------------------------------------------------------------------------------- */

static struct request_log *make(int fd)
{
    struct request_log *log = calloc(1, sizeof *log);
    if (log == NULL || pthread_mutex_init(&log->lock, NULL) != 0) {
        abort();
    }
    log->fd = fd;
    return log;
}

struct request_log *request_log_create(const char *path)
{
    int fd = -1;
    if (path != NULL) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0) {
            abort();
        }
    }
    return make(fd);
}

void request_log_destroy(struct request_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->fd >= 0) {
        close(log->fd);
    }
    memory_done(&log->memory);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static const char *keep(struct request_log *log, const char *text)
{
    return text == NULL ? NULL : memory_format(&log->memory, "%s", text);
}

static void keep_payload(struct request_log *log, struct logged_payload *payload)
{
    const char **texts[] = {&payload->name,   &payload->external_id, &payload->service,
                            &payload->units,  &payload->price,       &payload->label,
                            &payload->amount, &payload->reason};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = keep(log, *texts[i]);
    }
}

struct logged_request *request_log_send(struct request_log *log, const char *request_id,
                                        const struct logged_payload *payload)
{
    pthread_mutex_lock(&log->lock);
    struct logged_request *request = memory_alloc(&log->memory, sizeof *request);
    *request = (struct logged_request){
        .index = log->n,
        .sent_tick = ++log->tick,
        .request_id = keep(log, request_id),
        .payload = *payload,
    };
    keep_payload(log, &request->payload);
    MEMORY_PUSH(&log->memory, log->requests, log->n, request);
    put_sent(log, request);
    pthread_mutex_unlock(&log->lock);
    return request;
}

static void settle(struct request_log *log, struct logged_request *request,
                   enum logged_outcome outcome)
{
    log->tick++;
    request->outcome = outcome;
    if (request->settled_tick == 0) {
        request->settled_tick = log->tick;
    }
}

/* NEW has to agree with what was answered before, in all that both say. */
static bool agrees(const struct logged_answer *old, const struct logged_answer *new)
{
    return (old->id == NULL || new->id == NULL || strcmp(old->id, new->id) == 0) &&
           (old->seq == 0 || new->seq == 0 || old->seq == new->seq) &&
           (old->created_at_us == 0 || new->created_at_us == 0 ||
            old->created_at_us == new->created_at_us) &&
           (old->bills_at_us == 0 || new->bills_at_us == 0 || old->bills_at_us == new->bills_at_us);
}

static void add_answer(struct request_log *log, struct logged_answer *known,
                       const struct logged_answer *answer)
{
    known->id = known->id == NULL ? keep(log, answer->id) : known->id;
    known->seq = known->seq == 0 ? answer->seq : known->seq;
    known->created_at_us = known->created_at_us == 0 ? answer->created_at_us : known->created_at_us;
    known->bills_at_us = known->bills_at_us == 0 ? answer->bills_at_us : known->bills_at_us;
    known->replayed = answer->replayed;
}

void request_log_acknowledge(struct request_log *log, struct logged_request *request,
                             const struct logged_answer *answer)
{
    pthread_mutex_lock(&log->lock);
    if (!agrees(&request->answer, answer)) {
        request->contradiction = memory_format(
            &log->memory,
            "acknowledged as %s, created %" PRId64 ", bills %" PRId64
            ", and before as %s, created %" PRId64 ", bills %" PRId64,
            shown(answer->id), answer->created_at_us, answer->bills_at_us,
            shown(request->answer.id), request->answer.created_at_us, request->answer.bills_at_us);
    }
    add_answer(log, &request->answer, answer);
    settle(log, request, LOGGED_ACKNOWLEDGED);
    put_line(log, "acknowledged\t%zu\t%s\t%" PRIu64 "\t%" PRId64 "\t%" PRId64 "\t%d\n",
             request->index, shown(answer->id), answer->seq, answer->created_at_us,
             answer->bills_at_us, answer->replayed);
    pthread_mutex_unlock(&log->lock);
}

void request_log_refuse(struct request_log *log, struct logged_request *request, const char *code)
{
    pthread_mutex_lock(&log->lock);
    if (request->outcome == LOGGED_ACKNOWLEDGED) {
        request->contradiction =
            memory_format(&log->memory, "refused with %s, having been acknowledged", code);
    } else {
        request->code = keep(log, code);
        settle(log, request, LOGGED_REFUSED);
    }
    put_line(log, "refused\t%zu\t%s\n", request->index, shown(code));
    pthread_mutex_unlock(&log->lock);
}

/* --- looking ---------------------------------------------------------------------------------- */

uint64_t request_log_tick(struct request_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t tick = log->tick;
    pthread_mutex_unlock(&log->lock);
    return tick;
}

size_t request_log_count(struct request_log *log)
{
    pthread_mutex_lock(&log->lock);
    size_t n = log->n;
    pthread_mutex_unlock(&log->lock);
    return n;
}

struct logged_request *request_log_at(struct request_log *log, size_t index)
{
    pthread_mutex_lock(&log->lock);
    if (index >= log->n) {
        abort();
    }
    struct logged_request *request = log->requests[index];
    pthread_mutex_unlock(&log->lock);
    return request;
}

enum logged_outcome logged_outcome_at(const struct logged_request *request, uint64_t tick)
{
    return request->settled_tick > tick ? LOGGED_UNKNOWN : request->outcome;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* Cut LINE at its tabs.  Returns how many fields there are; NULL for those that are empty. */
static int split(char *line, const char *fields[FIELDS + 1])
{
    int n = 0;
    for (char *rest = line; rest != NULL && n <= FIELDS;) {
        const char *field = strsep(&rest, "\t");
        fields[n++] = *field == '\0' ? NULL : field;
    }
    return n;
}

static int64_t number(const char *field)
{
    return field == NULL ? 0 : strtoll(field, NULL, 10);
}

static struct logged_request *request_of(struct request_log *log, const char *field)
{
    int64_t index = number(field);
    return index == NOBODY ? NULL : request_log_at(log, (size_t)index);
}

static void load_line(struct request_log *log, char *line)
{
    const char *f[FIELDS + 1];
    int n = split(line, f);
    if (f[0] == NULL) {
        abort();
    }
    if (n == 16 && strcmp(f[0], "sent") == 0) {
        struct logged_payload payload = {
            .kind = (enum logged_kind)number(f[2]),
            .customer = request_of(log, f[3]),
            .usage = request_of(log, f[4]),
            .name = f[5],
            .external_id = f[6],
            .service = f[7],
            .units = f[8],
            .price = f[9],
            .label = f[10],
            .amount = f[11],
            .reason = f[12],
            .occurred_at_us = number(f[13]),
            .start_us = number(f[14]),
            .end_us = number(f[15]),
        };
        request_log_send(log, f[1], &payload);
    } else if (n == 7 && strcmp(f[0], "acknowledged") == 0) {
        struct logged_answer answer = {
            .id = f[2],
            .seq = (uint64_t)number(f[3]),
            .created_at_us = number(f[4]),
            .bills_at_us = number(f[5]),
            .replayed = number(f[6]) != 0,
        };
        request_log_acknowledge(log, request_of(log, f[1]), &answer);
    } else if (n == 3 && strcmp(f[0], "refused") == 0) {
        request_log_refuse(log, request_of(log, f[1]), f[2]);
    } else {
        abort();
    }
}

struct request_log *request_log_load(const char *path)
{
    struct request_log *log = make(-1);
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    if (file == NULL) {
        abort();
    }
    while ((length = getline(&line, &capacity, file)) > 0 && line[length - 1] == '\n') {
        line[length - 1] = '\0';
        load_line(log, line);
    }
    free(line);
    if (fclose(file) != 0) {
        abort();
    }
    return log;
}
