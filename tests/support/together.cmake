# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What FAULTLINE_TEST_TOGETHER does: many files compiled as one, headers precompiled. Most of what a file here costs is reading and instantiating
# the headers of the library and of those beneath it, the same in each. The full tier compiles every file by itself, which also shows an include
# that one has forgotten.
include_guard(GLOBAL)

# faultline_gather(<group> <unit> <source>): the file's includes are appended to the caller's `<group>_includes`, the file itself, in namespace
# `unit` so that equal names do not meet, to `<group>_bodies`.
function(faultline_gather group unit source)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")  # its includes are copied
  get_filename_component(folder "${source}" DIRECTORY)
  file(STRINGS "${source}" lines REGEX "^#include")
  foreach(line IN LISTS lines)
    if(line MATCHES "^#include \"(.*)\"")
      set(beside "${folder}/${CMAKE_MATCH_1}")  # (within the condition it would be the match before this one)
      if(EXISTS "${beside}")
        set(line "#include \"${beside}\"")
      endif()
    endif()
    list(APPEND ${group}_includes "${line}")
  endforeach()
  list(REMOVE_DUPLICATES ${group}_includes)
  string(APPEND ${group}_bodies "namespace ${unit} {\n#include \"${source}\"\n}\n")
  set(${group}_includes "${${group}_includes}" PARENT_SCOPE)
  set(${group}_bodies "${${group}_bodies}" PARENT_SCOPE)
endfunction()

# faultline_together(<result> <name> <source>...): `result` becomes one generated source that includes them after all their includes; what cannot
# live in a namespace or among others stays by itself.
function(faultline_together result name)
  if(NOT FAULTLINE_TEST_TOGETHER)
    set(${result} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(files_includes "")
  set(files_bodies "")
  set(alone "")
  foreach(source IN LISTS ARGN)
    file(STRINGS "${source}" unfit REGEX "operator new|extern \"C\"|__has_include|^ *# *(define|undef)")
    if(unfit)
      list(APPEND alone "${source}")
      continue()
    endif()
    get_filename_component(folder "${source}" DIRECTORY)
    get_filename_component(folder "${folder}" NAME)
    get_filename_component(unit "${source}" NAME_WE)
    faultline_gather(files ${folder}_${unit} "${source}")
  endforeach()
  list(JOIN files_includes "\n" files_includes)
  set(together "${CMAKE_CURRENT_BINARY_DIR}/${name}_together.cpp")
  file(CONFIGURE OUTPUT "${together}" CONTENT "${files_includes}\n${files_bodies}" @ONLY)
  set(${result} "${together}" ${alone} PARENT_SCOPE)
endfunction()

# faultline_gather_program(<group> <name> <source>): the same for a file with a main, which `<group>_calls` calls by the name of the program and
# `<group>_names` lists.
function(faultline_gather_program group name source)
  faultline_gather(${group} ${name} "${source}")
  file(STRINGS "${source}" with_arguments REGEX "^int main\\(int argc, char\\*\\* argv\\)")
  if(with_arguments)
    set(with_arguments "argc, argv")
  endif()
  string(APPEND ${group}_calls "  if (name == \"${name}\") return ${name}::main(${with_arguments});\n")
  list(APPEND ${group}_names ${name})
  foreach(part includes bodies calls names)
    set(${group}_${part} "${${group}_${part}}" PARENT_SCOPE)
  endforeach()
endfunction()

# faultline_programs_together(<target> <group> <folder>): one executable that is each of the gathered programs, by whichever name in `folder` it is
# called.
function(faultline_programs_together target group folder)
  list(JOIN ${group}_includes "\n" includes)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "${includes}\n#include <filesystem>\n#include <string>\n${${group}_bodies}
int main([[maybe_unused]] int argc, char** argv) {
  const std::string name = std::filesystem::path(argv[0]).filename().string();
${${group}_calls}  return 127;
}
" @ONLY)
  add_executable(${target} "${source}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${folder}")
  foreach(name IN LISTS ${group}_names)
    add_custom_command(TARGET ${target} POST_BUILD COMMAND "${CMAKE_COMMAND}" -E create_symlink ${target} "${folder}/${name}" VERBATIM)
  endforeach()
endfunction()
