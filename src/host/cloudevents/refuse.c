/* SPDX-License-Identifier: Apache-2.0 */
#include "host/cloudevents/internal.h"

void iswi_events_refuse(iswi_http_request *request, int status, isw_status why,
                        const char *sentence)
{
    iswi_http_problem_is(request, why, isw_status_retriable(why));
    iswi_http_answer_problem(request, status, NULL, sentence, NULL);
}
