/* Tokens: the secret that says who asks.  They lie on the heap, and are overwritten when they are
 * freed.  Pure but for reading their files; any thread. */
#pragma once

#include <stdbool.h>

#include "libbilling/src/failure.h"

/* Whether TEXT is 1 to 4096 bytes of printable ASCII without blanks. */
bool token_is_good(const char *text);

/* Overwrite and free TOKEN, which may be NULL. */
void token_free(char *token);

/* The token in the file at PATH, to be given to token_free(): all of the file but one newline at
 * its end.  NULL, with *RETERR saying why and never what the file holds, if it cannot be read, is
 * not a regular file, lets its group or others read it, or holds no token. */
char *token_read(const char *path, struct failure *reterr);
