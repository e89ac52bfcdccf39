# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The warnings of our own programs and tests. Linked PRIVATE and never exported: who uses the library keeps their own.
add_library(faultline_warnings INTERFACE)
target_compile_options(faultline_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  # GCC 12 sees overlapping copies in `"text" + std::string` that are not there (GCC bug 105651, fixed in 13)
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<BOOL:${FAULTLINE_WERROR}>:-Werror>)
