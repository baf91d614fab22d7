#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# serve gadget on the FunctionFS of Debian's stock kernel.
# guest: -k stock
# shellcheck disable=SC1091
. "$(dirname "$0")/gadget_checks.sh"
check 'the kernel has no complaint' no_complaints
finish
