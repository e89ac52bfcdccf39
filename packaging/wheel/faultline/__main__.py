# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys

from faultline import main

sys.exit(main())
