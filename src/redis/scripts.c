/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers have 64 bits and Lua's have 53, so that they are added and compared as two halves. */
#include "redis/scripts.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* As this machine has numbers; all who share a store are of one kind. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HALVES "'>i4I4'"
#define SPLIT "local h, l = struct.unpack(" HALVES ", s) return h, l "
#define JOIN "struct.pack(" HALVES ", h, l)"
#else
#define HALVES "'<I4i4'"
#define SPLIT "local l, h = struct.unpack(" HALVES ", s) return h, l "
#define JOIN "struct.pack(" HALVES ", l, h)"
#endif

/* What the entry says, or nil: there is none, or its process is not there any more. */
#define VALUE                                                                                   \
    "local s, v = redis.call('GET', KEYS[1]) "                                                  \
    "if s and s:byte(1) == 64 then "                                                            \
    "  local who = s:sub(2, 33) "                                                               \
    "  if who == ARGV[1] or redis.call('EXISTS', ARGV[2] .. who) == 1 then v = s:sub(34) end "  \
    "elseif s then v = s:sub(2) end "

#define WRITE                                                                                   \
    "local function write(s, ttl) "                                                             \
    "  if s == '' or tonumber(ttl) < 1 then redis.call('DEL', KEYS[1]) "                        \
    "  else redis.call('SET', KEYS[1], s, 'PX', ttl) end "                                      \
    "end "

static const char *const texts[] = {
    [ISWI_REDIS_GET] = VALUE "return v or false",
    [ISWI_REDIS_REPLACE] =
        VALUE WRITE
        "if (ARGV[3] == 'none' and v) or (ARGV[3] == 'was' and v ~= ARGV[4]) then return 0 end "
        "write(ARGV[5], ARGV[6]) "
        "if ARGV[7] ~= '' then redis.call('SET', ARGV[2] .. ARGV[1], '1', 'PX', ARGV[7]) end "
        "return 1",
    [ISWI_REDIS_ADD] =
        VALUE WRITE
        "local function split(s) " SPLIT "end "
        "local function less(ah, al, bh, bl) return ah < bh or (ah == bh and al < bl) end "
        "if v and #v ~= 8 then return false end "
        "local h, l = 0, 0 "
        "if v then h, l = split(v) end "
        "local fh, fl = split(ARGV[4]) "
        "if less(h, l, fh, fl) then h, l = fh, fl end "
        "local now = " JOIN " "
        "local bh, bl = split(ARGV[3]) "
        "local ch, cl = split(ARGV[5]) "
        "h, l = h + bh, l + bl "
        "if l >= 4294967296 then h, l = h + 1, l - 4294967296 end "
        "if h > 2147483647 or h < -2147483648 or less(ch, cl, h, l) then return {0, now} end "
        "now = " JOIN " "
        "if not v or ARGV[7] == 'renew' then write('=' .. now, ARGV[6]) "
        "else redis.call('SET', KEYS[1], '=' .. now, 'KEEPTTL') end "
        "return {1, now}",
};

bool iswi_redis_scripts_init(iswi_redis_scripts *scripts)
{
    for (int i = 0; i < ISWI_REDIS_SCRIPTS; i++) {
        unsigned char hash[EVP_MAX_MD_SIZE];

        if (!EVP_Digest(texts[i], strlen(texts[i]), hash, NULL, EVP_sha1(), NULL))
            return false;
        for (int at = 0; at < 20; at++)
            snprintf(&scripts->hashes[i][2 * at], 3, "%02x", hash[at]);
    }
    return true;
}

static isw_status ask(iswi_redis_client *client, const char *how, const char *what,
                      const iswi_redis_question *question, const iswi_redis_command *arguments,
                      redisReply **out, isw_error *error)
{
    iswi_redis_command command = { .count = 0 };

    iswi_redis_add(&command, how, strlen(how));
    iswi_redis_add(&command, what, strlen(what));
    iswi_redis_add(&command, "1", 1);
    iswi_redis_add(&command, question->key, question->key_size);
    iswi_redis_add(&command, question->self, strlen(question->self));
    iswi_redis_add(&command, question->holders, strlen(question->holders));
    for (int i = 0; i < arguments->count; i++)
        iswi_redis_add(&command, arguments->words[i], arguments->sizes[i]);
    return iswi_redis_ask(client, &command, out, error);
}

isw_status iswi_redis_run(iswi_redis_client *client, const iswi_redis_scripts *scripts,
                          iswi_redis_script script, const iswi_redis_question *question,
                          const iswi_redis_command *arguments, redisReply **out, isw_error *error)
{
    isw_status status =
        ask(client, "EVALSHA", scripts->hashes[script], question, arguments, out, error);

    if (status != ISW_OK || (*out)->type != REDIS_REPLY_ERROR)
        return status;
    freeReplyObject(*out); /* it does not know it yet */
    return ask(client, "EVAL", texts[script], question, arguments, out, error);
}
