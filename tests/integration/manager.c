#include "tests/integration/manager.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

struct manager manager_open(bool abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = testkit_format("%s/n", testkit_tmpdir());
    struct manager manager = {
        .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        .env = testkit_format("NOTIFY_SOCKET=%s%s", abstract ? "@" : "", path),
    };
    memcpy(address.sun_path + abstract, path, strlen(path));
    socklen_t bytes =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract + strlen(path));
    assert_true(manager.fd >= 0);
    assert_int_equal(bind(manager.fd, (struct sockaddr *)&address, bytes), 0);
    return manager;
}

const char *manager_next(const struct manager *manager, int timeout_ms)
{
    char text[1024];
    struct pollfd readable = {.fd = manager->fd, .events = POLLIN};
    if (poll(&readable, 1, timeout_ms) != 1) {
        return NULL;
    }
    ssize_t got = recv(manager->fd, text, sizeof text, 0);
    assert_true(got >= 0);
    return testkit_format("%.*s", (int)got, text);
}

const char *manager_await(const struct manager *manager, const char *part)
{
    const char *message;
    do {
        message = manager_next(manager, SOCK_PATIENCE_MS);
        if (message == NULL) {
            testkit_fail("nobody says '%s'", part);
        }
    } while (strstr(message, part) == NULL);
    return message;
}

void manager_end(struct manager *manager, struct daemon_process *daemon)
{
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    close(manager->fd);
}
