/* SPDX-License-Identifier: Apache-2.0 */
/* The library is made of the layers' objects; CMake wants one source of its own. */
#include <isoworker/isoworker.h>
