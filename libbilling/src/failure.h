/* Why a call or one of its tries has no answer: noticed by this library, not said by the daemon.
 * Filled once, where it is understood, and carried up on the stack.  Any thread. */
#pragma once

enum fault {
    FAULT_NONE,
    FAULT_CONNECT_FAILED,
    FAULT_CONNECTION_LOST,
    FAULT_TIMEOUT,
    FAULT_BAD_REPLY,
    FAULT_NO_MEMORY,
    FAULT_ARGUMENT,
    FAULT_TOO_LARGE,
    FAULT_NO_REQUEST_ID,
    FAULT_TOKEN_FILE,
};

struct failure {
    enum fault fault;
    char detail[512]; /* "" if there is nothing to add */
};

/* Fill FAILURE; the text is cut where it is too long. */
void failure_set(struct failure *failure, enum fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As failure_set(), with the text of the system's error number ERROR behind PREFIX and ": ". */
void failure_set_system(struct failure *failure, enum fault fault, const char *prefix, int error);

/* The code of FAULT, "connection_lost", and its title for people.  Static memory. */
const char *failure_code(enum fault fault);
const char *failure_title(enum fault fault);
