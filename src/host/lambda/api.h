/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LAMBDA_API_H
#define ISWI_HOST_LAMBDA_API_H

/*
 * A connection to the Runtime API: plain HTTP/1.1, one question at a time, kept open between them.
 * It lives on one reactor, whose thread alone touches it. Inside the room.
 */
#include "base/buffer.h"
#include "http1/answer.h"
#include "reactor/reactor.h"

#include <sys/socket.h>

/* Where it is. */
typedef struct iswi_lambda_place {
    char text[256]; /* "127.0.0.1:9001" */
    struct sockaddr_storage address;
    socklen_t size;
} iswi_lambda_place;

/* From the environment; looks a name up, which may block. Errors: ISW_E_CONFIG, which says what is
 * wrong with the variable. */
isw_status iswi_lambda_place_find(iswi_lambda_place *out, isw_error *error);

typedef struct iswi_lambda_answer {
    int status; /* 0: there is none, and *why says so */
    isw_pairs headers;
    isw_bytes body;
    const char *why;
} iswi_lambda_answer;

typedef struct iswi_lambda_api iswi_lambda_api;

typedef struct iswi_lambda_api_events {
    /* To a question, once; what it points to is there until the next one is asked. */
    void (*answered)(void *user, const iswi_lambda_answer *answer);
    /* Of a body that is sent as it comes: all of it so far was taken. */
    void (*taken)(void *user);
} iswi_lambda_api_events;

struct iswi_lambda_api {
    iswi_reactor *reactor;
    const iswi_lambda_place *place;
    const iswi_lambda_api_events *events;
    void *user;
    iswi_watch watch; /* fd -1: closed */
    uint32_t watched;
    bool asks;   /* an answer is awaited */
    bool used;   /* the connection has brought one */
    bool repeats; /* the question was asked on one before, which had ended meanwhile */
    bool whole;  /* all of the question is in `out`, so that it may be repeated */
    size_t ahead; /* of `out`, where the next question begins that was sent behind it; 0: none */
    iswi_buffer out;
    size_t sent;
    iswi_arena arena;
    iswi_buffer in;
    size_t from; /* of `in`, that was not looked at */
    bool has_head;
    iswi_http1_answer head;
    iswi_http1_body body;
    iswi_buffer content;
    char why[160];
};

void iswi_lambda_api_init(iswi_lambda_api *api, iswi_reactor *reactor,
                          const iswi_lambda_place *place, const iswi_lambda_api_events *events,
                          void *user);
void iswi_lambda_api_fini(iswi_lambda_api *api);

typedef struct iswi_lambda_question {
    const char *method, *path;
    const char *fields;    /* lines of a head, each with its CR LF; NULL: none */
    const isw_bytes *body; /* is copied; NULL: it has none */
    const char *next;      /* sent behind it in the same bytes: a GET of that path; NULL: nothing */
} iswi_lambda_question;

/* Ask. The answer may come from within. Who has sent a `next` along asks that next, by `asked_ahead`,
 * or closes. */
void iswi_lambda_api_ask(iswi_lambda_api *api, const iswi_lambda_question *question);

/* The question that was sent along is the one that an answer is awaited to, from now on. False: there
 * is none, or it went with its connection. */
bool iswi_lambda_api_asked_ahead(iswi_lambda_api *api);

/* The same with a body in pieces, of which `put` sends one, and its end, with lines of a trailer;
 * `pending` says how many bytes wait for the other side. */
void iswi_lambda_api_begin(iswi_lambda_api *api, const char *path, const char *fields);
void iswi_lambda_api_put(iswi_lambda_api *api, isw_bytes piece);
void iswi_lambda_api_end(iswi_lambda_api *api, const char *trailer);
size_t iswi_lambda_api_pending(const iswi_lambda_api *api);

/* No answer comes any more. */
void iswi_lambda_api_close(iswi_lambda_api *api);

#endif
