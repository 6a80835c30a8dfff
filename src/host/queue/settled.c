/* SPDX-License-Identifier: Apache-2.0 */
/* What has become of a message, counted and, if somebody should know, said. */
#include "host/engine/log.h"
#include "host/queue/internal.h"

void iswi_settled_tell(iswi_consumer *consumer, const iswi_settlement *settlement)
{
    const iswi_delivery *message = settlement->delivery;

    iswi_counts_settled(&consumer->counts, settlement);
    if (iswi_counts_is_completed(settlement) && consumer->kind->completed)
        consumer->kind->completed(consumer->user, consumer->entry, message);
    if (settlement->died)
        iswi_say(consumer->host, ISW_LOG_WARNING,
                 "message %.*s of queue %s is dead after %u attempts: %.*s",
                 (int)message->id.size, message->id.data, consumer->queue, message->attempt,
                 (int)settlement->cause.size, settlement->cause.size ? settlement->cause.data : "");
    else if (settlement->lost)
        iswi_say(consumer->host, ISW_LOG_WARNING,
                 "message %.*s of queue %s was another's by the time that function %s was done with "
                 "it; it runs again", (int)message->id.size, message->id.data, consumer->queue,
                 consumer->entry->name);
}
