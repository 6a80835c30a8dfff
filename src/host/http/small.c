/* SPDX-License-Identifier: Apache-2.0 */
/* Small memory. Invariant: before each piece stands of which class it is, and it has all the room of
 * its class. */
#include "host/http/small.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

struct iswi_http_bit {
    alignas(max_align_t) size_t class; /* ISWI_HTTP_SMALL_CLASSES: none of ours */
    iswi_http_bit *next;
};

static size_t class_of(size_t size)
{
    return size ? (size - 1) / ISWI_HTTP_SMALL_STEP : 0;
}

static size_t room_of(size_t class)
{
    return (class + 1) * ISWI_HTTP_SMALL_STEP;
}

void *iswi_http_small_take(iswi_http_small *small, size_t size)
{
    const size_t class = class_of(size);
    const bool is_small = class < ISWI_HTTP_SMALL_CLASSES;
    iswi_http_bit *bit = is_small ? small->classes[class] : NULL;

    small->taken = true;
    if (bit) {
        small->classes[class] = bit->next;
        small->bytes -= room_of(class);
        return bit + 1;
    }
    if (size > SIZE_MAX - sizeof *bit)
        return NULL;
    bit = iswi_alloc(sizeof *bit + (is_small ? room_of(class) : size));
    if (!bit)
        return NULL;
    bit->class = is_small ? class : ISWI_HTTP_SMALL_CLASSES;
    return bit + 1;
}

void iswi_http_small_give(iswi_http_small *small, void *memory)
{
    iswi_http_bit *bit = memory;

    if (!bit)
        return;
    bit--;
    if (bit->class == ISWI_HTTP_SMALL_CLASSES ||
        small->bytes + room_of(bit->class) > ISWI_HTTP_SMALL_BYTES) {
        iswi_free(bit);
        return;
    }
    bit->next = small->classes[bit->class];
    small->classes[bit->class] = bit;
    small->bytes += room_of(bit->class);
}

/* A large one that stays large. */
static void *resize(iswi_http_bit *bit, size_t size)
{
    if (size > SIZE_MAX - sizeof *bit)
        return NULL;
    bit = iswi_realloc(bit, sizeof *bit + size);
    return bit ? bit + 1 : NULL;
}

void *iswi_http_small_take_again(iswi_http_small *small, void *memory, size_t size)
{
    iswi_http_bit *bit = memory;
    void *more;

    if (!bit)
        return iswi_http_small_take(small, size);
    bit--;
    if (bit->class == ISWI_HTTP_SMALL_CLASSES)
        return resize(bit, size);
    if (size <= room_of(bit->class))
        return memory;
    more = iswi_http_small_take(small, size);
    if (more)
        memcpy(more, memory, room_of(bit->class));
    if (more)
        iswi_http_small_give(small, memory);
    return more;
}

static void give_all_back(iswi_http_small *small)
{
    for (size_t class = 0; class < ISWI_HTTP_SMALL_CLASSES; class++)
        while (small->classes[class]) {
            iswi_http_bit *bit = small->classes[class];

            small->classes[class] = bit->next;
            iswi_free(bit);
        }
    small->bytes = 0;
}

bool iswi_http_small_trim(iswi_http_small *small)
{
    if (!small->taken)
        give_all_back(small);
    small->taken = false;
    return small->bytes > 0;
}

void iswi_http_small_fini(iswi_http_small *small)
{
    give_all_back(small);
}
