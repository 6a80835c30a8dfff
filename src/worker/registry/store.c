/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/registry/store.h"

#include "pipeline/registry.h"
#include "store/memory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const isw_option iswi_store_rows[] = {
    { .name = "url", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_store_settings, url),
      .help = "redis://HOST:PORT/DATABASE, rediss:// for TLS, or unix:///PATH; Redis 6 or later" },
    { .name = "prefix", .type = ISW_OPTION_STRING,
      .offset = offsetof(iswi_store_settings, prefix),
      .help = "of all names there; workers that have the same one share" },
    { .name = "user", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_store_settings, user), .help = "who may; needs a password" },
    { .name = "password", .type = ISW_OPTION_SECRET, .optional = true,
      .offset = offsetof(iswi_store_settings, password), .help = "of the user, or of the server" },
    { .name = "ca_file", .type = ISW_OPTION_PATH, .optional = true,
      .offset = offsetof(iswi_store_settings, ca_file),
      .help = "certificates that are trusted with rediss://; left out: the system's" },
    { .name = "timeout", .type = ISW_OPTION_DURATION, .default_value = "500ms", .min = 1,
      .max = 60000, .offset = offsetof(iswi_store_settings, timeout_ms),
      .help = "for a connection, and for an answer" },
    { 0 },
};

/* -- In memory --------------------------------------------------------------------------------- */

/* The memory file that the host has handed down, as long as nobody has taken it; -1: none. */
static int given_file(void)
{
    const char *text = getenv("ISOWORKER_STORE_FD");
    char *end;
    long fd = text && *text ? strtol(text, &end, 10) : -1;
    struct stat info;

    if (fd < 0 || fd > 65535 || *end || fstat((int)fd, &info) != 0 || !S_ISREG(info.st_mode))
        return -1;
    return (int)fd;
}

static int take_file(void)
{
    int fd = given_file();

    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    unsetenv("ISOWORKER_STORE_FD");
    return fd;
}

static isw_status begin_in_memory(iswi_stores *stores, isw_error *error)
{
    iswi_memory *memory = iswi_memory_create(take_file());

    if (!memory)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for stores");
    stores->place = (iswi_store_place){ &iswi_store_memory, memory };
    return ISW_OK;
}

/* -- Elsewhere --------------------------------------------------------------------------------- */

#ifdef ISWI_STATIC_REDIS
extern const iswi_store_keeper iswi_store_keeper_redis;

static isw_status find_keeper(iswi_stores *stores, isw_error *error)
{
    (void)error;
    stores->keeper = &iswi_store_keeper_redis;
    return ISW_OK;
}
#else
static isw_status find_keeper(iswi_stores *stores, isw_error *error)
{
    char path[PATH_MAX], real[PATH_MAX];
    isw_status status = iswi_registry_find_own("stores/redis", path, real, error);

    if (status == ISW_E_NOT_FOUND)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "this isoworker was built without hiredis, "
                             "and has no stores/redis.so; on Debian: apt-get install "
                             "libhiredis-dev, and build it again");
    if (status != ISW_OK)
        return status;
    stores->handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
    if (!stores->handle)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "%s", dlerror());
    stores->keeper = dlsym(stores->handle, ISWI_STORE_KEEPER);
    if (!stores->keeper || strcmp(stores->keeper->version, ISW_VERSION_STRING) != 0)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "%s is of another version of isoworker than "
                             ISW_VERSION_STRING, path);
    return ISW_OK;
}
#endif

static void let_go(iswi_stores *stores)
{
    if (stores->handle)
        dlclose(stores->handle);
    *stores = (iswi_stores){ .keeper = NULL };
}

static isw_status begin_elsewhere(iswi_stores *stores, const iswi_store_settings *settings,
                                  isw_error *error)
{
    void *place = NULL;
    isw_status status = find_keeper(stores, error);

    if (status == ISW_OK)
        status = stores->keeper->begin(settings, &place, error);
    if (status == ISW_OK)
        stores->place = (iswi_store_place){ stores->keeper->driver, place };
    else
        let_go(stores);
    return status;
}

/* -- Both -------------------------------------------------------------------------------------- */

/* NULL stays NULL. False: no memory. */
static bool copy(iswi_arena *arena, const char *text, const char **out)
{
    *out = text ? iswi_arena_strndup(arena, text, strlen(text)) : NULL;
    return !text || *out;
}

isw_status iswi_stores_begin(iswi_stores *stores, const iswi_store_settings *settings,
                             iswi_arena *arena, isw_error *error)
{
    iswi_store_settings held = *settings;
    isw_status status;

    if (stores->place.driver)
        return ISW_OK;
    if (!copy(arena, settings->url, &held.url) || !copy(arena, settings->prefix, &held.prefix) ||
        !copy(arena, settings->user, &held.user) ||
        !copy(arena, settings->password, &held.password) ||
        !copy(arena, settings->ca_file, &held.ca_file))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for stores");
    status = held.url ? begin_elsewhere(stores, &held, error) : begin_in_memory(stores, error);
    if (status == ISW_OK)
        stores->settings = held;
    return status;
}

int iswi_stores_file(const iswi_stores *stores)
{
    return stores->place.driver == &iswi_store_memory ? iswi_memory_file(stores->place.place)
                                                      : given_file();
}

void iswi_stores_forked(const iswi_stores *stores)
{
    if (stores->place.driver == &iswi_store_memory)
        iswi_memory_forked(stores->place.place);
}

void iswi_stores_end(iswi_stores *stores)
{
    if (stores->keeper)
        stores->keeper->end(stores->place.place);
    else
        iswi_memory_destroy(stores->place.place);
    let_go(stores);
}
