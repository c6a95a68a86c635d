/* What the tests of the doors share: the daemon that each runs, clients, calls by their number,
 * keys, and codes of problems.  Main thread. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

/* The test's own, from kit_start() to kit_stop(). */
extern struct daemon_process *billingd;

/* Start it with ARGS, NULL-terminated; or NULL. */
void kit_start(const char *const *args);

/* Stop it: the teardown of each test that has started it. */
int kit_stop(void **state);

/* A client connected to ADDRESS. */
struct raw_client kit_open(const char *address);

/* The code of what CLIENT is told without having asked. */
const char *kit_told(struct raw_client *client);

/* The daemon closes CLIENT's connection, by itself. */
void kit_expect_closed(struct raw_client *client);

/* Root on the Unix socket, another identity than whoever is ill-treated on TCP, is answered. */
void kit_assert_others_are_served(void);

/* REQUEST with an empty message of CALL in it; the kit's memory. */
void kit_set_call(Billing__V1__Request *request, Billing__V1__Request__CallCase call);

/* The code of the problem that RESPONSE is, which is freed; "" where it is a result. */
const char *kit_code(Billing__V1__Response *response);

/* The code of the answer to an empty CALL, with TOKEN unless it is NULL, on CLIENT. */
const char *kit_call(struct raw_client *client, Billing__V1__Request__CallCase call,
                     const char *token);

/* The same on a connection of its own. */
const char *kit_call_once(const char *address, Billing__V1__Request__CallCase call,
                          const char *token);

/* Make a key called NAME of ROLE through ADDRESS, and return its token. */
const char *kit_make_key(const char *address, const char *name, Billing__V1__Role role);

/* Make one called "holder" through the daemon's Unix socket, and return its token; and revoke
 * it. */
const char *kit_make_holder(Billing__V1__Role role);
void kit_revoke_holder(void);
