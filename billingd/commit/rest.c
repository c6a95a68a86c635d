#include "billingd/commit/rest.h"

enum {
    TOOK_US_MAX = 100 * 1000, /* what a group took is a measure, but not one that hung */
    REST = 3,                 /* times what it took */
};

void rest_begin(struct rest *rest, int64_t took_us, int64_t now_us)
{
    int64_t us = took_us < TOOK_US_MAX ? took_us : TOOK_US_MAX;
    rest->until_us = now_us + REST * us;
    rest->patience_us = us;
}

void rest_note_little(struct rest *rest, int64_t now_us)
{
    rest->little_us = now_us;
}

int64_t rest_wait_us(const struct rest *rest, int64_t now_us)
{
    int64_t gone_us = rest->little_us + rest->patience_us;
    int64_t until_us = rest->until_us < gone_us ? rest->until_us : gone_us;
    return rest->little_us != 0 && now_us < until_us ? until_us - now_us : 0;
}
