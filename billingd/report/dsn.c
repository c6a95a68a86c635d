#include "billingd/report/dsn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS      "0123456789"
#define HOST_BYTES  LETTERS DIGITS ".-_"
#define PATH_BYTES  LETTERS DIGITS ".-_~/"
#define ADDRESS_SET DIGITS "abcdefABCDEF:."

enum {
    PROJECT_DIGITS_MAX = 20,
    PORT_MAX = 65535,
};

struct parts {
    const char *key;
    size_t key_bytes;
    const char *host; /* with its port */
    size_t host_bytes;
    const char *path; /* from its slash, up to the project's */
    size_t path_bytes;
    const char *project;
};

/* How many bytes of a host stand at TEXT; 0: none. */
static size_t host_span(const char *text)
{
    if (*text != '[') {
        return strspn(text, HOST_BYTES);
    }
    size_t n = strspn(text + 1, ADDRESS_SET);
    return n > 0 && text[n + 1] == ']' ? n + 2 : 0;
}

/* Past the port at *AT, if there is one.  Returns whether it is sound. */
static bool skip_port(const char **at)
{
    if (**at != ':') {
        return true;
    }
    size_t digits = strspn(*at + 1, DIGITS);
    unsigned long port = strtoul(*at + 1, NULL, 10);
    *at += 1 + digits;
    return digits >= 1 && digits <= 5 && port >= 1 && port <= PORT_MAX;
}

static const char *find_wrong(const char *text, struct parts *ret)
{
    bool https = strncmp(text, "https://", 8) == 0;
    if (!https && strncmp(text, "http://", 7) != 0) {
        return "it is to begin with https:// or http://";
    }
    ret->key = text + (https ? 8 : 7);
    ret->key_bytes = strspn(ret->key, LETTERS DIGITS);
    const char *at = ret->key + ret->key_bytes;
    if (*at == ':') {
        at += 1 + strspn(at + 1, LETTERS DIGITS);
    }
    if (ret->key_bytes < 1 || ret->key_bytes > REPORT_KEY_BYTES_MAX || *at != '@') {
        return "before an '@' it is to have a key of 1 to 64 letters and digits";
    }
    ret->host = at + 1;
    at = ret->host + host_span(ret->host);
    if (at == ret->host) {
        return "behind the '@' it is to have a host: a name, or an address";
    }
    if (!skip_port(&at)) {
        return "a port is a number from 1 to 65535";
    }
    ret->host_bytes = (size_t)(at - ret->host);
    ret->path = at;
    const char *slash = strrchr(at, '/');
    if (*at != '/' || strspn(at, PATH_BYTES) != strlen(at)) {
        return "behind the host it is to have a path of plain characters, without a query";
    }
    ret->path_bytes = (size_t)(slash - at);
    ret->project = slash + 1;
    size_t digits = strspn(ret->project, DIGITS);
    if (digits < 1 || digits > PROJECT_DIGITS_MAX || ret->project[digits] != '\0') {
        return "it is to end in '/' and the number of a project";
    }
    return NULL;
}

int report_dsn_parse(const char *text, struct report_dsn *ret, const char **ret_what)
{
    struct parts parts = {0};
    *ret_what = strlen(text) > REPORT_DSN_BYTES_MAX ? "it is to have at most 512 bytes"
                                                    : find_wrong(text, &parts);
    if (*ret_what != NULL) {
        return STATUS_OUT_OF_BOUNDS;
    }
    memcpy(ret->key, parts.key, parts.key_bytes);
    ret->key[parts.key_bytes] = '\0';
    IGNORE(snprintf(ret->url, sizeof ret->url, "%.*s%.*s%.*s/api/%s/envelope/",
                    (int)(parts.key - text), text, (int)parts.host_bytes, parts.host,
                    (int)parts.path_bytes, parts.path, parts.project) < 0); /* fits */
    return 0;
}
