#include "tests/model/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 64 * 1024,
};

struct memory_block {
    struct memory_block *next;
    size_t used;
    size_t bytes;
    max_align_t data[];
};

void *memory_alloc(struct memory *memory, size_t bytes)
{
    struct memory_block *block = memory->blocks;
    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (block == NULL || block->bytes - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = malloc(sizeof *block + room);
        if (block == NULL) {
            abort();
        }
        *block = (struct memory_block){.next = memory->blocks, .bytes = room};
        memory->blocks = block;
    }
    void *space = (char *)block->data + block->used;
    block->used += bytes;
    return memset(space, 0, bytes);
}

const char *memory_format(struct memory *memory, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        abort();
    }
    char *text = memory_alloc(memory, (size_t)length + 1);
    va_start(arguments, format);
    int again = vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    if (again != length) {
        abort();
    }
    return text;
}

void *memory_grow(struct memory *memory, void *list, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) { /* room for the next power of two is there */
        return list;
    }
    void *larger = memory_alloc(memory, (n == 0 ? 1 : 2 * n) * size);
    return n == 0 ? larger : memcpy(larger, list, n * size);
}

void memory_done(struct memory *memory)
{
    while (memory->blocks != NULL) {
        struct memory_block *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
}
