/* Completion for shells, made of the table of commands.  Pure but for the heap; main thread. */
#pragma once

#include "billingctl/text.h"

/* Append the script for each shell. */
void completion_put_bash(struct text *text);
void completion_put_zsh(struct text *text);
void completion_put_fish(struct text *text);
