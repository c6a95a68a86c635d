/* Stored records changed behind the daemon's back: one byte of the data file's journal is flipped,
 * as a bad disk does it, or somebody who knows the format and makes the checksum right again.
 *
 * Only while no daemon has the directory.  Main thread; what goes wrong fails the test. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tamper {
    const char *data_dir;
    uint64_t seq;     /* of the record */
    const char *text; /* that it holds, once */
    int at;           /* which byte is flipped, from behind that text on: -1 is its last */
    uint8_t mask;     /* the bits of it */
    bool seal;        /* make the block's checksum right again */
};

void tamper_record(const struct tamper *tamper);
