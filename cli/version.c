/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"

const char tarseal_version[] = "0.1.0";
