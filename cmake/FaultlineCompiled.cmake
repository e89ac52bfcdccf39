# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# faultline::compiled, the definitions of faultline::core in a static library. Made alike by our own build and by an installed package, which
# brings the sources: so it is compiled with the compiler and the flags of whoever links it.
include_guard(GLOBAL)

# faultline_add_compiled(<folder of the sources> <core target>)
function(faultline_add_compiled folder core)
  file(GLOB sources "${folder}/*.cpp")
  add_library(faultline_compiled STATIC EXCLUDE_FROM_ALL ${sources})
  add_library(faultline::compiled ALIAS faultline_compiled)
  set_target_properties(faultline_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_SCAN_FOR_MODULES OFF)
  target_link_libraries(faultline_compiled PUBLIC ${core})
  target_compile_definitions(faultline_compiled PUBLIC FAULTLINE_COMPILED)
  if(PROJECT_NAME STREQUAL "faultline" AND TARGET faultline_warnings)
    target_link_libraries(faultline_compiled PRIVATE $<BUILD_INTERFACE:faultline_warnings>)
  endif()
endfunction()
