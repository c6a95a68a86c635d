#include "libbilling/src/key_input.h"

#include <stdlib.h>

#include "libbilling/src/message.h"
#include "proto/timestamp.h"

/* The numbers of ours are those of the wire. */
_Static_assert((int)BILLING_ROLE_READER == (int)BILLING__V1__ROLE__READER &&
                   (int)BILLING_ROLE_WRITER == (int)BILLING__V1__ROLE__WRITER &&
                   (int)BILLING_ROLE_ADMIN == (int)BILLING__V1__ROLE__ADMIN,
               "a role");

billing_key_input *billing_key_input_new(void)
{
    billing_key_input *input = calloc(1, sizeof *input);
    if (input != NULL) {
        billing__v1__create_key__init(&input->message);
    }
    return input;
}

void billing_key_input_free(billing_key_input *input)
{
    if (input != NULL) {
        for (size_t i = 0; i < input->message.n_services; i++) {
            free(input->message.services[i].data);
        }
        free(input->message.services);
        free(input->message.name.data);
        free(input);
    }
}

int billing_key_input_set_name(billing_key_input *input, const char *name)
{
    if (input == NULL) {
        return BILLING_E_ARGUMENT;
    }
    int status = message_copy(&input->message.has_name, &input->message.name, name);
    input->failed |= status != 0;
    return status;
}

int billing_key_input_set_role(billing_key_input *input, billing_role role)
{
    if (input == NULL || role < BILLING_ROLE_READER || role > BILLING_ROLE_ADMIN) {
        return BILLING_E_ARGUMENT;
    }
    input->message.has_role = 1;
    input->message.role = (Billing__V1__Role)role;
    return 0;
}

/* Room for one more service.  NULL: out of memory. */
static ProtobufCBinaryData *add_room(Billing__V1__CreateKey *message)
{
    ProtobufCBinaryData *services =
        realloc(message->services, (message->n_services + 1) * sizeof *services);
    if (services == NULL) {
        return NULL;
    }
    message->services = services;
    services[message->n_services] = (ProtobufCBinaryData){0};
    return &services[message->n_services];
}

int billing_key_input_add_service(billing_key_input *input, const char *service)
{
    protobuf_c_boolean ignored;
    if (input == NULL || service == NULL) {
        return BILLING_E_ARGUMENT;
    }
    if (input->message.n_services == BILLING_KEY_SERVICES_MAX) {
        return BILLING_E_FULL;
    }
    ProtobufCBinaryData *room = add_room(&input->message);
    if (room == NULL || message_copy(&ignored, room, service) != 0) {
        input->failed = true;
        return BILLING_E_NO_MEMORY;
    }
    input->message.n_services++;
    return 0;
}

int billing_key_input_set_expires_us(billing_key_input *input, int64_t expires_at_us)
{
    if (input == NULL) {
        return BILLING_E_ARGUMENT;
    }
    if (expires_at_us < 0 || expires_at_us > TIMESTAMP_MAX) {
        return BILLING_E_RANGE;
    }
    input->message.has_expires_at = 1;
    input->message.expires_at = expires_at_us;
    return 0;
}
