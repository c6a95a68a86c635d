/* What a command says when a signal ends it while nobody else knows what to do next.  Main thread;
 * owns how SIGINT and SIGTERM are handled from then on. */
#pragma once

/* From now on SIGINT and SIGTERM, unless they are ignored, say TEXT and then end the program as
 * they always do.  TEXT stays the caller's and must live on; called once. */
void last_words_set(const char *text);
