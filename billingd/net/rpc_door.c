#include "billingd/net/rpc_door.h"

#include "billingd/net/rpc_connection.h"
#include "billingd/rpc/dispatch.h"

void rpc_door_init(struct rpc_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                   const struct rpc_options *options)
{
    *door = (struct rpc_door){.options = *options};
    connections_init(&door->connections, loop, dispatch, &rpc_protocol, &options->common);
}

void rpc_door_adjust(struct rpc_door *door, const struct rpc_options *options)
{
    door->options = *options;
    door->connections.options = options->common;
}

void rpc_door_turn(struct rpc_door *door)
{
    struct connections *all = &door->connections;
    connections_flush(all);
    door->turn++;
    door->turn_requests = company_turn(&all->dispatch->company, (int64_t)uv_now(all->loop) * 1000);
    connections_turn(all);
    connections_flush(all); /* what was answered at once: the loop may sleep now */
}
