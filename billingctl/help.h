/* Help, made of the table of commands and the table of flags.  Main thread. */
#pragma once

#include <stddef.h>

#include "billingctl/commands.h"
#include "billingctl/text.h"

/* Append how COMMAND is used, in a line or two; NULL: how billingctl is. */
void help_put_usage(struct text *text, const struct command *command);

/* Append the help for what the COUNT words at WORDS name: a command, a noun, or, with no word,
 * everything.  Returns false, with nothing appended, where they name nothing. */
MUSTCHECK bool help_put(struct text *text, const char *const *words, size_t count);

/* Print the help for WORDS.  Returns CTL_DONE, or CTL_USAGE where they name nothing. */
int help_print(const char *const *words, size_t count);

/* Print the versions of billingctl and of the library.  Returns CTL_DONE. */
int help_print_version(void);
