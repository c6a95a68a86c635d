#include "billingctl/import.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "billingctl/ctl.h"
#include "billingctl/derive.h"
#include "billingctl/import_batch.h"
#include "billingctl/import_counts.h"
#include "billingctl/import_customers.h"
#include "billingctl/progress.h"
#include "billingctl/say.h"
#include "billingctl/stop.h"
#include "billingctl/tally.h"

struct import {
    const struct ctl *ctl;
    const struct import_settings *settings;
    int fd;
    struct source source;
    struct import_reader reader;
    struct import_row row;
    struct import_batch batch;
    struct tally seen; /* rows whose ids are derived */
    struct import_customers customers;
    struct progress progress;
    struct text currency; /* the daemon's; empty: no row named one yet */
    bool any_id;          /* a row had a request id, its own or a derived one */
};

static ssize_t read_file(void *arg, char *buffer, size_t bytes)
{
    const struct import *import = arg;
    ssize_t got;
    do {
        got = stop_asked() != 0 ? 0 : read(import->fd, buffer, bytes);
    } while (got < 0 && errno == EINTR && stop_asked() == 0);
    /* Looked at again: what interrupts us often ends the writer of a pipe too, and then the end is
     * in the middle of a row. */
    return stop_asked() != 0 ? SOURCE_INTERRUPTED : got;
}

/* --- one row ---------------------------------------------------------------------------------- */

/* Whether the row has a request id or gets one.  Where the file turns out to have none the whole
 * import is refused, and nothing was sent yet; a later row without one is rejected alone. */
static int check_request_id(struct import *import)
{
    struct import_row *row = &import->row;
    if (row->rejected) {
        return CTL_DONE;
    }
    bool will_have = row->request_id != NULL || row->derives || import->settings->derive_ids;
    if (!will_have && !import->any_id) {
        return ctl_usage(import->ctl,
                         "line %" PRIu64 ": no request_id; give each row one, or let --derive-ids "
                         "make them from the rows' content",
                         row->line);
    }
    if (!will_have) {
        import_row_reject(row, "request_id: is missing");
    }
    import->any_id = true;
    return CTL_DONE;
}

static int ask_currency(struct import *import)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_server_info(import->ctl->client, &reply, &error);
    if (status != 0) {
        return import_batch_failed(&import->batch, status, error);
    }
    text_puts(&import->currency, output_value(reply, "server.currency"));
    billing_object_free(reply);
    return CTL_DONE;
}

/* All bills are in the daemon's currency: a price in another must not be taken for one in that. */
static int check_currency(struct import *import)
{
    struct import_row *row = &import->row;
    if (row->rejected || row->currency == NULL) {
        return CTL_DONE;
    }
    int code = import->currency.length == 0 ? ask_currency(import) : CTL_DONE;
    if (code == CTL_DONE && strcmp(row->currency, text_of(&import->currency)) != 0) {
        import_row_reject(row, "BillingCurrency is %s, but bills here are in %s", row->currency,
                          text_of(&import->currency));
    }
    return code;
}

/* Derive the row's request id where it has none of its own. */
static void give_request_id(struct import *import)
{
    struct import_row *row = &import->row;
    if (row->rejected || row->request_id != NULL) {
        return;
    }
    struct derive_hash hash = derive_hash_row(row);
    text_clear(&row->request_id_text);
    derive_put_id(&hash, tally_add(&import->seen, &hash), &row->request_id_text);
    row->request_id = text_of(&row->request_id_text);
}

static int take_row(struct import *import)
{
    struct import_row *row = &import->row;
    if (row->customer == NULL) {
        row->customer = import->settings->customer;
    }
    int code = check_request_id(import);
    if (code == CTL_DONE) {
        code = check_currency(import);
    }
    if (code == CTL_DONE) {
        code = import_customers_resolve(&import->customers, &import->batch, row);
    }
    if (code == CTL_DONE) {
        give_request_id(import);
        code = import_batch_add(&import->batch, row);
    }
    progress_update(&import->progress, import->source.bytes_read, import->batch.counts.rows);
    return code;
}

/* --- all rows --------------------------------------------------------------------------------- */

static int end_interrupted(const struct import *import)
{
    say("interrupted");
    import_batch_say_settled(&import->batch, IMPORT_AGAIN);
    return CTL_SIGNAL + stop_asked();
}

/* The end of the rows that can be read: send the last of them. */
static int end_rows(struct import *import, enum import_result result, const struct reason *reason)
{
    if (result == IMPORT_INTERRUPTED) {
        return end_interrupted(import);
    }
    int code = import_batch_flush(&import->batch);
    if (code == CTL_DONE && result == IMPORT_UNREADABLE) {
        say("%s: %s", import->settings->path, reason->text);
        import_batch_say_settled(&import->batch, import->source.ended == SOURCE_FAILED
                                                     ? IMPORT_AGAIN
                                                     : "mend the file and import it again");
        code = CTL_REFUSED;
    }
    return code;
}

static int import_rows(struct import *import)
{
    struct reason reason;
    enum import_result result;
    while ((result = import_reader_next(&import->reader, &import->row, &reason)) == IMPORT_ROW) {
        int code = take_row(import);
        if (code != CTL_DONE) {
            return code;
        }
        if (stop_asked() != 0) {
            return end_interrupted(import);
        }
    }
    return end_rows(import, result, &reason);
}

/* --- the result ------------------------------------------------------------------------------- */

static void print_result(const struct import *import)
{
    const struct import_counts *counts = &import->batch.counts;
    struct text text = {0};
    if (import->ctl->format == OUTPUT_JSON) {
        import_counts_put_json(counts, &text);
    } else if (import->ctl->format == OUTPUT_CSV) {
        import_counts_put_csv(counts, &text);
    }
    output_text(text_of(&text));
    text_clear(&text);
    if (!import->settings->quiet) {
        import_counts_put_line(counts, &text);
        say("%s", text_of(&text));
    }
    text_done(&text);
}

/* --- files ------------------------------------------------------------------------------------ */

/* The rejected rows must not take the place of the rows that are being read. */
static int open_rejects(struct import *import)
{
    const char *path = import->settings->rejects_path;
    struct stat input;
    struct stat output;
    if (path == NULL) {
        return CTL_DONE;
    }
    if (stat(path, &output) == 0 && fstat(import->fd, &input) == 0 &&
        input.st_dev == output.st_dev && input.st_ino == output.st_ino && S_ISREG(input.st_mode)) {
        return ctl_usage(import->ctl, "--rejects: %s is the file that is imported", path);
    }
    import->batch.rejects = fopen(path, "we");
    if (import->batch.rejects == NULL) {
        say("%s: %s", path, strerror(errno));
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

static int close_rejects(struct import *import, int code)
{
    FILE *rejects = import->batch.rejects;
    if (rejects == NULL) {
        return code;
    }
    bool failed = ferror(rejects) != 0;
    import->batch.rejects = NULL;
    if (fclose(rejects) != 0 || failed) {
        say("cannot write all rejected rows to %s", import->settings->rejects_path);
        return code == CTL_DONE ? CTL_REFUSED : code;
    }
    return code;
}

static int open_input(struct import *import)
{
    const char *path = import->settings->path;
    struct stat info;
    uint64_t size = 0;
    import->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0) {
        say("%s: %s", path, strerror(errno));
        return CTL_REFUSED;
    }
    if (fstat(import->fd, &info) == 0 && S_ISREG(info.st_mode)) {
        size = (uint64_t)info.st_size;
    }
    source_init(&import->source, read_file, import);
    progress_begin(&import->progress, size, !import->settings->quiet);
    return CTL_DONE;
}

static int begin(struct import *import)
{
    struct reason reason;
    int code = import_batch_init(&import->batch, import->ctl, import->settings->batch_rows);
    if (code != CTL_DONE) {
        return code;
    }
    code = open_input(import);
    if (code != CTL_DONE) {
        return code;
    }
    switch (
        import_reader_init(&import->reader, import->settings->format, &import->source, &reason)) {
    case IMPORT_ROW:
    case IMPORT_END:
        break;
    case IMPORT_UNREADABLE:
        say("%s: %s", import->settings->path, reason.text);
        return CTL_REFUSED;
    case IMPORT_INTERRUPTED:
        return end_interrupted(import);
    }
    import->batch.header = text_of(&import->reader.header);
    return open_rejects(import);
}

int import_run(const struct ctl *ctl, const struct import_settings *settings)
{
    struct import import = {.ctl = ctl, .settings = settings, .fd = -1};
    stop_catch();
    int code = begin(&import);
    bool begun = code == CTL_DONE || code > CTL_SIGNAL;
    if (code == CTL_DONE) {
        code = import_rows(&import);
    }
    code = close_rejects(&import, code);
    progress_end(&import.progress);
    if (begun && code != CTL_USAGE) { /* refused as a whole: there is no result */
        print_result(&import);
    }
    if (code == CTL_DONE && import.batch.counts.rejected > 0) {
        code = CTL_REFUSED;
    }
    import_reader_done(&import.reader);
    import_batch_done(&import.batch);
    import_row_done(&import.row);
    source_done(&import.source);
    tally_done(&import.seen);
    import_customers_done(&import.customers);
    text_done(&import.currency);
    if (import.fd > STDIN_FILENO && close(import.fd) != 0) {
        say("%s: %s", settings->path, strerror(errno));
    }
    return code;
}
