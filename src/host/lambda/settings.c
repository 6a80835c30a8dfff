/* SPDX-License-Identifier: Apache-2.0 */
#include "host/lambda/settings.h"

#include <stddef.h>

static const isw_option rule_rows[] = {
    { .name = "source", .type = ISW_OPTION_STRING, .offset = offsetof(iswi_lambda_rule, source),
      .help = "pattern (* and ?) for where it comes from: apigateway-v1, apigateway-v2, "
              "function-url, alb, sqs, kinesis, dynamodb, schedule, eventbridge, s3, sns, ses, other; "
              "aws:s3, or what an event itself has as its source; or an ARN" },
    { .name = "function", .type = ISW_OPTION_STRING,
      .offset = offsetof(iswi_lambda_rule, function),
      .help = "that gets it, whatever its trigger: as messages, if that is queue" },
    { 0 },
};

static const char *const failures[] = { "report", "whole", NULL };

static const isw_option rows[] = {
    { .name = "function", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_lambda_settings, function),
      .help = "gets the JSON of events that are neither HTTP nor messages nor a schedule; left "
              "out: the only one with the trigger call" },
    { .name = "rules", .type = ISW_OPTION_GROUP_LIST, .optional = true, .group = rule_rows,
      .group_size = sizeof(iswi_lambda_rule), .offset = offsetof(iswi_lambda_settings, rules),
      .help = "which function gets which events; the first match counts, before routes, names of "
              "queues and schedules" },
    { .name = "stream", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(iswi_lambda_settings, stream),
      .help = "answers to a function URL, or to an API of REST, go as a stream: where that is set "
              "to RESPONSE_STREAM, and only there" },
    { .name = "batch_failures", .type = ISW_OPTION_ENUM, .choices = failures,
      .default_value = "report", .offset = offsetof(iswi_lambda_settings, batch_failures),
      .help = "report: of a batch the messages that failed, by batchItemFailures, for which its "
              "event source needs ReportBatchItemFailures (without it they would be lost); whole: "
              "the batch has failed if one has" },
    { 0 },
};

static const iswi_settings_names names[] = { { ISWI_NAMES_FUNCTIONS, "rules", "function" },
                                             { ISWI_NAMES_FUNCTIONS, NULL, "function" },
                                             { 0 } };

const iswi_settings_group iswi_lambda_settings_group = {
    .name = "lambda",
    .summary = "as a runtime of AWS Lambda (isoworker lambda)",
    .options = rows,
    .size = sizeof(iswi_lambda_settings),
    .names = names,
};
