# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Run by cpack on the files of each package before it is closed. The archive gets those shared libraries of the program that not every distribution
# has, in the folder that the program's run path names; a Debian package depends on the distribution's instead, and has its licence where Debian's
# policy wants it.
set(folder "${CPACK_TEMPORARY_INSTALL_DIRECTORY}")

if(CPACK_GENERATOR STREQUAL "TGZ" AND EXISTS "${folder}/bin/faultline")
  # (what stays out is in the manylinux policies: the C and C++ run-time libraries and zlib)
  file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${folder}/bin/faultline" RESOLVED_DEPENDENCIES_VAR libraries
    PRE_EXCLUDE_REGEXES "^lib(c|m|dl|rt|pthread|gcc_s|stdc\\+\\+|z)\\.so" "^ld-linux")
  foreach(library IN LISTS libraries)
    get_filename_component(name "${library}" NAME)
    file(REAL_PATH "${library}" library)
    file(COPY_FILE "${library}" "${folder}/name")
    file(MAKE_DIRECTORY "${folder}/lib/faultline")
    file(RENAME "${folder}/name" "${folder}/lib/faultline/${name}")
  endforeach()
elseif(CPACK_GENERATOR STREQUAL "DEB")
  file(READ "${CPACK_FAULTLINE_SOURCE_DIR}/NOTICE" notice)
  file(READ "${CPACK_FAULTLINE_SOURCE_DIR}/LICENSE" licence)
  foreach(package "faultline_programs|faultline" "faultline_development|libfaultline-dev")
    string(REGEX MATCH "^(.*)\\|(.*)$" package "${package}")
    set(component "${folder}/${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    file(GLOB docs "${component}/usr/share/doc")
    if(NOT docs)
      continue()
    endif()
    if(NOT name STREQUAL "faultline")  # two packages share no file
      file(REMOVE "${docs}/faultline/LICENSE" "${docs}/faultline/NOTICE")
      file(RENAME "${docs}/faultline" "${docs}/${name}")
    endif()
    file(WRITE "${docs}/${name}/copyright" "${notice}\n${licence}")
  endforeach()
endif()
