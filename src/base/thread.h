/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_THREAD_H
#define ISWI_BASE_THREAD_H

/* Name the calling thread, at most 15 bytes, for debuggers and ps; else it bears the name of the
 * one that made it. Nothing where the system has no such names. */
void iswi_thread_name(const char *name);

#endif
