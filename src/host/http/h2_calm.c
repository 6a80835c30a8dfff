/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may do that costs us and gives it nothing: requests that it takes back at once, and
 * frames without an effect. Faults of its own that end a stream count like what it takes back,
 * since they make as much work. */
#include "host/http/h2.h"

/* How much of the other a frame of data that it took is worth: it says by windows that it did. */
enum { FRAMES_OF_DATA = 2 };

static const int64_t second_ns = INT64_C(1000000000);

void iswi_h2_budgets_begin(iswi_h2 *h2)
{
    const int64_t now_ns = iswi_reactor_now_ns(h2->loop->reactor);

    h2->breaks = (iswi_h2_budget){ ISWI_H2_BREAKS, now_ns };
    h2->idle_frames = (iswi_h2_budget){ ISWI_H2_IDLE_FRAMES, now_ns };
}

static void spend(iswi_h2 *h2, iswi_h2_budget *budget, int64_t most, int64_t per_s)
{
    const int64_t now_ns = iswi_reactor_now_ns(h2->loop->reactor);
    const int64_t passed_ns = now_ns - budget->at_ns;

    if (passed_ns >= second_ns / per_s) {
        const int64_t more =
            passed_ns > second_ns * (most / per_s + 1) ? most : passed_ns * per_s / second_ns;

        budget->left = budget->left + more < most ? budget->left + more : most;
        budget->at_ns = now_ns;
    }
    if (--budget->left < 0)
        nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

void iswi_h2_note_break(iswi_h2 *h2)
{
    spend(h2, &h2->breaks, ISWI_H2_BREAKS, ISWI_H2_BREAKS_PER_S);
}

void iswi_h2_note_frame(iswi_h2 *h2, const nghttp2_frame_hd *frame)
{
    const bool ends = frame->flags & NGHTTP2_FLAG_END_STREAM;

    if (frame->type == NGHTTP2_HEADERS ||
        (frame->type == NGHTTP2_DATA && (ends || frame->length > 0)))
        return;
    spend(h2, &h2->idle_frames, ISWI_H2_IDLE_FRAMES, ISWI_H2_IDLE_FRAMES_PER_S);
}

void iswi_h2_note_data(iswi_h2 *h2)
{
    if (h2->idle_frames.left < ISWI_H2_IDLE_FRAMES)
        h2->idle_frames.left += FRAMES_OF_DATA;
}
