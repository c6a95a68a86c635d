#include "billingd/rpc/account.h"

void account_open(struct account *account, struct memory_use *memory, struct asker *asker)
{
    *account = (struct account){.memory = memory, .asker = asker};
    asker->holders++;
}

void account_close(struct account *account)
{
    if (account->asker == NULL) {
        return;
    }
    account_count(account, 0);
    account->asker->connections -= account->connected;
    account->asker->holders--;
    *account = (struct account){0};
}

int account_connect(struct account *account, struct asker *asker, size_t connections_max)
{
    if (account->connected && account->asker == asker) {
        return 0;
    }
    size_t bytes = account->bytes;
    struct memory_use *memory = account->memory;
    account_close(account);
    account_open(account, memory, asker);
    account_count(account, bytes);
    account->connected = connections_max == 0 || asker->connections < connections_max;
    asker->connections += account->connected;
    return account->connected ? 0 : STATUS_RATE_LIMITED;
}

/* Nothing else hangs on these numbers, so no order is asked for. */
static void add(atomic_size_t *total, size_t bytes)
{
    atomic_fetch_add_explicit(total, bytes, memory_order_relaxed);
}

static size_t read_total(const atomic_size_t *total)
{
    return atomic_load_explicit(total, memory_order_relaxed);
}

void account_count(struct account *account, size_t bytes)
{
    size_t more = bytes - account->bytes; /* or less: it wraps, and so does the sum */
    if (more != 0) {
        add(&account->memory->bytes, more);
        add(&account->asker->bytes, more);
        account->bytes = bytes;
    }
}

bool account_has_its_share(const struct account *account)
{
    size_t bytes_max = read_total(&account->memory->bytes_max);
    return bytes_max != 0 && read_total(&account->asker->bytes) > bytes_max / 2;
}

bool account_is_full(const struct account *account)
{
    size_t bytes_max = read_total(&account->memory->bytes_max);
    return bytes_max != 0 &&
           (read_total(&account->memory->bytes) > bytes_max || account_has_its_share(account));
}
