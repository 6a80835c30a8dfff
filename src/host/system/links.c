/* SPDX-License-Identifier: Apache-2.0 */
/* The links on the way to a file. Invariant: `done` is a folder whose own links were followed, and
 * `rest` is what is still to be looked up in it. */
#include "host/system/links.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel has it */

typedef struct walk {
    char done[PATH_MAX];
    char rest[PATH_MAX];
} walk;

/* Cut the first part off `rest`; "" at its end. */
static void next_part(walk *w, char part[NAME_MAX + 1])
{
    const char *from = w->rest + strspn(w->rest, "/");
    const size_t size = strcspn(from, "/");

    snprintf(part, NAME_MAX + 1, "%.*s", (int)size, from);
    memmove(w->rest, from + size, strlen(from + size) + 1);
}

static bool is_last(const walk *w)
{
    return w->rest[strspn(w->rest, "/")] == '\0';
}

/* `size` bytes of `target` are to be looked up before the rest. */
static bool follow(walk *w, const char *target, size_t size)
{
    char joined[PATH_MAX];
    const int wrote =
        snprintf(joined, sizeof joined, "%.*s/%s", (int)size, target, w->rest);

    if (wrote < 0 || (size_t)wrote >= sizeof joined)
        return false;
    memcpy(w->rest, joined, (size_t)wrote + 1);
    if (target[0] == '/')
        strcpy(w->done, "/");
    return true;
}

bool iswi_links_folders(const char *path, bool (*each)(void *user, const char *folder), void *user,
                        bool *linked)
{
    char part[NAME_MAX + 1];
    char full[PATH_MAX + NAME_MAX + 2];
    char target[PATH_MAX];
    int links = 0;
    walk w;

    *linked = false;
    snprintf(w.rest, sizeof w.rest, "%s", path);
    snprintf(w.done, sizeof w.done, "%s", path[0] == '/' ? "/" : ".");
    for (next_part(&w, part); part[0]; next_part(&w, part)) {
        ssize_t size;

        snprintf(full, sizeof full, "%s/%s", w.done, part);
        size = readlink(full, target, sizeof target);
        if (size > 0)
            *linked = true;
        if ((size > 0 || is_last(&w)) && !each(user, w.done))
            return false;
        if (size > 0 && (++links > LINKS_MAX || !follow(&w, target, (size_t)size)))
            return true;
        if (size <= 0 && (size_t)snprintf(w.done, sizeof w.done, "%s", full) >= sizeof w.done)
            return true;
    }
    return true;
}
