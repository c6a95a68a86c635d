#include "libbilling/src/message.h"

#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

void message_refer(protobuf_c_boolean *has, ProtobufCBinaryData *field, const char *text)
{
    *has = text != NULL;
    field->len = text == NULL ? 0 : strlen(text);
    field->data = (uint8_t *)(uintptr_t)text; /* the type knows no const */
}

int message_copy(protobuf_c_boolean *has, ProtobufCBinaryData *field, const char *text)
{
    *has = 0;
    if (text == NULL) {
        return 0;
    }
    size_t length = strlen(text);
    uint8_t *data = realloc(field->data, length + 1);
    if (data == NULL) {
        return BILLING_E_NO_MEMORY;
    }
    memcpy(data, text, length + 1);
    *field = (ProtobufCBinaryData){.data = data, .len = length};
    *has = 1;
    return 0;
}
