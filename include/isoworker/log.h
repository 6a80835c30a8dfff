/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_LOG_H
#define ISOWORKER_LOG_H

/*
 * Logging from an invocation. A line travels to the host with its level, category, invocation and
 * fields; the host prints it as text or JSON. Levels are chosen by category, and the host pushes
 * its choice to workers at start, so that a line nobody wants costs one comparison. Same thread as
 * the context; a call copies what it needs and does not block: when the host does not keep up,
 * lines are dropped and their number is reported.
 */
#include <isoworker/context.h>
#include <isoworker/value.h>
#include <isoworker/export.h>

ISW_BEGIN_DECLS

typedef enum isw_log_level {
    ISW_LOG_TRACE = 0,
    ISW_LOG_DEBUG = 1,
    ISW_LOG_INFO = 2,
    ISW_LOG_WARNING = 3,
    ISW_LOG_ERROR = 4,
    ISW_LOG_CRITICAL = 5,
    ISW_LOG_NONE = 6 /* as a threshold only: nothing passes */
} isw_log_level;

/* "trace", "debug", ...; static text. */
ISW_API const char *isw_log_level_name(isw_log_level level);

/* Log one line under the category "Function.<name>". */
ISW_API void isw_log(isw_context *ctx, isw_log_level level, const char *format, ...)
    ISW_PRINTF(3, 4);

/* Log one line with fields, under `category` (NULL means "Function.<name>"). */
ISW_API void isw_log_fields(isw_context *ctx, isw_log_level level, const char *category,
                            const isw_named_value *fields, size_t field_count, const char *format,
                            ...) ISW_PRINTF(6, 7);

/* Log the failure of the invocation, which has one, under "Function.<name>", with its type, place,
 * causes, and whether it is retriable and the user's as fields. The worker does so at the end of an
 * invocation for which nobody did; ISW_LOG_NONE says that there is to be no line. */
ISW_API void isw_log_failure(isw_context *ctx, isw_log_level level);

/* Whether a line would go out, to save the work of making it. */
ISW_API bool isw_log_enabled(const isw_context *ctx, isw_log_level level, const char *category);

/* From now until the matching pop, every line of this invocation carries the field `name`. Text
 * is copied. Scopes nest up to 8 deep; deeper ones are counted and left out. */
ISW_API void isw_log_push_scope(isw_context *ctx, const char *name, const char *value);
ISW_API void isw_log_pop_scope(isw_context *ctx);

ISW_END_DECLS

#endif
