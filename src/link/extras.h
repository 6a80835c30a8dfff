/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_EXTRAS_H
#define ISWI_LINK_EXTRAS_H

/* What a faster lane may do beside the least, if both sides name it in their hellos: a set of bits,
 * and the capabilities that stand for them (PROTOCOL.md, section 11). */
#include <isoworker/value.h>

enum {
    ISWI_LINK_APART = 1, /* the long bytes of an answer may lie apart */
    ISWI_LINK_WIDE = 2,  /* what is lent lies in the wide arenas */
    ISWI_LINK_BEGUN = 4, /* a worker marks the invocations that it begins */
    ISWI_LINK_EXTRAS = 3 /* how many there are */
};

/* Those that a hello names. */
unsigned iswi_link_extras_in(const isw_pairs *capabilities);

/* Name them; returns how many, ISWI_LINK_EXTRAS at most. The texts are static. */
size_t iswi_link_extras_name(unsigned extras, isw_pair *out);

#endif
