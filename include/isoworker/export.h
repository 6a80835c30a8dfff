/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_EXPORT_H
#define ISOWORKER_EXPORT_H

/*
 * Compiler attributes of the public interface, the library's version, and its allocator hook.
 */
#include <stddef.h>

#define ISW_VERSION_MAJOR 0
#define ISW_VERSION_MINOR 1
#define ISW_VERSION_PATCH 0
#define ISW_VERSION_STRING "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define ISW_API __attribute__((visibility("default")))
#define ISW_PRINTF(format_index, first_arg) \
    __attribute__((format(printf, format_index, first_arg)))
#define ISW_NODISCARD __attribute__((warn_unused_result))
#define ISW_SENTINEL __attribute__((sentinel))
#else
#define ISW_API
#define ISW_PRINTF(format_index, first_arg)
#define ISW_NODISCARD
#define ISW_SENTINEL
#endif

#ifdef __cplusplus
#define ISW_BEGIN_DECLS extern "C" {
#define ISW_END_DECLS }
#else
#define ISW_BEGIN_DECLS
#define ISW_END_DECLS
#endif

ISW_BEGIN_DECLS

/* The version of the library that is linked, as "major.minor.patch". Static text; any thread. */
ISW_API const char *isw_version(void);

/* Where the library takes its memory. reallocate(user, NULL, n) allocates, (user, p, n) resizes,
 * (user, p, 0) frees and returns NULL; it is called from any thread and returns NULL when memory
 * is out. Third-party libraries below (nng, libcyaml, ...) keep their own allocators. */
typedef struct isw_allocator {
    void *(*reallocate)(void *user, void *block, size_t size);
    void *user;
} isw_allocator;

/* Use `allocator` (copied) from now on, or the C library's with NULL. Process-wide. Call it before
 * any other function of this library and from one thread: a block must be freed where it came
 * from. */
ISW_API void isw_allocator_set(const isw_allocator *allocator);

/* The same memory for middleware and modules: what an instance keeps from one invocation to the
 * next. As calloc, realloc and free of the C library; what the first two give is the caller's to
 * free with the third. Any thread. */
ISW_API void *isw_calloc(size_t count, size_t size);
ISW_API void *isw_realloc(void *block, size_t size);
ISW_API void isw_free(void *block);

ISW_END_DECLS

#endif
