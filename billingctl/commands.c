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
    "        units_consumed, price_per_unit, occurred_at, request_id, label.NAME\n"
    "ndjson  a usage item of the REST call in each line\n"
    "focus   a FOCUS 1.0 file: the customer is SubAccountId as external id, created at need;\n"
    "        service ServiceName, units ConsumedQuantity, price ListUnitPrice in\n"
    "        BillingCurrency, which must be the daemon's, time ChargePeriodStart, labels region,\n"
    "        resource and sku; the request id is made of BillingPeriodStart, ProviderName and Id,\n"
    "        else derived.  Rows that are not plain usage (another ChargeCategory, no or a\n"
    "        negative quantity or price) are not supported yet: they are reported and not\n"
    "        recorded\n"
    "\n"
    "--customer is the customer of the rows that name none.  Rows that cannot be recorded are\n"
    "listed with their line, the others are recorded, and the exit status is 1.\n";

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
     WINDOW | PAGES | FLAG_BIT(FLAG_BY) | FLAG_BIT(FLAG_SERVICE), COMMAND_HAS_ID,
     "list a customer's usage, by time", NULL, usage_list},
    {"usage", "import", "FILE", 0,
     FLAG_BIT(FLAG_FORMAT) | FLAG_BIT(FLAG_DERIVE_IDS) | FLAG_BIT(FLAG_CUSTOMER) |
         FLAG_BIT(FLAG_BATCH) | FLAG_BIT(FLAG_REJECTS) | FLAG_BIT(FLAG_QUIET),
     0, "record the usage in a file, \"-\" for standard input", import_more, usage_import},

    {"bill", "show", "", FLAG_BIT(FLAG_CUSTOMER), WINDOW | FLAG_BIT(FLAG_MONTH), 0,
     "show a customer's bill; without a window the current one", NULL, bill_show},

    {"request", "show", "REQUEST_ID", 0, FLAG_BIT(FLAG_CUSTOMER), COMMAND_HAS_ID,
     "show what became of a request",
     "With --customer, of a request for that customer; without, of one to create a customer.\n",
     request_show},

    {"server", "info", "", 0, 0, 0, "show what the daemon says of itself", NULL, server_info},
    {"server", "health", "", 0, 0, 0, "show whether the daemon takes work; exit status 1 if not",
     NULL, server_health},

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
    return check_args(command, options, reterr);
}
