# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiles many small files as one where FAULTLINE_TEST_TOGETHER says so. Most of what a file here costs is reading and instantiating the
# headers of the library and of those beneath it, the same in each.
#
# faultline_together(<result> <name> <source>...): `result` becomes one generated source that includes them, each in a namespace of its own,
# so that equal names do not meet, after all their includes; what cannot live in a namespace or among others stays by itself. The full tier
# compiles every file by itself, which also shows an include that one has forgotten.
function(faultline_together result name)
  if(NOT FAULTLINE_TEST_TOGETHER)
    set(${result} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(includes "")
  set(bodies "")
  set(alone "")
  foreach(source IN LISTS ARGN)
    file(STRINGS "${source}" unfit REGEX "operator new|extern \"C\"|__has_include|^ *# *(define|undef)")
    if(unfit)
      list(APPEND alone "${source}")
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")  # its includes are copied
    get_filename_component(folder "${source}" DIRECTORY)
    get_filename_component(unit "${source}" NAME_WE)
    file(STRINGS "${source}" lines REGEX "^#include")
    foreach(line IN LISTS lines)
      if(line MATCHES "^#include \"(.*)\"" AND EXISTS "${folder}/${CMAKE_MATCH_1}")
        set(line "#include \"${folder}/${CMAKE_MATCH_1}\"")
      endif()
      list(APPEND includes "${line}")
    endforeach()
    string(APPEND bodies "namespace ${unit} {\n#include \"${source}\"\n}\n")
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)
  set(together "${CMAKE_CURRENT_BINARY_DIR}/${name}_together.cpp")
  file(CONFIGURE OUTPUT "${together}" CONTENT "${includes}\n${bodies}" @ONLY)
  set(${result} "${together}" ${alone} PARENT_SCOPE)
endfunction()
