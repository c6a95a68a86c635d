/* Random bytes of the kernel's.  Any thread. */
#pragma once

#include <stddef.h>

/* Fill BYTES bytes at BUFFER. */
void random_bytes(void *buffer, size_t bytes);
