/* The daemon's options: one table that feeds the command line, the config file, --help and the
 * manual's test.
 *
 * A value comes from the command line, else from the config file, else from the table.  Every name
 * of the file is a flag too (`require_request_id` is `--require-request-id`).  Before threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/status.h"

enum {
    CONFIG_LISTEN_MAX = 8,
    CONFIG_LIST_MAX = 64,
};

struct config_list {
    char *items[CONFIG_LIST_MAX]; /* owned; the table says how many each may have */
    unsigned n;
};

struct config {
    /* --- what to do --- */
    char *config_file; /* owned, like every char * here */
    bool check;        /* check the options and the data directory's lock, then end */
    bool version;
    bool help;

    /* --- where --- */
    char *data_dir;            /* absolute or relative; default by config_data_dir() */
    char *store;               /* URI, "lmdb:" */
    struct config_list listen; /* "unix:PATH" or "tcp:HOST:PORT"; config_socket_path() */
    struct config_list http;   /* "HOST:PORT"; default none */
    int64_t socket_mode;       /* permissions of the Unix socket, 0660 */
    bool allow_insecure;       /* TCP and HTTP without TLS on other addresses than loopback */

    /* --- who may --- */
    bool require_auth;               /* TCP and HTTP ask for a key on loopback too */
    struct config_list unix_admins;  /* "user:NAME", "user:UID", "group:NAME", "group:GID" */
    struct config_list unix_writers; /* likewise */
    struct config_list unix_readers; /* likewise */
    char *unix_default;              /* reader, writer or none: what others may */
    struct config_list http_hosts;   /* the daemon's names; default: see config_http_hosts() */
    struct config_list http_origins; /* pages that may use it; default none */

    /* --- meaning --- */
    char *currency;  /* "USD" */
    char *catalogue; /* "open", or "listed": no other services are billed than listed ones */
    bool require_request_id;

    /* --- what it says of itself --- */
    bool log_payloads;
    char *log_level;                     /* debug, info, warning, error */
    char *log_format;                    /* logfmt, json */
    int64_t log_requests_per_second_max; /* lines: 100; 0: none */
    char *sentry_dsn;                    /* where errors are reported; NULL or empty: nowhere */
    char *sentry_environment;            /* "production" */

    /* --- bounds --- */
    int64_t map_bytes;                    /* address space of the store: 1 TiB */
    int64_t readers;                      /* reader threads: 2 */
    int64_t queue_ops_max;                /* writes waiting: 65536 */
    int64_t queue_bytes_max;              /* 64 MiB */
    int64_t group_ops_max;                /* writes in one commit: 4096 */
    int64_t group_bytes_max;              /* 32 MiB */
    int64_t connections_max;              /* 4096, both doors together */
    int64_t connections_per_identity_max; /* 0: three quarters of them */
    int64_t requests_per_second_max;      /* of one identity; 0: any number */
    int64_t memory_max;                   /* of requests, answers and the doors' buffers: 1 GiB */
    int64_t pipeline_max;                 /* requests in flight on one RPC connection: 1024 */
    int64_t frame_bytes_max;              /* 16 MiB */
    int64_t body_bytes_max;               /* HTTP: 16 MiB */
    int64_t head_bytes_max;               /* HTTP: 32 KiB */
    int64_t frame_timeout_ms;             /* for the rest of a frame that has begun: 30 s */
    int64_t idle_timeout_ms;              /* RPC connections that ask nothing: 0, no bound */
    int64_t write_timeout_ms;             /* for a client to take what was written: 30 s */
    int64_t http_idle_timeout_ms;         /* 60 s */
    int64_t head_timeout_ms;              /* HTTP: 10 s for a head */
    int64_t body_timeout_ms;              /* HTTP: 30 s for a body */
    int64_t drain_timeout_ms;             /* at SIGTERM: 30 s until connections are cut */
};

/* Read the command line of ARGC words at ARGV, the config file that it names, and the defaults into
 * *RET, to be freed with config_done() in either case.  Everything that is wrong is said on ERRORS,
 * a line each: flag or file and line, name, value and bound.  On 0 every char * but config_file
 * and sentry_dsn is set and there is something to listen at; with --help or --version only what the
 * flags said is looked at.  Returns 0 or STATUS_OUT_OF_BOUNDS. */
MUSTCHECK int config_load(int argc, char *const *argv, struct config *ret, FILE *errors);

/* Free what CONFIG owns. */
void config_done(struct config *config);

/* The enum log_level that is called NAME, or STATUS_OUT_OF_BOUNDS: never for config->log_level. */
MUSTCHECK int config_log_level(const char *name);

/* The enum log_format that is called NAME, or STATUS_OUT_OF_BOUNDS: never for
 * config->log_format. */
MUSTCHECK int config_log_format(const char *name);

/* Whether the catalogue called NAME is the listed one (1) or open (0), or STATUS_OUT_OF_BOUNDS:
 * never for config->catalogue. */
MUSTCHECK int config_catalogue_listed(const char *name);

/* The role called NAME, reader, writer or none, or STATUS_OUT_OF_BOUNDS: never for
 * config->unix_default. */
MUSTCHECK int config_default_role(const char *name);

/* Print the usage, every option with its default and meaning, from the table. */
void config_help(FILE *out);

/* The default data directory: $STATE_DIRECTORY (of several, with ':' between, the first), else
 * $XDG_STATE_HOME/billingd, else for root /var/lib/billingd, else ~/.local/state/billingd.  An XDG
 * variable or a HOME that is not absolute counts for none.  In BUFFER of BYTES; returns 0, or
 * STATUS_OUT_OF_BOUNDS where there is none or it does not fit. */
MUSTCHECK int config_data_dir(char *buffer, size_t bytes);

/* The default socket: billingd.sock in $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR, else (root)
 * /run/billingd.  Likewise. */
MUSTCHECK int config_socket_path(char *buffer, size_t bytes);
