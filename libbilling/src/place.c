#include "libbilling/src/place.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#define UNIX_SCHEME    "unix://"
#define TCP_SCHEME     "tcp://"
#define SOCKET_NAME    "billingd.sock"
#define SYSTEM_RUN_DIR "/run/billingd"

static bool copy_part(char *to, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

static bool parse_port(const char *text, struct place *place)
{
    long port = 0;
    size_t length = strlen(text);
    if (strspn(text, "0123456789") != length || !copy_part(place->port, 6, text, length)) {
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        port = port * 10 + (*c - '0');
    }
    return port >= 1 && port <= 65535;
}

static bool parse_host(const char *text, size_t length, struct place *place)
{
    const char *allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        allowed = "0123456789abcdefABCDEF:.";
        text++;
        length -= 2;
    }
    return strspn(text, allowed) >= length &&
           copy_part(place->host, sizeof place->host, text, length);
}

static bool parse(const char *url, struct place *place)
{
    if (!copy_part(place->url, sizeof place->url, url, strlen(url))) {
        return false;
    }
    if (strncmp(url, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0) {
        const char *path = url + strlen(UNIX_SCHEME);
        return path[0] == '/' && copy_part(place->path, sizeof place->path, path, strlen(path));
    }
    if (strncmp(url, TCP_SCHEME, strlen(TCP_SCHEME)) == 0) {
        const char *host = url + strlen(TCP_SCHEME);
        const char *colon = strrchr(host, ':');
        place->is_tcp = true;
        return colon != NULL && parse_host(host, (size_t)(colon - host), place) &&
               parse_port(colon + 1, place);
    }
    return false;
}

int place_parse(const char *url, struct place *ret)
{
    struct place place = {0};
    if (!parse(url, &place)) {
        return BILLING_E_ARGUMENT;
    }
    *ret = place;
    return 0;
}

/* A directory that gives no acceptable path is passed over: the daemon cannot listen there. */
static void add_directory(struct places *places, const char *directory, size_t length)
{
    char url[PLACE_URL_MAX];
    int n = snprintf(url, sizeof url, UNIX_SCHEME "%.*s/" SOCKET_NAME, (int)length, directory);
    if (n > 0 && n < (int)sizeof url && place_parse(url, &places->list[places->count]) == 0) {
        places->count++;
    }
}

static void add_variable(struct places *places, const char *name)
{
    const char *value = secure_getenv(name);
    if (value == NULL) {
        return;
    }
    size_t length = strcspn(value, ":"); /* systemd may list several: the first counts */
    if (length > 0 && length < PLACE_URL_MAX) {
        add_directory(places, value, length);
    }
}

void places_default(struct places *ret)
{
    ret->count = 0;
    add_variable(ret, "RUNTIME_DIRECTORY");
    add_variable(ret, "XDG_RUNTIME_DIR");
    add_directory(ret, SYSTEM_RUN_DIR, strlen(SYSTEM_RUN_DIR));
}
