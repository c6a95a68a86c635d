#include "billingctl/import_batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "billingctl/ctl.h"
#include "billingctl/import_entry.h"
#include "billingctl/memory.h"
#include "billingctl/say.h"

struct batch_row {
    uint64_t line;
    uint64_t last_line;
    size_t raw_at; /* in the batch's texts */
    size_t raw_length;
    size_t reason_at;   /* likewise, with a NUL behind it; of a rejected row */
    size_t customer_at; /* likewise; of one that is sent */
    int64_t time_us;    /* -1: it has none */
    bool rejected;      /* before it was sent */
};

int import_batch_init(struct import_batch *batch, const struct ctl *ctl, size_t rows_max)
{
    *batch = (struct import_batch){
        .ctl = ctl,
        .rows_max = rows_max,
        .header = "",
        .items = billing_usage_batch_new(),
        .input = billing_usage_input_new(),
        .rows = memory_resize(NULL, rows_max, sizeof *batch->rows),
    };
    return batch->items != NULL && batch->input != NULL
               ? CTL_DONE
               : ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
}

void import_batch_done(struct import_batch *batch)
{
    billing_usage_batch_free(batch->items);
    billing_usage_input_free(batch->input);
    free(batch->rows);
    text_done(&batch->texts);
}

void import_batch_say_settled(const struct import_batch *batch, const char *advice)
{
    if (batch->settled_line == 0) {
        say("no row is settled yet; %s: nothing is charged twice", advice);
    } else {
        say("all rows up to line %" PRIu64 " are settled; %s: nothing is charged twice",
            batch->settled_line, advice);
    }
}

int import_batch_failed(const struct import_batch *batch, int status, billing_error *error)
{
    int code = ctl_exit_status(status);
    ctl_say_error(batch->ctl, status, error);
    if (code == CTL_UNKNOWN && billing_error_request_id(error) != NULL) {
        say("whether it was recorded is not known; its request id is %s",
            billing_error_request_id(error));
    } else if (code == CTL_UNKNOWN) {
        say("whether the rows behind were recorded is not known");
    }
    import_batch_say_settled(batch, IMPORT_AGAIN);
    billing_error_free(error);
    return code;
}

/* --- rejected rows ---------------------------------------------------------------------------- */

static void write_reject(struct import_batch *batch, const struct batch_row *row)
{
    const char *raw = text_of(&batch->texts) + row->raw_at;
    if (batch->rejects == NULL || row->raw_length == 0) {
        return;
    }
    /* A failure stays with the stream, and is looked for when it is closed. */
    if (fputs(batch->header, batch->rejects) == EOF ||
        fwrite(raw, 1, row->raw_length, batch->rejects) != row->raw_length ||
        (raw[row->raw_length - 1] != '\n' && fputs("\n", batch->rejects) == EOF)) {
        return;
    }
    batch->header = "";
}

static void reject(struct import_batch *batch, const struct batch_row *row, const char *reason)
{
    say("line %" PRIu64 ": %s", row->line, reason);
    write_reject(batch, row);
    batch->counts.rejected++;
}

/* --- settling --------------------------------------------------------------------------------- */

/* Whether a row that is refused with PROBLEM is what is recorded after all: it has the time that
 * the daemon gave a record that came without one, as an export of it does. */
static bool is_recorded(const struct import_batch *batch, const struct batch_row *row,
                        const billing_object *problem)
{
    billing_object *reply;
    if (row->time_us < 0 || !import_entry_differs_in_time(problem)) {
        return false;
    }
    int status = billing_usage_get(batch->ctl->client, text_of(&batch->texts) + row->customer_at,
                                   billing_object_text(problem, "existing_id"), &reply, NULL);
    bool same = status == 0 && billing_object_time_us(reply, "usage.occurred_at") == row->time_us;
    billing_object_free(reply);
    return same;
}

static void settle_sent(struct import_batch *batch, const struct batch_row *row,
                        const billing_object *result)
{
    const char *status = output_value(result, "status");
    const billing_object *problem = billing_object_child(result, "problem");
    if (strcmp(status, "recorded") == 0) {
        batch->counts.recorded[IMPORT_USAGE]++;
    } else if (strcmp(status, "replayed") == 0 || is_recorded(batch, row, problem)) {
        batch->counts.replayed[IMPORT_USAGE]++;
    } else {
        struct text reason = {0};
        import_entry_put_problem(problem, &reason);
        reject(batch, row, text_of(&reason));
        text_done(&reason);
    }
}

/* All rows that wait are settled, the sent ones as REPLY says; begin anew. */
static void settle(struct import_batch *batch, const billing_object *reply)
{
    size_t sent = 0;
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct batch_row *row = &batch->rows[i];
        if (row->rejected) {
            reject(batch, row, text_of(&batch->texts) + row->reason_at);
        } else {
            settle_sent(batch, row, billing_object_item(reply, "results", sent++));
        }
        batch->counts.rows++;
        batch->settled_line = row->last_line;
    }
    batch->row_count = 0;
    text_clear(&batch->texts);
    billing_usage_batch_clear(batch->items);
}

int import_batch_flush(struct import_batch *batch)
{
    size_t count = billing_usage_batch_count(batch->items);
    billing_object *reply = NULL;
    billing_error *error;
    if (count > 0) {
        int status = billing_usage_batch_create(batch->ctl->client, batch->items, &reply, &error);
        if (status != 0) {
            return import_batch_failed(batch, status, error);
        }
        if (billing_object_count(reply, "results") != count) {
            say("the daemon answered %zu results for %zu rows",
                billing_object_count(reply, "results"), count);
            billing_object_free(reply);
            return import_batch_failed(batch, BILLING_E_UNKNOWN, NULL);
        }
    }
    settle(batch, reply);
    billing_object_free(reply);
    return CTL_DONE;
}

/* --- adding ----------------------------------------------------------------------------------- */

/* Setters fail for want of memory only, and then so does adding the input. */
static void fill_input(billing_usage_input *input, const struct import_row *row)
{
    billing_usage_input_clear(input);
    (void)billing_usage_input_set_customer(input, row->customer);
    (void)billing_usage_input_set_service(input, row->service);
    (void)billing_usage_input_set_units(input, row->units);
    (void)billing_usage_input_set_price(input, row->price);
    (void)billing_usage_input_set_request_id(input, row->request_id);
    if (row->has_time) {
        (void)billing_usage_input_set_time_us(input, row->time_us);
    }
    for (size_t i = 0; i < row->label_count; i++) {
        (void)billing_usage_input_add_label(input, row->labels[i].name, row->labels[i].value);
    }
}

/* The row at the end of the batch. */
static struct batch_row *append_row(struct import_batch *batch, const struct import_row *row)
{
    struct batch_row *added = &batch->rows[batch->row_count++];
    *added = (struct batch_row){
        .line = row->line,
        .last_line = row->last_line,
        .raw_at = batch->texts.length,
        .raw_length = row->raw_length,
    };
    if (batch->rejects != NULL) {
        text_put(&batch->texts, row->raw, row->raw_length);
    }
    return added;
}

static void append_sent(struct import_batch *batch, const struct import_row *row)
{
    struct batch_row *added = append_row(batch, row);
    const char *customer = row->customer == NULL ? "" : row->customer;
    added->time_us = row->has_time ? row->time_us : -1;
    added->customer_at = batch->texts.length;
    text_put(&batch->texts, customer, strlen(customer) + 1);
}

static void append_rejected(struct import_batch *batch, const struct import_row *row,
                            const char *reason)
{
    struct batch_row *added = append_row(batch, row);
    added->rejected = true;
    added->reason_at = batch->texts.length;
    text_put(&batch->texts, reason, strlen(reason) + 1);
}

/* Record ROW, which is no usage, behind all that waits. */
static int add_entry(struct import_batch *batch, const struct import_row *row)
{
    enum import_outcome outcome;
    struct text reason = {0};
    billing_error *error;
    int code = import_batch_flush(batch);
    if (code == CTL_DONE) {
        int status = import_entry_record(batch->ctl->client, row, &outcome, &reason, &error);
        code = status == 0 ? CTL_DONE : import_batch_failed(batch, status, error);
    }
    if (code == CTL_DONE && outcome == IMPORT_REJECTED) {
        append_rejected(batch, row, text_of(&reason));
        code = import_batch_flush(batch);
    } else if (code == CTL_DONE) {
        batch->counts.recorded[row->kind] += outcome == IMPORT_RECORDED;
        batch->counts.replayed[row->kind] += outcome == IMPORT_REPLAYED;
        batch->counts.rows++;
        batch->settled_line = row->last_line;
    }
    text_done(&reason);
    return code;
}

static int append(struct import_batch *batch, const struct import_row *row)
{
    if (row->rejected) {
        append_rejected(batch, row, row->reason.text);
        return CTL_DONE;
    }
    if (row->kind != IMPORT_USAGE) {
        return add_entry(batch, row);
    }
    fill_input(batch->input, row);
    int status = billing_usage_batch_add(batch->items, batch->input);
    if (status == BILLING_E_FULL && billing_usage_batch_count(batch->items) > 0) {
        int code = import_batch_flush(batch); /* large rows: fewer of them fit into a frame */
        if (code != CTL_DONE) {
            return code;
        }
        status = billing_usage_batch_add(batch->items, batch->input);
    }
    if (status == BILLING_E_FULL) {
        append_rejected(batch, row, "too large to be sent");
        return CTL_DONE;
    }
    if (status != 0) {
        return import_batch_failed(batch, status, NULL);
    }
    append_sent(batch, row);
    return CTL_DONE;
}

int import_batch_add(struct import_batch *batch, const struct import_row *row)
{
    int code = append(batch, row);
    return code == CTL_DONE && batch->row_count == batch->rows_max ? import_batch_flush(batch)
                                                                   : code;
}
