/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: at its path one host listens at a time, and from the first to the last of those that
 * follow each other there is always one. */
#include "host/operate/control_door.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"
#include "host/operate/control_path.h"
#include "host/operate/handover.h"
#include "host/operate/takeover.h"

enum { AGAIN_MS = 1000 };

void iswi_control_door_init(iswi_control_door *door, iswi_operate *operate)
{
    *door = (iswi_control_door){ .operate = operate, .socket.listener = -1 };
}

/* A place that somebody named is to be had; without one by itself a host serves all the same. */
static isw_status open_or_say_why(iswi_control_door *door, isw_error *error)
{
    const iswi_host *host = door->operate->host;
    isw_error why = { ISW_OK, "" };
    isw_status status = iswi_control_listen(iswi_host_folder(host), door->path, &door->socket,
                                            &why);

    if (status == ISW_OK)
        return ISW_OK;
    if (door->path)
        return isw_error_set(error, status, "the control socket cannot be had: %s", why.message);
    iswi_say(host, ISW_LOG_WARNING,
             "isoworker status, logs and drain will not find this host: %s. It tries again each "
             "second; another place is named by --control PATH or `host: { control: PATH }`",
             why.message);
    door->again_ns = iswi_now_ns() + AGAIN_MS * INT64_C(1000000);
    return ISW_OK;
}

isw_status iswi_control_door_listen(iswi_control_door *door, const char *path, isw_error *error)
{
    door->listens = true;
    door->path = path ? iswi_strdup(path) : NULL;
    if (path && !door->path)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the control socket");
    return door->operate->takeover ? ISW_OK : open_or_say_why(door, error);
}

void iswi_control_door_tend(iswi_control_door *door, int64_t now_ns, int64_t *due_ns)
{
    const iswi_host *host = door->operate->host;
    isw_error why = { ISW_OK, "" };

    if (!door->again_ns)
        return;
    if (now_ns >= door->again_ns) {
        door->again_ns = now_ns + AGAIN_MS * INT64_C(1000000);
        if (iswi_control_listen(iswi_host_folder(host), door->path, &door->socket, &why) ==
            ISW_OK) {
            door->again_ns = 0;
            iswi_say(host, ISW_LOG_INFO, "isoworker status, logs and drain find this host now");
            return;
        }
    }
    *due_ns = door->again_ns < *due_ns ? door->again_ns : *due_ns;
}

/* -- From the host before ---------------------------------------------------------------------- */

static bool inherit(iswi_control_door *door, const iswi_legacy *legacy)
{
    iswi_legacy_item *item = iswi_legacy_find(legacy, ISWI_LEGACY_CONTROL, NULL, NULL);
    char place[ISWI_UNIX_PATH_BYTES];
    int lock;
    int fd;

    if (!item || !door->listens ||
        iswi_control_place(iswi_host_folder(door->operate->host), door->path, place, NULL) !=
            ISW_OK ||
        strcmp(place, item->whose) != 0)
        return false;
    fd = iswi_legacy_take(item, &lock);
    iswi_unix_adopt(place, fd, lock, 0600, &door->socket);
    iswi_unix_own(&door->socket);
    return true;
}

void iswi_control_door_take(iswi_control_door *door)
{
    const iswi_operate *operate = door->operate;
    iswi_legacy *legacy = iswi_takeover_legacy(operate->takeover);
    isw_error error = { ISW_OK, "" };

    if (!inherit(door, legacy) && door->listens && open_or_say_why(door, &error) != ISW_OK)
        iswi_say(operate->host, ISW_LOG_ERROR, "%s", error.message);
    iswi_host_adopt(operate->host, legacy);
    if (operate->admin)
        iswi_http_adopt(operate->admin, legacy);
    iswi_legacy_clear(legacy);
    iswi_say(operate->host, ISW_LOG_INFO, "this host has taken the place of pid %ld",
             (long)iswi_takeover_before(operate->takeover));
    iswi_host_wake(operate->host); /* the service manager is to hear of it */
}

/* -- To the next one --------------------------------------------------------------------------- */

bool iswi_control_door_give(iswi_control_door *door, int fd)
{
    iswi_unix_socket *socket = &door->socket;
    iswi_legacy legacy = { NULL, 0, 0 };
    bool fine;

    door->again_ns = 0; /* from now on that is the other one's to do */
    if (socket->listener < 0)
        return true;
    fine = iswi_legacy_add(&legacy, ISWI_LEGACY_CONTROL, socket->path, NULL, socket->listener,
                           socket->lock) &&
           iswi_handover_send_all(fd, &legacy);
    iswi_legacy_fini(&legacy);
    if (fine)
        iswi_unix_leave(socket);
    return fine;
}

void iswi_control_door_close(iswi_control_door *door)
{
    iswi_unix_unlisten(&door->socket);
    iswi_free(door->path);
    door->path = NULL;
}
