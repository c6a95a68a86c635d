/* The RPC door: connections that carry frames.  Loop thread only.
 *
 * Each connection reads frames, hands every one to dispatch as it is whole (clients pipeline;
 * answers go out in the order in which they are ready), and gathers the answers of a loop turn
 * into one write.
 *
 * Happy path: read; take frames; submit; answers are packed behind each other into `out`; at the
 * end of the turn one write takes them.
 * One asker has so much a turn of the loop (company_turn()), so that a turn is short and others are
 * soon heard; its other frames wait for the next turn.
 * What may go wrong, and what is done:
 *   - too much in flight, answers that the client does not take, or a full queue behind: the
 *     connection is not read from until that is over, so the client's own socket fills up;
 *   - a client that takes nothing for write_timeout: the connection is cut;
 *   - bytes that are no frame, or one that is half there for frame_timeout, or while there is no
 *     memory for it: one answer that says so, then no more is taken;
 *   - the client is gone while its requests are with a worker: they are carried out, the answers
 *     dropped, and the connection freed when the last has come back. */
#pragma once

#include "billingd/net/rpc_door.h"

/* Of connections of a struct rpc_door. */
extern const struct connection_protocol rpc_protocol;
