/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_BROKER_SUPPORT_H
#define ISW_TESTS_BROKER_SUPPORT_H

/*
 * The suite of brokers: messages, queues, hosts, shared, load and model hold for every place. They take it
 * from ISW_BROKER_PLACE, such as "nats://127.0.0.1:4222", whose server runs already, and else make
 * a file of SQLite's. What a place says that it cannot is skipped there. Queues have names of their
 * own in each test, as a server keeps what earlier ones left.
 */
#include "support/main.h"

#include "broker/driver.h"

#include <semaphore.h>

typedef struct fixture {
    char folder[64]; /* a new one */
    const char *place;
    iswi_broker *broker;
    char name[64]; /* of the queue */
    isw_str queue;
    char said[1024]; /* the last line of the broker */
} fixture;

/* For cmocka_unit_test_setup_teardown: *state is a fixture, with its broker and a queue declared
 * that keeps to nothing. */
int fixture_begin(void **state);
int fixture_end(void **state);

/* Another broker on the same place, or the same one again. */
iswi_broker *broker_open(fixture *is);
void broker_reopen(fixture *is);

/* Skip the test unless the place can all of these. */
void needs(const fixture *is, unsigned abilities);

isw_status declare(fixture *is, iswi_queue_options options);

/* -- Operations, each done when it returns ----------------------------------------------------- */

isw_status put(fixture *is, iswi_queue_put put);         /* `queue` is the fixture's if empty */
isw_status put_text(fixture *is, const char *text);
isw_status put_many(fixture *is, iswi_queue_put *items, size_t count, size_t *duplicates);

/* Waits until there is one. */
iswi_delivery *claim(fixture *is);
size_t claim_many(fixture *is, iswi_delivery **items, size_t max);

/* How many there are now, which are claimed; none is waited for. */
size_t claim_now(fixture *is, iswi_delivery **items, size_t max);
void assert_nothing_is_ready(fixture *is);

/* Settles, and frees the delivery. */
iswi_settlement settle(fixture *is, iswi_delivery *delivery, iswi_verdict verdict,
                       int64_t delay_ms, const char *cause);
void complete(fixture *is, iswi_delivery *delivery);

iswi_broker_queue look(fixture *is);
size_t list(fixture *is, iswi_message_filter filter, iswi_delivery **items, size_t max);
isw_status sweep(fixture *is, iswi_broker_kind kind, iswi_message_filter filter, size_t max,
                 size_t *count);
iswi_message_filter only(iswi_message_state state);

/* -- Operations, handed over ------------------------------------------------------------------- */

/* One that tells by a semaphore that it is done. */
typedef struct handed {
    iswi_broker_op op;
    iswi_delivery *items[16];
    sem_t done;
} handed;

void hand_claim(fixture *is, handed *one, size_t max);
void hand_put(fixture *is, handed *one, const iswi_queue_put *item); /* with its queue */
void hand_wait(handed *one); /* and forget the semaphore */

/* Nothing wakes the thread of this process's one broker for a while, once it has come to rest. */
void assert_broker_sleeps(void);

isw_str text(const char *text);
void assert_text(isw_str is, const char *expected);
void assert_body(const iswi_delivery *delivery, const char *expected);

#endif
