/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and results, in the binary form of the server: big-endian, arrays with a head. */
#include "broker/postgresql/internal.h"

enum { OID_BYTES = 17, OID_INT = 20, OID_TEXT = 25 };

static iswi_buffer *last(iswi_pg *pg)
{
    return &pg->params[pg->param_count - 1];
}

static iswi_buffer *add(iswi_pg *pg)
{
    pg->is_null[pg->param_count] = false;
    iswi_buffer_reset(&pg->params[pg->param_count++]);
    return last(pg);
}

static inline void set_int(unsigned char *out, int64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (unsigned char)((uint64_t)value >> 8 * (bytes - 1 - i));
}

static void write_int(iswi_buffer *out, int64_t value, int bytes)
{
    unsigned char text[8];

    set_int(text, value, bytes);
    iswi_buffer_append(out, text, (size_t)bytes);
}

void iswi_pg_params_reset(iswi_pg *pg)
{
    pg->param_count = 0;
}

void iswi_pg_add_int(iswi_pg *pg, int64_t value)
{
    write_int(add(pg), value, 8);
}

void iswi_pg_add_null(iswi_pg *pg)
{
    add(pg);
    pg->is_null[pg->param_count - 1] = true;
}

void iswi_pg_add_bool(iswi_pg *pg, bool value)
{
    write_int(add(pg), value, 1);
}

/* With no bytes it must have memory all the same, as no memory is NULL. */
void iswi_pg_add_bytes(iswi_pg *pg, isw_bytes bytes)
{
    iswi_buffer *out = add(pg);

    iswi_buffer_reserve(out, 1);
    iswi_buffer_append(out, bytes.size ? bytes.data : "", bytes.size);
}

void iswi_pg_add_text(iswi_pg *pg, isw_str text)
{
    iswi_pg_add_bytes(pg, (isw_bytes){ text.data, text.size });
}

static void add_array(iswi_pg *pg, int oid, size_t count)
{
    iswi_buffer *out = add(pg);

    write_int(out, count > 0, 4); /* dimensions */
    write_int(out, 0, 4);         /* no NULLs */
    write_int(out, oid, 4);
    if (count > 0) {
        write_int(out, (int64_t)count, 4);
        write_int(out, 1, 4); /* the first one's number */
    }
}

void iswi_pg_add_ints(iswi_pg *pg, size_t count)
{
    add_array(pg, OID_INT, count);
}

void iswi_pg_add_texts(iswi_pg *pg, size_t count)
{
    add_array(pg, OID_TEXT, count);
}

void iswi_pg_add_blobs(iswi_pg *pg, size_t count)
{
    add_array(pg, OID_BYTES, count);
}

void iswi_pg_item_int(iswi_pg *pg, int64_t value)
{
    unsigned char text[12];

    set_int(text, 8, 4);
    set_int(&text[4], value, 8);
    iswi_buffer_append(last(pg), text, sizeof text);
}

void iswi_pg_item_bytes(iswi_pg *pg, const void *data, size_t size)
{
    iswi_buffer *out = last(pg);

    if (!iswi_buffer_reserve(out, 4 + size))
        return;
    set_int(out->data + out->size, (int64_t)size, 4);
    if (size)
        memcpy(out->data + out->size + 4, data, size);
    out->size += 4 + size;
}

/* -- Results ----------------------------------------------------------------------------------- */

int64_t iswi_pg_int(const iswi_pg *pg, const PGresult *result, int row, int column)
{
    const unsigned char *bytes = (const unsigned char *)pg->pq.getvalue(result, row, column);
    const int size = pg->pq.getlength(result, row, column);
    uint64_t value = size > 0 && bytes[0] & 0x80 && size > 1 ? UINT64_MAX : 0;

    for (int i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

isw_str iswi_pg_text(const iswi_pg *pg, const PGresult *result, int row, int column)
{
    return (isw_str){ pg->pq.getvalue(result, row, column),
                      (size_t)pg->pq.getlength(result, row, column) };
}

bool iswi_pg_is_null(const iswi_pg *pg, const PGresult *result, int row, int column)
{
    return pg->pq.getisnull(result, row, column) != 0;
}
