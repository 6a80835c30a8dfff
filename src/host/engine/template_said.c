/* SPDX-License-Identifier: Apache-2.0 */
#include "host/engine/template_said.h"

#include "base/clock.h"
#include "base/text.h"
#include "host/engine/engine.h"

#include <stdio.h>
#include <unistd.h>

enum { LINE_MOST = 8192, READS_MOST = 16 /* of 4 KiB: what a pipe holds */ };

static void keep_words(iswi_template *template, isw_str words)
{
    iswi_buffer safe = { 0 };

    if (*template->words && !iswi_may_be_reason(words))
        return;
    iswi_terminal_text(&safe, words);
    if (iswi_buffer_text(&safe))
        snprintf(template->words, sizeof template->words, "%s", iswi_buffer_text(&safe));
    iswi_buffer_fini(&safe);
}

static void show(iswi_pool *pool, unsigned which)
{
    iswi_template *template = &pool->template;
    iswi_buffer *said = &template->said[which];
    char source[ISWI_NAME_MAX + 16];
    iswi_logline line = { .level = which ? ISW_LOG_WARNING : ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .category = isw_str_of(which ? "stderr" : "stdout"),
                          .message = { (const char *)said->data, said->size } };

    snprintf(source, sizeof source, "%s (template)", pool->settings->name);
    line.source = isw_str_of(source);
    if (said->size && which)
        keep_words(template, line.message);
    if (said->size && iswi_host_shows(pool->processes->host, line.level))
        iswi_log_line(pool->processes->host, &line, ISWI_SPEAKER_OTHERS);
    iswi_buffer_reset(said);
}

static void take(iswi_pool *pool, unsigned which, const char *bytes, size_t size)
{
    iswi_buffer *said = &pool->template.said[which];

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n')
            iswi_buffer_append(said, &bytes[i], 1);
        if (bytes[i] == '\n' || said->size >= LINE_MOST || said->failed)
            show(pool, which);
    }
}

void iswi_template_read(iswi_pool *pool, unsigned which)
{
    int fd = which ? pool->template.os.errors : pool->template.os.output;
    char block[4096];
    ssize_t got = 1;

    for (int i = 0; fd >= 0 && got > 0 && i < READS_MOST; i++) {
        got = read(fd, block, sizeof block);
        if (got > 0)
            take(pool, which, block, (size_t)got);
        else if (got == 0)
            iswi_host_unwatch(pool->processes->host, fd);
    }
}

void iswi_template_show_rest(iswi_pool *pool)
{
    show(pool, 0);
    show(pool, 1);
}
