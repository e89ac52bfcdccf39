# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -D source_dir=... -D scratch=... -P bootstrap.cmake: bootstrap through a link, from elsewhere, without HOME, where it must not write, with
# a LibTorch that cannot be used: it works, or ends with one sentence. Installs and fetches nothing.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${scratch}")
file(MAKE_DIRECTORY "${scratch}/elsewhere")
file(CREATE_LINK "${source_dir}/bootstrap" "${scratch}/elsewhere/link" SYMBOLIC)
file(WRITE "${scratch}/a_file" "")
foreach(name current old_abi)
  file(WRITE "${scratch}/elsewhere/${name}/include/torch/csrc/api/include/torch/version.h"
    "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 6\n#define TORCH_VERSION_PATCH 0\n")
  file(WRITE "${scratch}/elsewhere/${name}/lib/libtorch_cpu.so" "")
endforeach()
file(WRITE "${scratch}/elsewhere/current/lib/libc10.so" "_ZN3c103fooERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE\n")
file(WRITE "${scratch}/elsewhere/old_abi/lib/libc10.so" "_ZN3c103fooERKSs\n")

# expect(<exit code> <pattern of stdout> <pattern of stderr> <environment and arguments>...): from another folder, through the link.
function(expect code out err)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env --unset=XDG_CACHE_HOME --unset=FAULTLINE_CACHE_DIR --unset=LIBTORCH --unset=Torch_DIR "FAULTLINE_BUILD_DIR=${scratch}/build" ${ARGN}
    WORKING_DIRECTORY "${scratch}/elsewhere" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT result EQUAL code OR NOT output MATCHES "^${out}$" OR NOT error MATCHES "^${err}$")
    message(SEND_ERROR "${ARGN}: expected ${code}, '${out}', '${err}'; got ${result}, '${output}', '${error}'")
  endif()
endfunction()

expect(0 ".*/elsewhere/current\n" "==> LibTorch 2\\.6\\.0 in .*\n" ./link libtorch --libtorch=current)
expect(0 ".*/elsewhere/current\n" "==> LibTorch 2\\.6\\.0 in .*\n" LIBTORCH=current ./link libtorch)
expect(0 ".*/elsewhere/current\n" "==> LibTorch 2\\.6\\.0 in .*\n" --unset=HOME ./link libtorch --libtorch=current)
expect(1 "" "bootstrap: HOME is not set, so there is no folder to keep LibTorch in: [^\n]*FAULTLINE_CACHE_DIR[^\n]*\n" --unset=HOME ./link libtorch --libtorch=wheel)
expect(1 "" "bootstrap: LibTorch 2\\.6\\.0 in [^\n]*/old_abi [^\n]* was built with the old C\\+\\+ ABI [^\n]*\n" ./link libtorch --libtorch=old_abi)
expect(1 "" "bootstrap: cannot write to [^\n]*/a_file/build/log \\(Not a directory\\): name a folder to build in with FAULTLINE_BUILD_DIR\n" FAULTLINE_BUILD_DIR=../a_file/build ./link demo)
expect(1 "" "bootstrap: cannot write to [^\n]*/a_file/mnist \\(Not a directory\\): name another folder with FAULTLINE_MNIST_DIR\n" FAULTLINE_MNIST_DIR=../a_file/mnist ./link mnist)
expect(1 "" "bootstrap: --gallery belongs to docs, not to demo\n" ./link demo --gallery)
expect(1 "" "bootstrap: --libtorch belongs to test, bench and libtorch, not to package: it needs none\n" ./link package --libtorch=current)
expect(1 "" "bootstrap: '--fast' is not a command or option; see ./bootstrap --help\n" ./link demo --fast)
