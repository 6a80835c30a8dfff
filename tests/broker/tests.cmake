# SPDX-License-Identifier: Apache-2.0
isw_test(broker/broker STACK broker)
