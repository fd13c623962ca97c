# test_ground, the library: for the tests, and for benchmarks that stand on the same ground.
find_package(GTest REQUIRED)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/parts.txt)
file(READ ${CMAKE_CURRENT_LIST_DIR}/parts.txt PARTS)
file(CONFIGURE OUTPUT parts_text.h CONTENT [[
#pragma once
inline constexpr char kPartsText[] = R"parts(@PARTS@)parts";
]] @ONLY)

set(ground_sources descriptor.cpp frames.cpp ground.cpp multicast.cpp parts.cpp play.cpp process.cpp)
list(TRANSFORM ground_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(test_ground STATIC EXCLUDE_FROM_ALL ${ground_sources})
target_include_directories(test_ground PUBLIC ${PROJECT_SOURCE_DIR}/tests PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(test_ground PUBLIC GTest::gtest)
