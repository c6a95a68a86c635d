/* What takes reports of errors on loopback, as a thread of the test: it keeps what came, answers as
 * it is told to, and judges strictly what an envelope is.
 *
 * Main thread; what fails here fails the test. */
#pragma once

#include <json-c/json.h>

struct sentry;

/* Start one that answers with ANSWER, the head of a response without its last empty line ("HTTP/1.1
 * 200 OK\r\n"), or, with NULL, never. */
struct sentry *sentry_start(const char *answer);

/* Stop and free it. */
void sentry_stop(struct sentry *sentry);

/* Its DSN, with the key "abc123" and the project 7.  The kit's. */
const char *sentry_dsn(const struct sentry *sentry);

/* Wait until N requests came whole; fail the test after a minute. */
void sentry_wait(struct sentry *sentry, unsigned n);

/* How many came so far. */
unsigned sentry_count(struct sentry *sentry);

/* Request I, head and body, as it came.  The kit's. */
const char *sentry_request(struct sentry *sentry, unsigned i);

/* The event of request I, whose head and envelope are as they should be, or the test fails.
 * json_object_put() it. */
json_object *sentry_event(struct sentry *sentry, unsigned i);

/* The text at PATH, "a.b", of EVENT; fails the test where there is none. */
const char *sentry_text(json_object *event, const char *path);
