/* The few rules about text that more than one part of the HTTP door needs.  Pure; any thread. */
#pragma once

#include <stdbool.h>

#include "billingd/base/slice.h"

/* Whether BYTE may stand in a method or a header name. */
bool http_is_token(unsigned char byte);

/* The value of a hexadecimal digit, or -1. */
int http_hex_value(unsigned char byte);

/* TEXT without the blanks and tabs around it. */
struct slice http_trim(struct slice text);

/* Whether TEXT is WORD, in upper or lower case. */
bool http_is_word(struct slice text, const char *word);
