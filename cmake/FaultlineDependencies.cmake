# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The libraries behind faultline::core, found alike by our own build and by an installed package; a parent's targets are taken as they are.
include_guard(GLOBAL)

# faultline_find_core_dependencies(<missing> [GLOBAL]): `missing` becomes one sentence, or empty when everything is there.
# GLOBAL makes the imported targets visible to the whole project, which a FetchContent or add_subdirectory parent needs.
function(faultline_find_core_dependencies missing)
  set(scope ${ARGN})
  set(lacking "")

  if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 QUIET CONFIG ${scope})  # no version here: Eigen 5 calls itself incompatible with a request for 3.4
    if(Eigen3_FOUND AND Eigen3_VERSION VERSION_LESS 3.4)
      list(APPEND lacking "Eigen 3.4 or newer (found ${Eigen3_VERSION})")
    elseif(NOT Eigen3_FOUND)
      list(APPEND lacking "Eigen (libeigen3-dev)")
    endif()
  endif()

  if(NOT TARGET Boost::headers)
    find_package(Boost 1.74 QUIET CONFIG ${scope})
    if(NOT TARGET Boost::headers)
      find_path(FAULTLINE_BOOST_INCLUDE_DIR boost/math/distributions/beta.hpp)
      mark_as_advanced(FAULTLINE_BOOST_INCLUDE_DIR)
      if(FAULTLINE_BOOST_INCLUDE_DIR)
        add_library(Boost::headers INTERFACE IMPORTED ${scope})
        target_include_directories(Boost::headers INTERFACE "${FAULTLINE_BOOST_INCLUDE_DIR}")
      else()
        list(APPEND lacking "Boost 1.74 or newer (libboost-dev)")
      endif()
    endif()
  endif()

  if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json 3.10 QUIET CONFIG ${scope})
    if(NOT nlohmann_json_FOUND)
      list(APPEND lacking "nlohmann-json (nlohmann-json3-dev)")
    endif()
  endif()

  if(NOT TARGET xtensor)
    find_package(xtensor QUIET CONFIG ${scope})
    if(NOT TARGET xtensor)
      list(APPEND lacking "xtensor (libxtensor-dev)")
    endif()
  endif()

  if(NOT TARGET ZLIB::ZLIB)
    find_package(ZLIB QUIET ${scope})
    if(NOT ZLIB_FOUND)
      list(APPEND lacking "zlib (zlib1g-dev)")
    endif()
  endif()

  if(NOT TARGET PNG::PNG)
    find_package(PNG 1.6 QUIET ${scope})
    if(NOT PNG_FOUND)
      list(APPEND lacking "libpng (libpng-dev)")
    endif()
  endif()

  if(lacking)
    list(JOIN lacking ", " lacking)
    set(lacking "Faultline needs ${lacking}.")
  endif()
  set(${missing} "${lacking}" PARENT_SCOPE)
endfunction()
