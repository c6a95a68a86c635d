#include "proto/status.h"

#include <stddef.h>
#include <string.h>

static const struct status_info table[] = {
#define STATUS_TABLE_ROW(name, number, code, http, retryable, title)                               \
    {number, code, http, retryable, title},
    STATUS_MAP(STATUS_TABLE_ROW)
#undef STATUS_TABLE_ROW
};

const struct status_info *status_info(int status)
{
    const struct status_info *internal = NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status) {
            return &table[i];
        }
        if (table[i].status == STATUS_INTERNAL) {
            internal = &table[i];
        }
    }
    return internal;
}

int status_from_code(const char *code, unsigned long length)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strlen(table[i].name) == length && memcmp(table[i].name, code, length) == 0) {
            return table[i].status;
        }
    }
    return 0;
}
