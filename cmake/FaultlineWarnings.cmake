# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The warnings of our own programs and tests. Linked PRIVATE and never exported: who uses the library keeps their own.
add_library(faultline_warnings INTERFACE)
target_compile_options(faultline_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<BOOL:${FAULTLINE_WERROR}>:-Werror>)
