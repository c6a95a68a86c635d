/* Stream sockets, with deadlines for the clients of tests.
 *
 * Nothing here fails a test, so a thread of a test may call it.  Deadlines are on the clock of
 * testkit_now_ms(); no call returns before them but with a result. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    SOCK_PATIENCE_MS = 120000, /* long enough under a sanitizer on a busy machine */
};

enum sock_result {
    SOCK_OK,
    SOCK_CLOSED,  /* the peer ended the stream */
    SOCK_RESET,   /* the peer broke it off */
    SOCK_TIMEOUT, /* the deadline passed */
    SOCK_GARBAGE, /* what came is not what the protocol allows */
};

/* The name of RESULT, for messages. */
const char *sock_result_name(enum sock_result result);

/* Connect to ADDRESS: unix:PATH or tcp:HOST:PORT, the host in digits.  Returns the descriptor, or
 * -1 with errno. */
int sock_connect(const char *address);

/* Listen at ADDRESS, which has the same forms; at port 0, at one of the kernel's choosing.  Returns
 * the descriptor, or -1 with errno. */
int sock_listen(const char *address);

/* The TCP port that FD listens at; 0 where it is no TCP socket. */
unsigned sock_port(int fd);

/* Send BYTES at DATA, all of them unless something happens.  How many went is in *RET_SENT, where
 * given. */
enum sock_result sock_send(int fd, const void *data, size_t bytes, int64_t deadline_ms,
                           size_t *ret_sent);

/* Receive what is there, at least 1 and at most BYTES. */
enum sock_result sock_receive(int fd, void *space, size_t bytes, int64_t deadline_ms,
                              size_t *ret_got);

/* Send no more; what the peer sends still arrives. */
void sock_finish(int fd);

/* Receive and drop until the stream ends.  SOCK_CLOSED, SOCK_RESET or SOCK_TIMEOUT; how many bytes
 * were dropped is in *RET_DROPPED, where given. */
enum sock_result sock_wait_close(int fd, int64_t deadline_ms, size_t *ret_dropped);
