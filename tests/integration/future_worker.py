#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The Python worker with other protocol versions: future_worker.py [MIN MAX], 98 to 99 without."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))
import worker  # noqa: E402

worker.OFFER = tuple(int(word) for word in sys.argv[1:3]) or (98, 99)
sys.argv[1:] = []
sys.exit(worker.main())
