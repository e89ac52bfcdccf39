# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D program=... -D source_dir=... -D version=... -D scratch=... -P program.cmake: the program faultline, where it is installed: it finds what
# lies beside it from any folder, passes options on, and says what is wrong.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${scratch}")
file(MAKE_DIRECTORY "${scratch}/elsewhere" "${scratch}/installed here/bin" "${scratch}/installed here/share/faultline" "${scratch}/bare")
file(REAL_PATH "${program}" program)
file(COPY_FILE "${program}" "${scratch}/installed here/bin/faultline")  # a copy: the program asks where it lies itself
file(COPY_FILE "${program}" "${scratch}/bare/faultline")
foreach(folder assets examples/import_stylegan2)
  get_filename_component(name "${folder}" NAME)
  file(CREATE_LINK "${source_dir}/${folder}" "${scratch}/installed here/share/faultline/${name}" SYMBOLIC)
endforeach()
set(installed "${scratch}/installed here/bin/faultline")

# expect(<exit code> <pattern of stdout> <pattern of stderr> <environment and command>...)
function(expect code out err)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env --unset=FAULTLINE_ASSETS_DIR --unset=FAULTLINE_PYTHON ${ARGN}
    WORKING_DIRECTORY "${scratch}/elsewhere" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT result EQUAL code OR NOT output MATCHES "^${out}$" OR NOT error MATCHES "^${err}$")
    message(SEND_ERROR "${ARGN}: expected ${code}, '${out}', '${err}'; got ${result}, '${output}', '${error}'")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

expect(0 ".*\nusage: faultline COMMAND .*" "" "${installed}" --help)
set(overview "${output}")
string(REGEX MATCHALL "\n  [a-z_]+  " commands "${overview}")
list(TRANSFORM commands STRIP)
foreach(command demo characterize compare conditions gate report import assets)
  if(NOT command IN_LIST commands)
    message(SEND_ERROR "--help does not list ${command}: ${overview}")
  endif()
endforeach()
list(REMOVE_ITEM commands demo import assets)
foreach(command IN LISTS commands)
  expect(0 ".+" "" "${installed}" ${command} --help)
endforeach()
expect(0 ".*faultline characterize \\[OPTIONS\\].*" "" "${installed}" characterize --help)
expect(0 "faultline ${version}\n" "" "${installed}" --version)
expect(2 "" ".*usage: .*" "${installed}")
expect(2 "" "faultline: there is no command 'nothing'; [^\n]*\n" "${installed}" nothing)
expect(2 "" ".*--samples.*" "${installed}" characterize --samples many)

# The shipped models: beside the program, else where FAULTLINE_ASSETS_DIR says; without either one sentence.
expect(0 "[^\n]*/installed here/share/faultline/assets\n" "" "${installed}" assets)
expect(2 "" "faultline: assets takes no options[^\n]*\n" "${installed}" assets --all)
expect(0 "${source_dir}/assets\n" "" "FAULTLINE_ASSETS_DIR=${source_dir}/assets" "${scratch}/bare/faultline" assets)
expect(3 "" "\\[F[0-9]+\\] find_asset: [^\n]*/share/faultline/assets/digits.safetensors'; [^\n]*FAULTLINE_ASSETS_DIR[^\n]*\n" "${scratch}/bare/faultline" assets)
expect(3 "" "\\[F[0-9]+\\] find_asset: [^\n]*\n" "${scratch}/bare/faultline" demo --samples 100)

# The demo: its report is where it says, and names a command that can be run again.
expect(0 ".*faultline-demo.*--samples.*" "" "${installed}" demo --help)
expect(0 ".*\nReport: [^\n]*/elsewhere/mine/report.html\n" "characterising .*" "${installed}" demo --samples 100 --out=mine)
file(READ "${scratch}/elsewhere/mine/report.json" report)
string(JSON command ERROR_VARIABLE problem GET "${report}" run command)
if(problem)
  string(REGEX MATCH "\"command\": *\"[^\"]*\"" command "${report}")
endif()
if(NOT command MATCHES "faultline characterize --samples 100 --out=mine --generator '[^']*/installed here/share/faultline/assets/digits.safetensors'")
  message(SEND_ERROR "the report does not say how to run it again: ${command}")
endif()
if(EXISTS "${scratch}/elsewhere/faultline-demo")
  message(SEND_ERROR "the demo wrote into faultline-demo although --out was given")
endif()

# The importer runs under the Python that is named.
expect(3 "" "\\[F[0-9]+\\] faultline import: there is no importer in [^\n]*\n" "${scratch}/bare/faultline" import x.pkl)
expect(3 "" "\\[F[0-9]+\\] faultline import: '/no/python' cannot be started: [^\n]*\n" FAULTLINE_PYTHON=/no/python "${installed}" import x.pkl)
expect(0 "[^\n]*/installed here/share/faultline/import_stylegan2 x.pkl --out y\n" "" FAULTLINE_PYTHON=echo "${installed}" import x.pkl --out y)
