#include "billingd/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "billingd/base/assert.h"

enum {
    BACKLOG = 1024,
};

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    struct listener_options options;
    char address[160];
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* Unix only */
    dev_t device;                                              /* of the socket file */
    ino_t inode;
};

__attribute__((format(printf, 3, 4))) static int fail(char *reason, int status, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(reason, LISTENER_REASON_BYTES, format, arguments) < 0); /* may be cut */
    va_end(arguments);
    return status;
}

static void connection_cb(uv_stream_t *server, int status)
{
    struct listener *listener = server->data;
    if (status == 0) {
        listener->options.accept_cb(server, listener->options.arg);
    }
}

static int start(struct listener *listener, char *reason)
{
    listener->handle.data = listener;
    int rc = uv_listen(&listener->stream, BACKLOG, connection_cb);
    if (rc < 0) {
        return fail(reason, rc == UV_EADDRINUSE ? STATUS_BUSY : STATUS_INTERNAL, "%s: %s",
                    listener->address, uv_strerror(rc));
    }
    return 0;
}

/* --- Unix ------------------------------------------------------------------------------------- */

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

/* Whether somebody listens at PATH: connecting succeeds, or is only put off. */
static bool is_alive(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return true; /* not known to be dead */
    }
    int rc = connect(fd, (const struct sockaddr *)&address, sizeof address);
    bool dead = rc < 0 && (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return !dead;
}

/* Make way for our own socket file. */
static int clear_path(const char *path, char *reason)
{
    struct stat file;
    if (lstat(path, &file) < 0) {
        return 0; /* bind() says what is wrong, if anything is */
    }
    if (!S_ISSOCK(file.st_mode)) {
        return fail(reason, STATUS_BUSY, "unix:%s: there is a file that is no socket", path);
    }
    if (is_alive(path)) {
        return fail(reason, STATUS_BUSY, "unix:%s: another process listens there", path);
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        return fail(reason, STATUS_INTERNAL, "unix:%s: cannot remove the stale socket: %s", path,
                    strerror(errno));
    }
    return 0;
}

/* The directory of PATH, one level of it: /run/billingd, say. */
static void make_directory(const char *path)
{
    char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return;
    }
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    IGNORE(mkdir(directory, 0755) < 0); /* bind() says what is wrong, if anything is */
}

/* A bound socket at PATH.  Between bind and listen nobody can connect, so the permissions are in
 * place in time. */
static int bind_path(struct listener *listener, int fd, char *reason)
{
    struct sockaddr_un address = unix_address(listener->path);
    struct stat file;
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(listener->path, listener->options.socket_mode) < 0 ||
        lstat(listener->path, &file) < 0) {
        return fail(reason, errno == EADDRINUSE ? STATUS_BUSY : STATUS_INTERNAL, "unix:%s: %s",
                    listener->path, strerror(errno));
    }
    listener->device = file.st_dev;
    listener->inode = file.st_ino;
    return 0;
}

static int open_unix(struct listener *listener, const char *path, char *reason)
{
    if (path[0] == '\0' || strlen(path) >= sizeof listener->path) {
        return fail(reason, STATUS_INTERNAL, "unix:%s: a path has 1 to %zu bytes", path,
                    sizeof listener->path - 1);
    }
    memcpy(listener->path, path, strlen(path) + 1);
    IGNORE(snprintf(listener->address, sizeof listener->address, "unix:%s", path) < 0); /* fits */
    INVARIANT(uv_pipe_init(listener->options.loop, &listener->pipe, 0) == 0);
    make_directory(path);
    int rc = clear_path(path, reason);
    if (rc < 0) {
        return rc;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail(reason, STATUS_INTERNAL, "unix:%s: %s", path, strerror(errno));
    }
    rc = bind_path(listener, fd, reason);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    INVARIANT(uv_pipe_open(&listener->pipe, fd) == 0);
    return start(listener, reason);
}

/* --- TCP -------------------------------------------------------------------------------------- */

/* Split "HOST:PORT", with brackets around an IPv6 address, and make an address of it. */
static int parse_tcp(const char *text, struct sockaddr_storage *ret)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return -1;
    }
    bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';
    const char *from = text + brackets;
    size_t length = (size_t)(colon - from) - brackets;
    size_t digits = strspn(colon + 1, "0123456789"); /* strtol() alone takes blanks and signs */
    long port = strtol(colon + 1, NULL, 10);
    if (length == 0 || length >= sizeof host || digits == 0 || colon[1 + digits] != '\0' ||
        port > 65535) {
        return -1;
    }
    memcpy(host, from, length);
    host[length] = '\0';
    const char *ip = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (brackets) {
        return uv_ip6_addr(ip, (int)port, (struct sockaddr_in6 *)(void *)ret);
    }
    return uv_ip4_addr(ip, (int)port, (struct sockaddr_in *)(void *)ret);
}

/* The address as it is now bound, with its port. */
static void name_tcp(struct listener *listener)
{
    struct sockaddr_storage bound;
    int bytes = sizeof bound;
    char host[64] = "?";
    bool v6 = false;
    int port = 0;
    if (uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&bound, &bytes) == 0) {
        IGNORE(uv_ip_name((struct sockaddr *)&bound, host, sizeof host)); /* then "?" */
        v6 = bound.ss_family == AF_INET6;
        port = v6 ? ntohs(((struct sockaddr_in6 *)(void *)&bound)->sin6_port)
                  : ntohs(((struct sockaddr_in *)(void *)&bound)->sin_port);
    }
    IGNORE(snprintf(listener->address, sizeof listener->address, "tcp:%s%s%s:%d", v6 ? "[" : "",
                    host, v6 ? "]" : "", port) < 0); /* fits */
}

static int open_tcp(struct listener *listener, const char *text, char *reason)
{
    struct sockaddr_storage address = {0};
    IGNORE(snprintf(listener->address, sizeof listener->address, "tcp:%s", text) < 0);
    INVARIANT(uv_tcp_init(listener->options.loop, &listener->tcp) == 0);
    if (parse_tcp(text, &address) != 0) {
        return fail(reason, STATUS_INTERNAL, "tcp:%s: not HOST:PORT with an address", text);
    }
    int rc = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&address, 0);
    if (rc < 0) {
        return fail(reason, STATUS_INTERNAL, "tcp:%s: %s", text, uv_strerror(rc));
    }
    rc = start(listener, reason);
    if (rc == 0) {
        name_tcp(listener);
    }
    return rc;
}

/* --- what somebody else has made -------------------------------------------------------------- */

/* The path that FD is bound to, as the log says it. */
static void name_unix(struct listener *listener, int fd)
{
    struct sockaddr_un bound = {0};
    socklen_t bytes = sizeof bound;
    IGNORE(getsockname(fd, (struct sockaddr *)&bound, &bytes) < 0); /* then "" */
    bool abstract = bound.sun_path[0] == '\0';
    IGNORE(snprintf(listener->address, sizeof listener->address, "unix:%s%.*s", abstract ? "@" : "",
                    (int)sizeof bound.sun_path - abstract,
                    bound.sun_path + abstract) < 0); /* fits */
}

static int open_handed_over(struct listener *listener, int fd, char *reason)
{
    int domain = 0;
    socklen_t bytes = sizeof domain;
    IGNORE(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) < 0); /* then it is no Unix one */
    int rc;
    if (domain == AF_UNIX) {
        INVARIANT(uv_pipe_init(listener->options.loop, &listener->pipe, 0) == 0);
        rc = uv_pipe_open(&listener->pipe, fd);
        name_unix(listener, fd);
    } else {
        INVARIANT(uv_tcp_init(listener->options.loop, &listener->tcp) == 0);
        rc = uv_tcp_open(&listener->tcp, fd);
        name_tcp(listener);
    }
    if (rc < 0) {
        IGNORE(close(fd)); /* nothing was written to lose */
        return fail(reason, STATUS_INTERNAL, "descriptor %d: %s", fd, uv_strerror(rc));
    }
    return start(listener, reason);
}

/* --- both ------------------------------------------------------------------------------------- */

static void closed_cb(uv_handle_t *handle)
{
    free(handle->data);
}

/* What came of RC: LISTENER for *RET, or nothing of it. */
static int finish(struct listener *listener, int rc, struct listener **ret)
{
    if (rc == 0) {
        *ret = listener;
    } else if (listener->handle.type != UV_UNKNOWN_HANDLE) {
        listener->handle.data = listener;
        listener_close(listener);
    } else {
        free(listener);
    }
    return rc;
}

int listener_adopt(int fd, const struct listener_options *options, struct listener **ret_listener,
                   char *reason)
{
    struct listener *listener = calloc(1, sizeof *listener);
    INVARIANT(listener != NULL);
    listener->options = *options;
    return finish(listener, open_handed_over(listener, fd, reason), ret_listener);
}

int listener_open(const char *address, const struct listener_options *options,
                  struct listener **ret_listener, char *reason)
{
    struct listener *listener = calloc(1, sizeof *listener);
    INVARIANT(listener != NULL);
    listener->options = *options;
    int rc;
    if (strncmp(address, "unix:", 5) == 0) {
        rc = open_unix(listener, address + 5, reason);
    } else if (strncmp(address, "tcp:", 4) == 0) {
        rc = open_tcp(listener, address + 4, reason);
    } else {
        free(listener);
        return fail(reason, STATUS_INTERNAL, "'%s' is neither unix:PATH nor tcp:HOST:PORT",
                    address);
    }
    return finish(listener, rc, ret_listener);
}

bool listener_is_unix(const struct listener *listener)
{
    return listener->handle.type == UV_NAMED_PIPE;
}

bool listener_is_local(const struct listener *listener)
{
    struct sockaddr_storage bound;
    int bytes = sizeof bound;
    if (listener_is_unix(listener)) {
        return true;
    }
    if (uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&bound, &bytes) != 0) {
        return false; /* not known to be */
    }
    if (bound.ss_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)(void *)&bound)->sin6_addr);
    }
    return ntohl(((struct sockaddr_in *)(void *)&bound)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

const char *listener_address(const struct listener *listener)
{
    return strchr(listener->address, ':') + 1; /* behind "unix:" or "tcp:" */
}

void listener_close(struct listener *listener)
{
    struct stat file;
    if (listener->inode != 0 && lstat(listener->path, &file) == 0 &&
        file.st_dev == listener->device && file.st_ino == listener->inode) {
        IGNORE(unlink(listener->path) < 0); /* a later daemon replaces it */
    }
    uv_close(&listener->handle, closed_cb);
}
