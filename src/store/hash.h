/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_HASH_H
#define ISWI_STORE_HASH_H

#include <isoworker/sys/store.h>

/* 128 bits that stand for `key` under `secret`, never both 0. */
void iswi_store_hash(const uint64_t secret[2], isw_store_key key, uint64_t out[2]);

#endif
