#include "billingd/net/caller.h"

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/rpc/dispatch.h"
#include "billingd/rpc/keyring.h"

const char caller_too_many[] =
    "who asks has as many connections as connections_per_identity_max allows";

static bool door_needs_key(const struct caller *caller)
{
    return caller->needs_key != NULL && *caller->needs_key;
}

/* Who may do nothing as whom the kernel knows needs one, too. */
static bool needs_key(const struct caller *caller)
{
    return door_needs_key(caller) || caller->who.role == ROLE_NONE;
}

static void identify(struct caller *caller, int fd, const struct peer_rules *rules)
{
    caller->who = (struct identity){
        .name = SLICE("anonymous"),
        .role = door_needs_key(caller) ? ROLE_NONE : ROLE_WRITER,
    };
    if (fd >= 0) {
        peer_identify(fd, rules, caller->who_text, &caller->who);
    }
}

static struct asker *asker_called(const struct caller *caller, struct slice name)
{
    return askers_find(&caller->dispatch->askers, name, clock_monotonic_us());
}

/* Count what it has for the newcomers, who are no identity. */
static void count_for_nobody(struct caller *caller)
{
    size_t bytes = caller->account.bytes;
    account_close(&caller->account);
    account_open(&caller->account, &caller->dispatch->memory,
                 asker_called(caller, SLICE("nobody")));
    account_count(&caller->account, bytes);
}

static void become_newcomer(struct caller *caller)
{
    count_for_nobody(caller);
    newcomers_enter(caller->newcomers, &caller->newcomer, clock_monotonic_us());
}

int caller_enter(struct caller *caller, struct dispatch *dispatch,
                 const struct admission *admission, int fd, const struct peer_rules *rules,
                 size_t connections_max)
{
    caller->dispatch = dispatch;
    caller->needs_key = admission->needs_key;
    caller->newcomers = admission->newcomers;
    identify(caller, fd, rules);
    if (!admission->has_room) {
        count_for_nobody(caller);
        return 0;
    }
    if (needs_key(caller)) {
        newcomers_make_way(caller->newcomers);
        become_newcomer(caller);
        return 0;
    }
    struct asker *asker = asker_called(caller, caller->who.name);
    account_open(&caller->account, &dispatch->memory, asker);
    return account_connect(&caller->account, asker, connections_max);
}

void caller_apply_rules(struct caller *caller, int fd, const struct peer_rules *rules,
                        size_t connections_max)
{
    bool is_newcomer = caller->newcomer.among != NULL;
    identify(caller, fd, rules);
    if (needs_key(caller) && !is_newcomer && caller->key == 0) {
        become_newcomer(caller);
    } else if (!needs_key(caller) && is_newcomer) {
        newcomers_leave(&caller->newcomer);
        IGNORE(
            account_connect(&caller->account, asker_called(caller, caller->who.name),
                            connections_max)); /* where there are too many: at its next request */
    }
}

int caller_settle(struct caller *caller, const struct request *request, size_t connections_max)
{
    bool has_key = request->who.key != 0;
    if (!has_key && needs_key(caller)) {
        return 0;
    }
    newcomers_leave(&caller->newcomer);
    caller->key = request->who.key;
    return account_connect(&caller->account, request->account.asker, connections_max);
}

void caller_check_key(struct caller *caller, size_t connections_max)
{
    const struct keyring *keyring = caller->dispatch->options.keyring;
    if (caller->key == 0 || keyring_counts(keyring, caller->key, clock_wall_us())) {
        return;
    }
    caller->key = 0;
    if (needs_key(caller)) {
        become_newcomer(caller);
    } else {
        IGNORE(account_connect(&caller->account, asker_called(caller, caller->who.name),
                               connections_max)); /* as in caller_apply_rules() */
    }
}

bool caller_may_hold(struct caller *caller)
{
    const struct newcomer *newcomer = &caller->newcomer;
    while (newcomer->among != NULL && newcomer->among->oldest != newcomer &&
           account_has_its_share(&caller->account)) {
        IGNORE(newcomers_turn_away(newcomer->among)); /* there is one */
    }
    return !account_is_full(&caller->account);
}

bool caller_is_late(const struct caller *caller, int64_t timeout_ms, int64_t now_us)
{
    return caller->newcomer.among != NULL && timeout_ms != 0 &&
           now_us - caller->newcomer.since_us > timeout_ms * 1000;
}

void caller_leave(struct caller *caller)
{
    newcomers_leave(&caller->newcomer);
    account_close(&caller->account);
}
