# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The warnings of our own programs and tests. Linked PRIVATE and never exported: who uses the library keeps their own.
include_guard(GLOBAL)
add_library(faultline_warnings INTERFACE)
target_compile_options(faultline_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<BOOL:${FAULTLINE_WERROR}>:-Werror>
  # what GCC's optimiser believes to see in inlined standard containers differs with every version and is often not there (bug 105651);
  # shown, but no error: the sanitizers look at the same with certainty
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-error=array-bounds;-Wno-error=free-nonheap-object;-Wno-error=stringop-overflow;-Wno-error=stringop-overread;-Wno-error=maybe-uninitialized>)
