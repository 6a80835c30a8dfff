/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming: several claims of one queue are one statement, and get what it brings in their
 * order. */
#include "broker/postgresql/internal.h"

static iswi_delivery *read_claimed(iswi_pg *pg, const PGresult *result, int row, int64_t token)
{
    iswi_delivery *delivery = iswi_pg_read_message(pg, result, row);
    iswi_pg_claim *claim = delivery ? iswi_arena_alloc(&delivery->arena, sizeof *claim) : NULL;

    if (!claim) {
        iswi_delivery_free(delivery);
        return NULL;
    }
    *claim = (iswi_pg_claim){ (int64_t)delivery->number, token };
    delivery->handle = claim;
    return delivery;
}

static void answer(iswi_broker_op *op, const PGresult *result, bool known)
{
    (void)result;
    if (!known)
        isw_error_set(&op->error, ISW_E_NOT_FOUND, "no queue %.*s was declared",
                      (int)op->queue.size, op->queue.data);
    else if (op->as.claim.count == 0)
        op->error.status = ISW_E_BUSY;
}

/* For want of memory some would be claimed by nobody: the session ends, and gives back what came
 * since. */
static void take_claimed(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    const int rows = pg->pq.ntuples(result);
    const bool known = rows > 0;
    int row = 0;

    for (size_t i = 0; i < count; i++) {
        iswi_broker_op *op = ops[i];

        op->as.claim.count = 0;
        while (row < rows && op->as.claim.count < op->as.claim.max &&
               !iswi_pg_is_null(pg, result, row, 0)) {
            iswi_delivery *one = read_claimed(pg, result, row++, pg->token);

            if (one)
                op->as.claim.items[op->as.claim.count++] = one;
            else
                pg->spilled = true;
        }
        answer(op, result, known);
    }
}

bool iswi_pg_claim_some(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    int64_t most = 0;

    for (size_t i = 0; i < count; i++)
        most += (int64_t)ops[i]->as.claim.max;
    if (most > ISWI_BROKER_ITEMS_MAX)
        most = ISWI_BROKER_ITEMS_MAX;
    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, ops[0]->queue);
    iswi_pg_add_int(pg, most);
    iswi_pg_add_int(pg, pg->token);
    iswi_pg_add_int(pg, pg->now_ms);
    return iswi_pg_send(pg, ISWI_PG_CLAIM, take_claimed, ops, count);
}
