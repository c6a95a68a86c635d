#include "tests/lib/heap.h"

#include <stddef.h>
#include <stdlib.h>

static _Thread_local struct {
    bool counts;
    long until_failure; /* this many more succeed, then one fails; below 0: none does */
    bool failed;
    long blocks; /* taken and not given back */
} heap;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
/* NOLINTEND(bugprone-reserved-identifier) */

static bool is_to_fail(void)
{
    if (!heap.counts || heap.until_failure-- != 0) {
        return false;
    }
    heap.failed = true;
    return true;
}

static void *taken(void *block)
{
    heap.blocks += heap.counts && block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return is_to_fail() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_to_fail() ? NULL : taken(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (is_to_fail()) {
        return NULL;
    }
    return block == NULL ? taken(__real_malloc(size)) : __real_realloc(block, size);
}

void __wrap_free(void *block)
{
    heap.blocks -= heap.counts && block != NULL;
    __real_free(block);
}

void heap_begin(long n)
{
    heap.blocks = 0;
    heap.failed = false;
    heap.until_failure = n;
    heap.counts = true;
}

long heap_end(void)
{
    heap.counts = false;
    return heap.blocks;
}

void heap_heal(void)
{
    heap.until_failure = -1;
}

bool heap_failed(void)
{
    return heap.failed;
}
