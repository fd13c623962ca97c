# How the parts of the house are declared. A room is a folder of src/; who may include whom is tools/rules/layers.txt.

# turnpike_fuzzed(TARGET): what the fuzzer runs is compiled so that it sees which ways it took. Where the tests run the
# same code, it only counts: that it also sees what is compared costs them twice their time, and is for the long hunt.
function(turnpike_fuzzed target)
  if(TURNPIKE_FUZZ AND TURNPIKE_TESTS)
    target_compile_options(${target} PRIVATE -fsanitize-coverage=inline-8bit-counters,pc-table)
  elseif(TURNPIKE_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# turnpike_room(NAME [SOURCES file…] [USES room…]): the static library room_NAME from src/NAME.
# A room without sources is headers only.
function(turnpike_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND room_)
  if(ARG_SOURCES)
    add_library(room_${name} STATIC ${ARG_SOURCES})
    target_include_directories(room_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(room_${name} PUBLIC ${ARG_USES} tl::expected Threads::Threads)
    turnpike_fuzzed(room_${name})
    turnpike_precompiled(room_${name} room)
  else()
    add_library(room_${name} INTERFACE)
    target_include_directories(room_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(room_${name} INTERFACE ${ARG_USES} tl::expected Threads::Threads)
  endif()
endfunction()

# What turns the addresses of a sanitizer's report into lines; binutils' is always there.
find_program(TURNPIKE_SYMBOLIZER NAMES llvm-symbolizer-19 addr2line)

# turnpike_test(NAME SOURCES file… [LINK target…] [LABELS threads slow root …] [TIMEOUT seconds] [NO_MAIN]):
# one GoogleTest program. Label `threads`: also built and run under ThreadSanitizer. `slow`: left out of ./check --fast.
# `root`: wants real root. Each program writes a JUnit file that ./check counts.
function(turnpike_test name)
  cmake_parse_arguments(ARG "NO_MAIN" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(TURNPIKE_ONLY_LABEL AND NOT TURNPIKE_ONLY_LABEL IN_LIST ARG_LABELS)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)  # of what takes a few seconds: a busy machine is not to end a test, only one that hangs
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gmock)
  turnpike_precompiled(test_${name} test)
  if(NOT ARG_NO_MAIN)
    target_link_libraries(test_${name} PRIVATE GTest::gtest_main)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
    ENVIRONMENT "GTEST_OUTPUT=xml:${PROJECT_BINARY_DIR}/results/${name}.xml;ASAN_SYMBOLIZER_PATH=${TURNPIKE_SYMBOLIZER};TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp halt_on_error=1")
endfunction()

# turnpike_bench(NAME SOURCES file… LINK target…): one Google Benchmark program, bench_NAME.
function(turnpike_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(bench_${name} ${ARG_SOURCES})
  target_link_libraries(bench_${name} PRIVATE ${ARG_LINK} benchmark::benchmark benchmark::benchmark_main)
endfunction()

# turnpike_fuzz(NAME SOURCES file… LINK target…): one libFuzzer program, fuzz_NAME; its seeds are fuzz/corpus/NAME/.
function(turnpike_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINK})
endfunction()
