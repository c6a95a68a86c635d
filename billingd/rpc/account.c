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

void account_count(struct account *account, size_t bytes)
{
    account->memory->bytes += bytes - account->bytes;
    account->asker->bytes += bytes - account->bytes;
    account->bytes = bytes;
}

bool account_is_full(const struct account *account)
{
    const struct memory_use *memory = account->memory;
    return memory->bytes_max != 0 &&
           (memory->bytes > memory->bytes_max || account->asker->bytes > memory->bytes_max / 2);
}
