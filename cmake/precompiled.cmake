# Heavy headers are compiled once a build, not in each of some six hundred files: the standard library's for rooms, and
# with GoogleTest's for tests. That is a third of a clean build's time.
#
# A compiler cache cannot see through them from one checkout to another: whoever has one says so by CMake's own variable
# (CMAKE_CXX_COMPILER_LAUNCHER=ccache, in the environment too), and goes without.
if(CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  set(TURNPIKE_PRECOMPILED OFF)
else()
  set(TURNPIKE_PRECOMPILED ON)
endif()

# turnpike_precompiled(TARGET KIND): its C++ is compiled with the headers of that kind, room or test.
function(turnpike_precompiled target kind)
  if(TURNPIKE_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM precompiled_${kind})
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.c$")
    set_source_files_properties(${sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# Two targets have them and nothing else: rooms are position-independent as libraries are, tests as programs are.
if(TURNPIKE_PRECOMPILED)
  add_library(precompiled_room OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/precompiled/nothing.cpp)
  target_link_libraries(precompiled_room PRIVATE tl::expected Threads::Threads)
  target_precompile_headers(precompiled_room PRIVATE ${CMAKE_CURRENT_LIST_DIR}/precompiled/room.h)
endif()
if(TURNPIKE_PRECOMPILED AND TURNPIKE_TESTS)
  find_package(GTest REQUIRED)
  add_executable(precompiled_test EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/precompiled/nothing.cpp)
  target_link_libraries(precompiled_test PRIVATE tl::expected Threads::Threads GTest::gtest GTest::gmock)
  target_precompile_headers(precompiled_test PRIVATE ${CMAKE_CURRENT_LIST_DIR}/precompiled/test.h)
endif()
