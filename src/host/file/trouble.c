/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the way of an inbox: said when it is another than before, and until it is not any more. */
#include "host/engine/log.h"
#include "host/file/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define AGAIN_NS INT64_C(2000000000)

/* A folder of an absolute path that is not there yet, or not just now, as one that is mounted. */
static bool is_awaited(const iswi_inbox *inbox)
{
    return *inbox->properties->path == '/' && access(inbox->path, F_OK) != 0 && errno == ENOENT;
}

void iswi_inbox_fail(iswi_inbox *inbox, int64_t now_ns, const char *why)
{
    bool another;
    bool awaited = why && is_awaited(inbox);

    pthread_mutex_lock(&inbox->files->lock);
    another = strcmp(inbox->why, why ? why : "") != 0;
    if (another)
        snprintf(inbox->why, sizeof inbox->why, "%s", why ? why : "");
    pthread_mutex_unlock(&inbox->files->lock);
    inbox->again_ns = why ? now_ns + AGAIN_NS : 0;
    if (another && why)
        iswi_function_say(inbox->entry->function, awaited ? ISW_LOG_WARNING : ISW_LOG_ERROR, "",
                          isw_str_of(NULL), "no files of %s come to it for now: %s", inbox->path,
                          why);
    else if (another)
        iswi_function_say(inbox->entry->function, ISW_LOG_INFO, "", isw_str_of(NULL),
                          "files of %s come to it again", inbox->path);
}
