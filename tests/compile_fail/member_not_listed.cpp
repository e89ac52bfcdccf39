// expect: all_members_are_listed
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/describe.hpp>

struct Mine {
  double effect = 0.0;
#ifndef FAULTLINE_CONTROL
  double forgotten = 0.0;
#endif
  double auc = 0.5;
};
FAULTLINE_MEMBERS(Mine, effect, auc)
