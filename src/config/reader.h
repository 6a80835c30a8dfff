/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_READER_H
#define ISWI_CONFIG_READER_H

/* A text as libyaml's events, one after the other. */
#include "config/message.h"

#include <yaml.h>

typedef struct iswi_yaml_reader {
    yaml_parser_t yaml;
    iswi_config *config;
    isw_error *error;
} iswi_yaml_reader;

/* Begin to read `text`, which must stay until the end. Refuses bytes that are no text, and too many
 * of them. On failure there is nothing to end. Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_yaml_init(iswi_yaml_reader *r, iswi_config *config, const char *text, size_t size,
                          isw_error *error);
void iswi_yaml_fini(iswi_yaml_reader *r);

/* On success the event is the caller's to delete. Errors: ISW_E_CONFIG for what is no syntax,
 * ISW_E_NO_MEMORY. */
isw_status iswi_yaml_next(iswi_yaml_reader *r, yaml_event_t *event);

/* Where an event begins. */
iswi_place iswi_yaml_place(yaml_mark_t mark);

/* Refuse a document that says nothing. */
isw_status iswi_yaml_refuse_empty(const iswi_yaml_reader *r, iswi_place place);

#endif
