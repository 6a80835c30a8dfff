/* SPDX-License-Identifier: Apache-2.0 */
/* Says what src/http1 makes of bytes: reads cases from stdin, each with its size before it in a
 * line of its own, and writes for each the size of its transcript in a line, and the transcript. */
#include "http1/transcript.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    size_t size;

    while (scanf("%zu", &size) == 1 && getchar() == '\n') {
        iswi_buffer out = { 0 };
        char *bytes = malloc(size + 1);

        if (!bytes || fread(bytes, 1, size, stdin) != size)
            return 1;
        transcribe(bytes, size, size + 1, &out);
        if (out.failed)
            return 1;
        printf("%zu\n", out.size);
        fwrite(out.data, 1, out.size, stdout);
        fflush(stdout);
        iswi_buffer_fini(&out);
        free(bytes);
    }
    return 0;
}
