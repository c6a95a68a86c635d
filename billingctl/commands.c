#include "billingctl/commands.h"

#include <string.h>

#include "billingctl/nouns.h"

#define WINDOW (FLAG_BIT(FLAG_START) | FLAG_BIT(FLAG_END))
#define PAGES  (FLAG_BIT(FLAG_LIMIT) | FLAG_BIT(FLAG_CURSOR))

static const char import_more[] =
    "A row is recorded once however often it is imported, because its request id is always the\n"
    "same: its request_id column or member.  Where there is none the import refuses, unless\n"
    "--derive-ids makes the id from what is recorded of the row (the customer by its id, however\n"
    "the row names it) and from how many equal rows stand before it in the file.  Renaming,\n"
    "splitting or reordering the file then changes nothing: what was imported before is not\n"
    "recorded again.  But two equal rows in two files are taken for one and the same: where both\n"
    "are meant, import the files as one, or give the rows request ids.\n"
    "\n"
    "csv     the first line names the columns: customer_id or external_id, service,\n"
    "        units_consumed, price_per_unit, occurred_at, request_id, label.NAME, or labels, a\n"
    "        JSON object; and for what is no usage: kind (usage, adjustment or void), amount,\n"
    "        reason and voided_request_id\n"
    "ndjson  a usage item of the REST call in each line; the members are those columns\n"
    "focus   a FOCUS 1.0 file: the customer is SubAccountId as external id, created at need;\n"
    "        service ServiceName, units ConsumedQuantity, price ListUnitPrice in\n"
    "        BillingCurrency, which must be the daemon's, time ChargePeriodStart, labels region,\n"
    "        resource and sku; the request id is made of BillingPeriodStart, ProviderName and Id,\n"
    "        else derived.  Rows that are not plain usage (another ChargeCategory, no or a\n"
    "        negative quantity or price) become adjustments of BilledCost\n"
    "\n"
    "What usage export writes can be imported in each format: what is recorded already is not\n"
    "recorded again.\n"
    "\n"
    "--customer is the customer of the rows that name none.  Rows that cannot be recorded are\n"
    "listed with their line, the others are recorded, and the exit status is 1.\n";

static const char void_more[] =
    "The record stays as it is, and is billed no more: on a bill that is still open the void\n"
    "cancels it, after an invoice it is a credit on the next one.\n";

static const char explain_more[] =
    "With --explain the records behind the bill in place of it: all of them, those of --service,\n"
    "or those of the one line that --service and --price name.\n";

static const char bill_list_more[] =
    "Without a window, of the current bills; with --end and no --start, of each customer what no\n"
    "invoice has billed yet.\n";

static const char finalize_more[] =
    "From --start, or where the last invoice ends, until --end, or the end of --month.  The "
    "window\n"
    "must be over, and an invoice never changes again; what arrives for it later is on the next\n"
    "one.\n"
    "\n"
    "--all makes the invoices of all customers, one after the other, prints a line for each, and\n"
    "goes on where one is refused; the exit status is 1 then.  It can be run again, after\n"
    "whatever happened to it, and does the rest: each customer's request id is made of --end.\n"
    "The invoices of that end that are there already are printed as well, before the new ones.\n"
    "A customer of whom there is nothing to bill gets no invoice.\n";

static const char service_more[] =
    "Where the catalogue has the service with a unit, --unit must be given, so that none is lost\n"
    "by leaving it out; --unit '' takes the unit away.\n";

static const char verify_more[] =
    "Prints ok, or what differs: as the invoice has it, and as the records have it.  The exit\n"
    "status is 1 where anything does.\n";

static const char key_create_more[] =
    "The last line is the key: what $BILLING_TOKEN or a token file then holds, and what goes over\n"
    "HTTP as Authorization: Bearer.  It is shown this once; the daemon keeps a hash of it.  With\n"
    "--output json it is the member key; --output id, which would lose it, is refused.\n"
    "\n"
    "reader  reads everything\n"
    "writer  reads, and records; with --service usage of these services alone\n"
    "admin   does everything, keys too\n";

static const char key_revoke_more[] =
    "By its id, or by its name.  It opens nothing from then on, also where a connection is open.\n";

static const char backup_more[] =
    "The daemon copies its store into DIR, on its own host, while it serves; there must be "
    "nothing\n"
    "of that name.  DIR is a data directory then: copied into place it is restored.  It is a path\n"
    "from / on; where the daemon is asked over its Unix socket it may be one from here.  An\n"
    "interrupt cancels the backup.\n";

static const char server_verify_more[] =
    "The daemon checks the chain of its journal while it serves, computes all that is derived "
    "from\n"
    "it once more, and compares.  Prints ok, or what it found; the exit status is 1 then.  An\n"
    "interrupt cancels it.\n";

static const char cancel_more[] =
    "One that somebody else has begun, or whose billingctl is gone: its id is in what refuses\n"
    "another one, as the existing id.  Prints the job as it is; it ends soon.  One that has ended\n"
    "stays as it is.\n";

static const char export_more[] =
    "Rows go to standard output as they are read: of each customer, or of --customer, the usage\n"
    "in the window by the time when it was used, each record that is voided followed by its\n"
    "void, then the adjustments.  With --by billed the window is of the time when they count for\n"
    "bills, and a void stands where it does.  The amounts add up to what is billed.\n"
    "\n"
    "csv     the columns that usage import reads: kind (usage, void or adjustment), customer_id,\n"
    "        request_id, service, units_consumed, price_per_unit, amount, reason,\n"
    "        voided_request_id, occurred_at, bills_at, voided_at, labels\n"
    "ndjson  the same as members of a JSON object in each line\n"
    "focus   all columns of FOCUS 1.0; what no record says is empty.  A void is a row with\n"
    "        quantity and cost below zero, in ChargeClass a Correction where it bills in a later\n"
    "        month than its usage.  x_RequestId and x_VoidedRequestId are our own\n"
    "\n"
    "Imported where it came from, an export records nothing; imported into another daemon in the\n"
    "format focus it makes the same customers and bills there.\n";

const struct command command_table[] = {
    {"customer", "create", "NAME", 0, FLAG_BIT(FLAG_EXTERNAL_ID), COMMAND_RECORDS | COMMAND_HAS_ID,
     "create a customer", NULL, customer_create},
    {"customer", "get", "ID", 0, 0, COMMAND_HAS_ID, "show a customer", NULL, customer_get},
    {"customer", "list", "", 0, FLAG_BIT(FLAG_EXTERNAL_ID) | PAGES, COMMAND_HAS_ID,
     "list customers", NULL, customer_list},
    {"customer", "rename", "ID NAME", 0, 0, COMMAND_HAS_ID, "give a customer another name", NULL,
     customer_rename},

    {"usage", "create", "",
     FLAG_BIT(FLAG_CUSTOMER) | FLAG_BIT(FLAG_SERVICE) | FLAG_BIT(FLAG_UNITS) | FLAG_BIT(FLAG_PRICE),
     FLAG_BIT(FLAG_AT) | FLAG_BIT(FLAG_LABEL), COMMAND_RECORDS | COMMAND_HAS_ID,
     "record what a customer used", NULL, usage_create},
    {"usage", "get", "USAGE_ID", FLAG_BIT(FLAG_CUSTOMER), 0, COMMAND_HAS_ID, "show a usage record",
     NULL, usage_get},
    {"usage", "list", "", FLAG_BIT(FLAG_CUSTOMER),
     WINDOW | FLAG_BIT(FLAG_MONTH) | PAGES | FLAG_BIT(FLAG_BY) | FLAG_BIT(FLAG_SERVICE),
     COMMAND_HAS_ID, "list a customer's usage, by time", NULL, usage_list},
    {"usage", "void", "USAGE_ID", FLAG_BIT(FLAG_CUSTOMER) | FLAG_BIT(FLAG_REASON), 0,
     COMMAND_RECORDS | COMMAND_HAS_ID, "take a usage record back", void_more, usage_void},
    {"usage", "summary", "", FLAG_BIT(FLAG_CUSTOMER),
     WINDOW | FLAG_BIT(FLAG_MONTH) | PAGES | FLAG_BIT(FLAG_BY) | FLAG_BIT(FLAG_SERVICE) |
         FLAG_BIT(FLAG_WINDOW) | FLAG_BIT(FLAG_GROUP_BY) | FLAG_BIT(FLAG_INCLUDE_EMPTY),
     0, "add up a customer's usage by the hour, day or month", NULL, usage_summary},
    {"usage", "import", "FILE", 0,
     FLAG_BIT(FLAG_FORMAT) | FLAG_BIT(FLAG_DERIVE_IDS) | FLAG_BIT(FLAG_CUSTOMER) |
         FLAG_BIT(FLAG_BATCH) | FLAG_BIT(FLAG_REJECTS) | FLAG_BIT(FLAG_QUIET),
     0, "record the usage in a file, \"-\" for standard input", import_more, usage_import},
    {"usage", "export", "", 0,
     FLAG_BIT(FLAG_CUSTOMER) | WINDOW | FLAG_BIT(FLAG_MONTH) | FLAG_BIT(FLAG_BY) |
         FLAG_BIT(FLAG_FORMAT) | FLAG_BIT(FLAG_QUIET),
     0, "print usage and adjustments, as usage import reads them", export_more, usage_export},

    {"adjustment", "create", "",
     FLAG_BIT(FLAG_CUSTOMER) | FLAG_BIT(FLAG_AMOUNT) | FLAG_BIT(FLAG_REASON),
     FLAG_BIT(FLAG_SERVICE) | FLAG_BIT(FLAG_AT), COMMAND_RECORDS | COMMAND_HAS_ID,
     "record a credit or a charge", NULL, adjustment_create},
    {"adjustment", "list", "", FLAG_BIT(FLAG_CUSTOMER),
     WINDOW | FLAG_BIT(FLAG_MONTH) | PAGES | FLAG_BIT(FLAG_BY) | FLAG_BIT(FLAG_SERVICE),
     COMMAND_HAS_ID, "list a customer's adjustments, by time", NULL, adjustment_list},

    {"bill", "show", "", FLAG_BIT(FLAG_CUSTOMER),
     WINDOW | FLAG_BIT(FLAG_MONTH) | FLAG_BIT(FLAG_EXPLAIN) | FLAG_BIT(FLAG_SERVICE) |
         FLAG_BIT(FLAG_PRICE),
     COMMAND_HAS_ID, "show a customer's bill; without a window the current one", explain_more,
     bill_show},
    {"bill", "list", "", 0, WINDOW | FLAG_BIT(FLAG_MONTH) | PAGES, 0,
     "list every customer's totals", bill_list_more, bill_list},

    {"invoice", "finalize", "", 0,
     FLAG_BIT(FLAG_CUSTOMER) | FLAG_BIT(FLAG_ALL) | WINDOW | FLAG_BIT(FLAG_MONTH) |
         FLAG_BIT(FLAG_DRY_RUN),
     COMMAND_RECORDS | COMMAND_HAS_ID, "make an invoice of what a customer owes", finalize_more,
     invoice_finalize},
    {"invoice", "list", "", 0, FLAG_BIT(FLAG_CUSTOMER) | PAGES, COMMAND_HAS_ID,
     "list invoices, by number", NULL, invoice_list},
    {"invoice", "show", "NUMBER", 0, 0, COMMAND_HAS_ID, "show an invoice", NULL, invoice_show},
    {"invoice", "verify", "NUMBER", 0, 0, 0, "compute an invoice again from its records",
     verify_more, invoice_verify},

    {"service", "add", "NAME", 0, FLAG_BIT(FLAG_UNIT), COMMAND_HAS_ID,
     "put a service into the catalogue, or change its unit", service_more, service_add},
    {"service", "get", "NAME", 0, 0, COMMAND_HAS_ID, "show a service of the catalogue", NULL,
     service_get},
    {"service", "list", "", 0, PAGES, COMMAND_HAS_ID, "list the catalogue", NULL, service_list},
    {"service", "remove", "NAME", 0, 0, 0, "take a service out of the catalogue", NULL,
     service_remove},

    {"request", "show", "REQUEST_ID", 0, FLAG_BIT(FLAG_CUSTOMER), COMMAND_HAS_ID,
     "show what became of a request",
     "With --customer, of a request for that customer; without, of one to create a customer.\n",
     request_show},

    {"key", "create", "", FLAG_BIT(FLAG_NAME) | FLAG_BIT(FLAG_ROLE),
     FLAG_BIT(FLAG_SERVICE) | FLAG_BIT(FLAG_EXPIRES), COMMAND_HAS_ID | COMMAND_SERVICES,
     "make an API key, and show it once", key_create_more, key_create},
    {"key", "list", "", 0, FLAG_BIT(FLAG_ALL) | PAGES, COMMAND_HAS_ID,
     "list the API keys in force, or with --all every one", NULL, key_list},
    {"key", "revoke", "ID", 0, 0, COMMAND_HAS_ID, "take an API key out of force", key_revoke_more,
     key_revoke},

    {"server", "info", "", 0, 0, 0, "show what the daemon says of itself", NULL, server_info},
    {"server", "health", "", 0, 0, 0, "show whether the daemon takes work; exit status 1 if not",
     NULL, server_health},
    {"server", "backup", "DIR", 0, FLAG_BIT(FLAG_QUIET), COMMAND_HAS_ID,
     "copy the store while the daemon serves", backup_more, server_backup},
    {"server", "verify", "", 0, FLAG_BIT(FLAG_QUIET), COMMAND_HAS_ID,
     "have the daemon check all that it keeps", server_verify_more, server_verify},
    {"server", "cancel", "JOB_ID", 0, 0, COMMAND_HAS_ID, "cancel a backup or a verification",
     cancel_more, server_cancel},

    {"completion", "bash", "", 0, 0, COMMAND_LOCAL, "print completion for bash",
     "To use it: source <(billingctl completion bash)\n", completion_bash},
    {"completion", "zsh", "", 0, 0, COMMAND_LOCAL, "print completion for zsh",
     "To use it: source <(billingctl completion zsh), after compinit\n", completion_zsh},
    {"completion", "fish", "", 0, 0, COMMAND_LOCAL, "print completion for fish",
     "To use it: billingctl completion fish | source\n", completion_fish},

    {"help", NULL, "[NOUN [VERB]]", 0, 0, COMMAND_LOCAL, "show help", NULL, help_show},
};

const size_t command_count = sizeof command_table / sizeof command_table[0];

/* The verbs of NOUN, for a message; empty if there is no such noun. */
static void put_verbs(struct text *text, const char *noun)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(command_table[i].noun, noun) == 0 && command_table[i].verb != NULL) {
            text_printf(text, "%s%s", text->length > 0 ? ", " : "", command_table[i].verb);
        }
    }
}

static void explain_unknown(const struct options *options, struct reason *reterr)
{
    struct text verbs = {0};
    put_verbs(&verbs, options->words[0]);
    if (verbs.length == 0) {
        reason_set(reterr, "there is no command '%s'", options->words[0]);
    } else if (options->word_count < 2) {
        reason_set(reterr, "%s: one of these must follow: %s", options->words[0], text_of(&verbs));
    } else {
        reason_set(reterr, "there is no command '%s %s', but: %s", options->words[0],
                   options->words[1], text_of(&verbs));
    }
    text_done(&verbs);
}

const struct command *command_find(const struct options *options, struct reason *reterr)
{
    if (options->word_count == 0) {
        reason_set(reterr, "a command is missing");
        return NULL;
    }
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        if (strcmp(command->noun, options->words[0]) == 0 &&
            (command->verb == NULL ||
             (options->word_count > 1 && strcmp(command->verb, options->words[1]) == 0))) {
            return command;
        }
    }
    explain_unknown(options, reterr);
    return NULL;
}

size_t command_words(const struct command *command)
{
    return command->verb == NULL ? 1 : 2;
}

bool command_takes(const struct command *command, enum flag_id id)
{
    return id < FLAG_GLOBAL__COUNT || ((command->required | command->optional) & FLAG_BIT(id)) != 0;
}

bool command_repeats(const struct command *command, enum flag_id id)
{
    return id == FLAG_LABEL || (id == FLAG_SERVICE && (command->traits & COMMAND_SERVICES) != 0);
}

static bool check_args(const struct command *command, const struct options *options,
                       struct reason *reterr)
{
    size_t given = options->word_count - command_words(command);
    size_t index = 0;
    for (const char *arg = command->args; *arg != '\0'; index++) {
        size_t length = strcspn(arg, " ");
        if (index >= given && *arg != '[') {
            return reason_set(reterr, "%.*s is missing", (int)length, arg);
        }
        arg += length + strspn(arg + length, " ");
    }
    if (given > index) {
        return reason_set(reterr, "unexpected argument '%s'",
                          options->words[command_words(command) + index]);
    }
    return true;
}

bool command_check(const struct command *command, const struct options *options,
                   struct reason *reterr)
{
    for (int i = 0; i < FLAG__COUNT; i++) {
        enum flag_id id = (enum flag_id)i;
        if (options_has(options, id) && !command_takes(command, id)) {
            return reason_set(reterr, "%s%s%s takes no --%s", command->noun,
                              command->verb == NULL ? "" : " ",
                              command->verb == NULL ? "" : command->verb, flag_table[id].name);
        }
        if (!options_has(options, id) && (command->required & FLAG_BIT(id)) != 0) {
            return reason_set(reterr, "--%s %s is missing", flag_table[id].name,
                              flag_table[id].value);
        }
    }
    if (options->services.count > 1 && !command_repeats(command, FLAG_SERVICE)) {
        return reason_set(reterr, "--%s is given twice", flag_table[FLAG_SERVICE].name);
    }
    return check_args(command, options, reterr);
}
