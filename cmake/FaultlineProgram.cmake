# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The program `faultline`, which is what packages bring: those example programs that a user runs, as one executable, so that the library is in it
# once. Each keeps its name and its options as a command: `faultline characterize ...`.
include_guard(GLOBAL)
include("${PROJECT_SOURCE_DIR}/tests/support/together.cmake")

# <program of examples/>|<what it answers, in the overview of --help>. None of them needs LibTorch.
set(faultline_commands
  "characterize|how does a classifier fail? Finds causes, tests them on fresh samples, writes a report"
  "compare|which of several classifiers fails more often, and on what?"
  "conditions|what do the failures on labelled images of your own go with?"
  "gate|may this release go out? Holds a classifier to bounds and to the release before it"
  "report|what changed between two reports, and the failing images of a cause as pictures"
  "evaluate_generator|how far are a generator's images from real ones?"
  "property_admission|which image properties are fit to name conditions of your images?"
  "make_figures|the paper's figures of a generator and its classifiers")

# faultline_gather_front(<group> <result>): `result` becomes the call of `faultline`, for a group that has gathered its programs.
function(faultline_gather_front group result)
  set(table "")
  foreach(command IN LISTS faultline_commands)
    string(REGEX MATCH "^([^|]+)\\|(.*)$" command "${command}")
    string(APPEND table "\n      {\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_2}\", &${CMAKE_MATCH_1}::main},")
  endforeach()
  list(APPEND ${group}_includes "#include \"${PROJECT_SOURCE_DIR}/examples/front.hpp\"")
  set(${group}_includes "${${group}_includes}" PARENT_SCOPE)
  set(${result} "front::run({${table}}, argc, argv)" PARENT_SCOPE)
endfunction()

# faultline_add_program(): the executable, under the name that it is installed with.
function(faultline_add_program)
  find_package(CLI11 QUIET CONFIG)
  if(NOT TARGET CLI11::CLI11)
    message(FATAL_ERROR "FAULTLINE_BUILD_PROGRAM is ON, but the program faultline needs CLI11, which was not found: install it (Debian package libcli11-dev), or leave FAULTLINE_BUILD_PROGRAM out.")
  endif()
  foreach(command IN LISTS faultline_commands)
    string(REGEX REPLACE "\\|.*$" "" name "${command}")
    faultline_gather_program(front ${name} "${PROJECT_SOURCE_DIR}/examples/${name}.cpp")
  endforeach()
  faultline_gather_front(front call)
  set(front_calls "  return ${call};\n")  # under whatever name it is called
  set(front_names "")
  faultline_programs_together(faultline_program front "${PROJECT_BINARY_DIR}/bin")
  set_target_properties(faultline_program PROPERTIES OUTPUT_NAME faultline)
  target_link_libraries(faultline_program PRIVATE faultline::core CLI11::CLI11 faultline::compiled faultline_warnings)
  target_compile_options(faultline_program PRIVATE $<$<CONFIG:Release>:-O2>)
  # Libraries that a package brings along lie here (the archive's and the wheel's do, those of a distribution are its own).
  set_target_properties(faultline_program PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/faultline")
endfunction()
