# What every translation unit is compiled with. Warnings are errors: a warning that may be ignored is one nobody reads.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Werror
                    -fno-strict-aliasing -fstack-protector-strong -D_GNU_SOURCE)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
                    $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>
                    $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)
# GCC sees overlaps, and reads and writes of half the address space, in the inlined joining, comparing and growing of
# strings and vectors, where there are none; 12 in other places than 14. It says so, and goes on: the sanitizers look too.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  foreach(warning restrict array-bounds stringop-overread stringop-overflow)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-error=${warning}>)
  endforeach()
endif()
# Same paths in every checkout: reproducible objects, and compiler caches that hit from another folder.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--as-needed)

if(TURNPIKE_SANITIZE)
  add_compile_options(-fsanitize=${TURNPIKE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TURNPIKE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options(-fuse-ld=lld)  # two hundred programs are linked: a second each by the usual linker, a tenth by this
  endif()
  if(TURNPIKE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
    # Clang's check of called types goes by names: a callback's DWORD is not an enum's unsigned int to it.
    add_compile_options($<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
    # A C program loads our C++, whose checks ask for more of the runtime than C's own.
    add_link_options($<$<LINK_LANG_AND_ID:C,Clang>:-fsanitize-link-c++-runtime>)
    link_libraries($<$<LINK_LANG_AND_ID:C,Clang>:stdc++>)
  endif()
  if(TURNPIKE_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-error=tsan)  # GCC warns that TSan does not see fences; the code says where it relies on one
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
