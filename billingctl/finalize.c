/* Making invoices: of one customer, or of all at the end of a month.
 *
 * Happy path of --all: the invoices of that end that are there already are printed; then the
 * customers come page by page in the list of bills, and each is finalized by a call of its own
 * under the request id `finalize:<end>`.
 *   - Killed anywhere, it is run again, and prints them all: who has an invoice by then is in the
 *     list of invoices and not in the one of bills, or, where two runs go on at once, is answered
 *     with the same one.
 *   - A customer that is refused, also for its damaged records, is said, and the others are
 *     finalized.
 *   - An end in the future is refused for the first customer as for any other: that ends it.  Where
 *     there is no customer to ask the daemon for, our own clock says so.
 *   - A daemon that does not answer ends it: the next customer would fare no better. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "billingctl/bill.h"
#include "billingctl/invoice.h"
#include "billingctl/nouns.h"
#include "billingctl/progress.h"
#include "billingctl/say.h"
#include "billingctl/statement.h"
#include "billingctl/values.h"

/* --- until when ------------------------------------------------------------------------------- */

struct period {
    int64_t start_us; /* -1: where the last invoice ends */
    int64_t end_us;
};

static int get_end(const struct ctl *ctl, int64_t *ret_us)
{
    const char *month = ctl_value(ctl, FLAG_MONTH);
    bool has_end = ctl_value(ctl, FLAG_END) != NULL;
    struct reason reason;
    int64_t start_us;
    if (month == NULL) {
        return has_end ? ctl_time(ctl, FLAG_END, ret_us)
                       : ctl_usage(ctl, "--end TIME or --month YYYY-MM is missing");
    }
    if (has_end) {
        return ctl_usage(ctl, "--month stands in place of --end");
    }
    if (!value_month(month, &start_us, ret_us, &reason)) {
        return ctl_usage_value(ctl, FLAG_MONTH, &reason);
    }
    return CTL_DONE;
}

static int get_period(const struct ctl *ctl, struct period *ret)
{
    ret->start_us = -1;
    int code = get_end(ctl, &ret->end_us);
    return code != CTL_DONE ? code : ctl_time(ctl, FLAG_START, &ret->start_us);
}

/* A query_fn: the period. */
static int set_period(const struct ctl *ctl, billing_query *query)
{
    struct period period;
    int code = get_period(ctl, &period);
    if (code != CTL_DONE) {
        return code;
    }
    int status = billing_query_set_end_us(query, period.end_us);
    if (status == 0 && period.start_us >= 0) {
        status = billing_query_set_start_us(query, period.start_us);
    }
    return ctl_exit_status(status);
}

/* --- one -------------------------------------------------------------------------------------- */

/* Print the invoice that REPLY, which is taken over, begins. */
static int print_invoice(const struct ctl *ctl, billing_object *reply)
{
    struct statement invoice = {.number = billing_object_uint64(reply, "invoice.number")};
    statement_add(&invoice, reply);
    billing_query *query = billing_query_new();
    int code = query == NULL ? ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL)
                             : statement_get_rest(ctl, query, &invoice);
    if (code == CTL_DONE) {
        statement_print(ctl->format, &invoice);
    }
    billing_query_free(query);
    statement_done(&invoice);
    return code;
}

static int finalize_one(const struct ctl *ctl, const billing_query *period)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_invoice_finalize(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), period,
                                          ctl->request_id, &reply, &error);
    return status == 0 ? print_invoice(ctl, reply) : ctl_failed(ctl, status, error);
}

/* --- all -------------------------------------------------------------------------------------- */

/* A walk over all pages of a list, or of two. */
struct walk {
    const struct ctl *ctl;
    const billing_query *period; /* to finalize */
    int64_t end_us;              /* of it */
    const char *only;            /* the customer that is looked for */
    struct list list;            /* what is printed */
    struct progress progress;
    char request_id[BILLING_REQUEST_ID_BYTES_MAX + 1];
    uint64_t made;
    uint64_t there; /* made by an earlier run, or otherwise */
    uint64_t refused;
    bool ended; /* the rest need not be looked at */
};

/* What is walked over, and what is done with each ITEM.  Returns CTL_DONE to go on. */
struct way {
    page_fn ask;
    const struct view *view;
    int (*visit)(struct walk *walk, const billing_object *item);
};

static int visit_page(struct walk *walk, const billing_object *page, const struct way *way)
{
    const billing_object *item;
    int code = CTL_DONE;
    for (size_t i = 0; code == CTL_DONE && !walk->ended &&
                       (item = billing_object_item(page, way->view->member, i)) != NULL;
         i++) {
        code = way->visit(walk, item);
        progress_update(&walk->progress, 0, walk->made + walk->there + walk->refused);
    }
    return code;
}

/* Go WAY over the list that QUERY asks for. */
static int walk_pages(struct walk *walk, billing_query *query, const struct way *way)
{
    billing_object *page = NULL;
    billing_error *error;
    const char *cursor = NULL;
    int code = CTL_DONE;
    do {
        int status = billing_query_set_cursor(query, cursor);
        billing_object_free(page);
        page = NULL;
        if (status != 0) {
            return ctl_failed(walk->ctl, status, NULL);
        }
        status = way->ask(walk->ctl, query, &page, &error);
        if (status != 0) {
            return ctl_failed(walk->ctl, status, error);
        }
        list_measure(&walk->list, page, way->view->member);
        code = visit_page(walk, page, way);
        cursor = billing_object_text(page, "next_cursor");
    } while (code == CTL_DONE && !walk->ended && cursor != NULL);
    billing_object_free(page);
    return code;
}

/* Print INVOICE, which was there before, where it is of the end that is asked for. */
static int visit_invoice(struct walk *walk, const billing_object *invoice)
{
    if (billing_object_time_us(invoice, "end") == walk->end_us) {
        list_add_item(&walk->list, invoice);
        walk->there++;
    }
    return CTL_DONE;
}

/* The same of the one that is called ID. */
static int visit_existing(struct walk *walk, const char *id)
{
    billing_object *reply;
    billing_error *error;
    struct reason reason;
    uint64_t number;
    if (!value_count(id, 1, UINT64_MAX, &number, &reason)) {
        say("the invoice is called '%s', which is no number", id);
        return CTL_REFUSED;
    }
    int status = billing_invoice_get(walk->ctl->client, number, NULL, &reply, &error);
    if (status != 0) {
        return ctl_failed(walk->ctl, status, error);
    }
    int code = visit_invoice(walk, billing_object_child(reply, "invoice"));
    billing_object_free(reply);
    return code;
}

/* Whether the next customer may fare better: this one is refused, or its records are damaged. */
static bool is_own_trouble(int status, const billing_error *error)
{
    return status == BILLING_E_REFUSED ||
           (status == BILLING_E_NOT_RECORDED &&
            strcmp(billing_error_code(error), "storage_damaged") == 0);
}

/* A customer was not finalized, which STATUS and ERROR say. */
static int take_failure(struct walk *walk, const char *customer, int status,
                        const billing_error *error)
{
    const char *existing = billing_error_existing_id(error);
    if (existing != NULL && strcmp(billing_error_code(error), "already_finalized") == 0) {
        say("customer %s: already finalized: invoice %s", customer, existing);
        return visit_existing(walk, existing);
    }
    if (strcmp(billing_error_code(error), "period_not_closed") == 0) { /* for nobody */
        ctl_say_error(walk->ctl, status, error);
        walk->ended = true;
        return ctl_exit_status(status);
    }
    say("customer %s:", customer);
    ctl_say_error(walk->ctl, status, error);
    if (is_own_trouble(status, error)) {
        walk->refused++;
        return CTL_DONE;
    }
    say("stopped there; run it again, and the rest is done");
    return ctl_exit_status(status);
}

static int finalize_row(struct walk *walk, const billing_object *totals)
{
    const char *customer = output_value(totals, "customer_id");
    billing_object *reply;
    billing_error *error;
    int status = billing_invoice_finalize(walk->ctl->client, customer, walk->period,
                                          walk->request_id, &reply, &error);
    if (status != 0) {
        int code = take_failure(walk, customer, status, error);
        billing_error_free(error);
        return code;
    }
    list_add_item(&walk->list, billing_object_child(reply, "invoice"));
    *(billing_object_replayed(reply) ? &walk->there : &walk->made) += 1;
    billing_object_free(reply);
    return CTL_DONE;
}

/* The same for each customer, since each has request ids of its own. */
static int make_request_id(struct walk *walk)
{
    char end[BILLING_TIME_TEXT_MAX];
    int status = billing_time_format(walk->end_us, end, sizeof end);
    if (status != 0) {
        return ctl_failed(walk->ctl, status, NULL);
    }
    (void)snprintf(walk->request_id, sizeof walk->request_id, "finalize:%s", end);
    return CTL_DONE;
}

/* Go WAY over a list, until END_US where that is not negative. */
static int walk_list(struct walk *walk, int64_t end_us, const struct way *way)
{
    billing_query *query = billing_query_new();
    int status =
        query == NULL ? BILLING_E_NO_MEMORY : billing_query_set_limit(query, BILLING_PAGE_MAX);
    if (status == 0 && end_us >= 0) {
        status = billing_query_set_end_us(query, end_us);
    }
    int code = status == 0 ? walk_pages(walk, query, way) : ctl_failed(walk->ctl, status, NULL);
    billing_query_free(query);
    return code;
}

/* The invoices first: who is in the list of bills after that is in none of them.  What a bill comes
 * to is not looked at, who it is of is. */
static int walk_all(struct walk *walk)
{
    static const struct way there = {invoice_totals_page, &invoice_totals_view, visit_invoice};
    static const struct way due = {bill_totals_page, &bill_totals_view, finalize_row};
    int code = walk_list(walk, -1, &there);
    return code == CTL_DONE ? walk_list(walk, walk->end_us, &due) : code;
}

/* Whether END_US has not come yet, by our clock. */
static bool is_ahead(int64_t end_us)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 && end_us / 1000000 > (int64_t)now.tv_sec;
}

/* There was no customer to be refused for: say what the daemon would have said.  Returns the exit
 * status. */
static int refuse_open_period(struct walk *walk)
{
    char end[BILLING_TIME_TEXT_MAX];
    int status = billing_time_format(walk->end_us, end, sizeof end);
    walk->ended = true;
    if (status != 0) {
        return ctl_failed(walk->ctl, status, NULL);
    }
    say("Period not closed: %s lies ahead of this host's clock: records may still bill before it "
        "(period_not_closed)",
        end);
    return CTL_REFUSED;
}

static int finalize_all(const struct ctl *ctl, const billing_query *query)
{
    struct walk walk = {.ctl = ctl, .period = query};
    struct period period;
    walk.list = (struct list){.format = ctl->format, .view = &invoice_totals_view};
    int code = get_period(ctl, &period);
    if (code == CTL_DONE) {
        walk.end_us = period.end_us;
        code = make_request_id(&walk);
    }
    if (code != CTL_DONE) {
        return code;
    }
    /* On a terminal the rows themselves show how far it is. */
    progress_begin(&walk.progress, 0, isatty(STDOUT_FILENO) != 1);
    code = walk_all(&walk);
    if (code == CTL_DONE && walk.made + walk.there + walk.refused == 0 && !walk.ended &&
        is_ahead(walk.end_us)) {
        code = refuse_open_period(&walk);
    }
    progress_end(&walk.progress);
    list_end(&walk.list, NULL);
    if (!walk.ended) {
        say("%" PRIu64 " finalized, %" PRIu64 " finalized before, %" PRIu64 " refused", walk.made,
            walk.there, walk.refused);
    }
    return code == CTL_DONE && walk.refused > 0 ? CTL_REFUSED : code;
}

/* --- none: --dry-run -------------------------------------------------------------------------- */

static int show_row(struct walk *walk, const billing_object *totals)
{
    if (strcmp(output_value(totals, "customer_id"), walk->only) == 0) {
        list_add_item(&walk->list, totals);
        walk->ended = true;
    }
    return CTL_DONE;
}

static int show_customer(struct walk *walk, billing_query *query)
{
    static const struct way way = {bill_totals_page, &bill_totals_view, show_row};
    int status = billing_query_set_limit(query, BILLING_PAGE_MAX);
    int code = status == 0 ? walk_pages(walk, query, &way) : ctl_failed(walk->ctl, status, NULL);
    if (code == CTL_DONE) {
        list_end(&walk->list, NULL);
        if (!walk->ended) {
            say("there is nothing to bill");
        }
    }
    return code;
}

static int show_one(const struct ctl *ctl, billing_query *query)
{
    struct walk walk = {.ctl = ctl};
    billing_object *reply;
    billing_error *error;
    int status = billing_customer_get(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), &reply, &error);
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    walk.only = output_value(reply, "customer.id");
    walk.list = (struct list){.format = ctl->format, .view = &bill_totals_view};
    int code = show_customer(&walk, query);
    billing_object_free(reply);
    return code;
}

/* --- the command ------------------------------------------------------------------------------ */

static int check_whom(const struct ctl *ctl)
{
    bool all = options_has(&ctl->options, FLAG_ALL);
    if (all == options_has(&ctl->options, FLAG_CUSTOMER)) {
        return ctl_usage(ctl, all ? "--all stands in place of --customer"
                                  : "--customer ID or --all is missing");
    }
    if (all && options_has(&ctl->options, FLAG_REQUEST_ID)) {
        return ctl_usage(ctl, "--request-id: with --all each customer's is made of --end");
    }
    if (ctl->format == OUTPUT_ID && options_has(&ctl->options, FLAG_DRY_RUN)) {
        return ctl_usage(ctl, "--output: with --dry-run there is no id");
    }
    return CTL_DONE;
}

int invoice_finalize(struct ctl *ctl)
{
    bool all = options_has(&ctl->options, FLAG_ALL);
    bool dry = options_has(&ctl->options, FLAG_DRY_RUN);
    int code = check_whom(ctl);
    if (code != CTL_DONE) {
        return code;
    }
    if (dry && all) {
        return pages_list(ctl, set_period, &bill_totals_view, bill_totals_page);
    }
    billing_query *query = billing_query_new();
    code = query == NULL ? ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL) : set_period(ctl, query);
    if (code == CTL_DONE) {
        code = dry   ? show_one(ctl, query)
               : all ? finalize_all(ctl, query)
                     : finalize_one(ctl, query);
    }
    billing_query_free(query);
    return code;
}
