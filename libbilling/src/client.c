#include "libbilling/src/client.h"

#include <stdlib.h>
#include <string.h>

#include "libbilling/src/token.h"

/* --- connections ------------------------------------------------------------------------------ */

/* An idle connection that can be used, or NULL.  Those that cannot are closed. */
static struct connection *take_idle(billing_client *client)
{
    for (int i = 0; i < IDLE_CONNECTIONS_MAX; i++) {
        struct connection *connection = atomic_load(&client->idle[i]);
        if (connection != NULL) { /* a look is cheaper than taking what is not there */
            connection = atomic_exchange(&client->idle[i], NULL);
        }
        if (connection != NULL && connection_is_usable(connection)) {
            return connection;
        }
        connection_close(connection);
    }
    return NULL;
}

/* A new connection, which has the token of the client's file as it is now. */
static struct connection *open_new(const billing_client *client, int64_t deadline_us,
                                   struct failure *reterr)
{
    const struct billing_options *options = &client->options;
    char *token = NULL;
    if (options->token_file != NULL) {
        token = token_read(options->token_file, reterr);
        if (token == NULL) {
            return NULL;
        }
    }
    struct connection *connection =
        connection_open(&client->places, options->frame_bytes_max, deadline_us, reterr);
    if (connection == NULL) {
        token_free(token);
        return NULL;
    }
    connection_set_token(connection, token);
    options_log(options, BILLING_LOG_DEBUG, "new connection");
    return connection;
}

struct connection *client_connect(billing_client *client, int64_t deadline_us, bool *ret_kept,
                                  struct failure *reterr)
{
    struct connection *connection = take_idle(client);
    *ret_kept = connection != NULL;
    return connection != NULL ? connection : open_new(client, deadline_us, reterr);
}

const char *client_token(const billing_client *client, const struct connection *connection)
{
    const char *own = connection_token(connection);
    return own != NULL ? own : client->options.token;
}

void client_keep(billing_client *client, struct connection *connection)
{
    for (int i = 0; connection_rest(connection) && i < IDLE_CONNECTIONS_MAX; i++) {
        struct connection *empty = NULL;
        if (atomic_compare_exchange_strong(&client->idle[i], &empty, connection)) {
            return;
        }
    }
    connection_close(connection);
}

void client_drop_kept(billing_client *client)
{
    for (int i = 0; i < IDLE_CONNECTIONS_MAX; i++) {
        connection_close(atomic_exchange(&client->idle[i], NULL));
    }
}

uint64_t client_next_call_id(billing_client *client)
{
    return atomic_fetch_add(&client->calls, 1) + 1;
}

bool client_make_request_id(const billing_client *client, char *buffer)
{
    const struct billing_options *options = &client->options;
    if (options->make_request_id == NULL) {
        return billing_request_id_new(buffer, BILLING_REQUEST_ID_BYTES_MAX + 1) == 0;
    }
    if (options->make_request_id(buffer, options->make_request_id_arg) != 0) {
        return false;
    }
    return strnlen(buffer, BILLING_REQUEST_ID_BYTES_MAX + 1) <= BILLING_REQUEST_ID_BYTES_MAX;
}

/* --- public ----------------------------------------------------------------------------------- */

static int find_places(billing_client *client)
{
    if (client->options.url == NULL) {
        places_default(&client->places);
        return 0;
    }
    client->places.count = 1;
    return place_parse(client->options.url, &client->places.list[0]);
}

static int client_new(const billing_options *options, bool is_shared, billing_client **ret)
{
    struct billing_options defaults;
    options_init(&defaults);
    billing_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return BILLING_E_NO_MEMORY;
    }
    client->is_shared = is_shared;
    int status = options_copy(options == NULL ? &defaults : options, &client->options);
    if (status == 0) {
        status = find_places(client);
    }
    if (status != 0) {
        options_done(&client->options);
        free(client);
        return status;
    }
    *ret = client;
    return 0;
}

static void client_free(billing_client *client)
{
    client_drop_kept(client);
    options_done(&client->options);
    free(client);
}

int billing_client_new(const billing_options *options, billing_client **ret_client)
{
    if (ret_client == NULL) {
        return BILLING_E_ARGUMENT;
    }
    *ret_client = NULL;
    return client_new(options, false, ret_client);
}

void billing_client_free(billing_client *client)
{
    if (client != NULL && !client->is_shared) {
        client_free(client);
    }
}

const char *billing_client_url(const billing_client *client)
{
    return client == NULL ? NULL : client->places.list[0].url;
}

/* --- the shared client ------------------------------------------------------------------------ */

/* Set once.  Whoever comes first wins; others free theirs.  No lock, so nothing to fork over. */
static billing_client *_Atomic shared;

/* Returns 0, BILLING_E_STATE if there is one, or as client_new(). */
static int share(const billing_options *options)
{
    billing_client *client = NULL;
    billing_client *none = NULL;
    if (atomic_load(&shared) != NULL) {
        return BILLING_E_STATE;
    }
    int status = client_new(options, true, &client);
    if (status == 0 && !atomic_compare_exchange_strong(&shared, &none, client)) {
        client_free(client);
        status = BILLING_E_STATE;
    }
    return status;
}

int billing_client_shared_configure(const billing_options *options)
{
    return share(options);
}

/* What comes of it is in shared. */
static void share_from_environment(void)
{
    struct billing_options options;
    options_init(&options);
    if (billing_options_from_environment(&options, NULL) == 0) {
        IGNORE(share(&options));
    }
    options_done(&options);
}

billing_client *billing_client_shared(void)
{
    if (atomic_load(&shared) == NULL) {
        share_from_environment();
    }
    return atomic_load(&shared);
}
