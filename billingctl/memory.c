#include "billingctl/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "billingctl/ctl_exit.h"

void *memory_resize(void *old, size_t count, size_t size)
{
    static const char message[] = "billingctl: out of memory\n";
    void *new = reallocarray(old, count > 0 ? count : 1, size);
    if (new == NULL) {
        /* Not through stdio, which may want memory too. */
        if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
            _exit(CTL_REFUSED);
        }
        _exit(CTL_REFUSED);
    }
    return new;
}

char *memory_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memory_resize(NULL, bytes, 1);
    memcpy(copy, text, bytes);
    return copy;
}
