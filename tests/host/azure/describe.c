/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the tables of FunctionRpc's messages for described.py: a line for each field. */
#include "host/azure/messages.h"

#include <stdio.h>

enum { TABLES_MAX = 64 };

static void describe(const iswi_proto_table *table, const iswi_proto_table **seen, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (seen[i] == table)
            return;
    seen[(*count)++] = table;
    for (size_t i = 0; i < table->count; i++) {
        const iswi_proto_row *row = &table->rows[i];

        printf("%s\t%s\t%u\t%u\t%d\t%d\t%s\n", table->name, row->name, row->number, row->type,
               row->repeated, row->choice, row->table ? row->table->name : "");
        if (row->table)
            describe(row->table, seen, count);
    }
}

int main(void)
{
    const iswi_proto_table *seen[TABLES_MAX];
    size_t count = 0;

    describe(&iswi_rpc_message_table, seen, &count);
    return 0;
}
