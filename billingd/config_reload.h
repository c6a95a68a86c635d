/* SIGHUP: the same command line and the config file, read once more: on any thread, since files and
 * the user database may be far away, and taken over on the loop's. */
#pragma once

#include "billingd/config.h"

enum config_news {
    CONFIG_NEWS_WRONG,   /* TEXT is what is wrong, as config_load() says it */
    CONFIG_NEWS_CHANGED, /* option NAME has TEXT for a value now */
    CONFIG_NEWS_RESTART, /* option NAME is to have TEXT for a value, which takes a restart */
};

/* Takes one piece of news; NAME (NULL for CONFIG_NEWS_WRONG) and TEXT are valid during the call. */
typedef void (*config_news_fn)(enum config_news news, const char *name, const char *text);

struct config_reload {
    int argc; /* words of the command line */
    char *const *argv;
    config_news_fn tell;

    /* Asked by the reader once all is right with the options, before anything is taken over: makes
     * of FRESH what they do not say by themselves, and returns 0; or a STATUS_*, having said what
     * is wrong. */
    int (*accept)(const struct config *fresh, void *arg);
    void *arg;

    /* --- what was read --- */
    struct config fresh;
    char *problems; /* lines; owned */
    int status;
};

/* Read the command line, and the file that it names, again into RELOAD, whose first part is set. */
void config_reload_read(struct config_reload *reload);

/* Take over into *CONFIG, which is what the daemon runs with, what was read and may change while it
 * runs; the rest of *CONFIG stays as it is.  tell() hears what has changed, and what would have.
 * RELOAD is dropped.  Loop thread.
 *
 * Returns 0; or STATUS_OUT_OF_BOUNDS or what accept() returned, where anything is wrong: then
 * tell() has heard all that is, and *CONFIG is left alone. */
MUSTCHECK int config_reload_take(struct config_reload *reload, struct config *config);

/* Free what was read. */
void config_reload_drop(struct config_reload *reload);
