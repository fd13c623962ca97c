# What `cmake --install` puts where, and how others find it:
#
#   lib/libturnpike.so.0.1.0, .so.0, .so      include/turnpike/        lib/pkgconfig/turnpike.pc      Turnpike::turnpike
#   lib/libturnpike-ndis.so…                  (ndis.h is among the headers)  lib/pkgconfig/turnpike-ndis.pc  Turnpike::ndis
#   (the documented Windows headers)          include/turnpike-win/    lib/pkgconfig/turnpike-win.pc  Turnpike::win
#
# The Windows headers have a folder of their own, not include/ itself: their names (mgm.h, rtm.h, windows.h) would shadow
# other people's. Nothing that is installed holds an absolute path, so a tree may be moved as a whole.
include(CMakePackageConfigHelpers)

# The target of the Windows headers: Turnpike::win here and for those who find the package.
add_library(turnpike_win INTERFACE)
set_target_properties(turnpike_win PROPERTIES EXPORT_NAME win)
target_link_libraries(turnpike_win INTERFACE turnpike)
target_include_directories(turnpike_win INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/win>
                           $<BUILD_INTERFACE:${TURNPIKE_HEADER_CASE}>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/turnpike-win>)
# Protocol drivers: the library and, through Turnpike::win, ndis.h.
set_target_properties(turnpike-ndis PROPERTIES EXPORT_NAME ndis)
target_link_libraries(turnpike-ndis INTERFACE turnpike_win)
add_library(Turnpike::turnpike ALIAS turnpike)
add_library(Turnpike::ndis ALIAS turnpike-ndis)
add_library(Turnpike::win ALIAS turnpike_win)

install(TARGETS turnpike turnpike_win turnpike-ndis EXPORT TurnpikeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/turnpike DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
# No FILES_MATCHING here: headers are found whatever the case of their names, so some end in .H or are links.
install(DIRECTORY include/win/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/turnpike-win PATTERN "*.md" EXCLUDE)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Turnpike)
install(EXPORT TurnpikeTargets NAMESPACE Turnpike:: DESTINATION ${package_folder})
configure_package_config_file(cmake/TurnpikeConfig.cmake.in ${PROJECT_BINARY_DIR}/TurnpikeConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TurnpikeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TurnpikeConfig.cmake ${PROJECT_BINARY_DIR}/TurnpikeConfigVersion.cmake
        DESTINATION ${package_folder})

# Paths inside a .pc file start from where it lies.
set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_PREFIX}/${pc_folder} ${CMAKE_INSTALL_PREFIX})
foreach(package turnpike turnpike-win turnpike-ndis)
  configure_file(cmake/${package}.pc.in ${PROJECT_BINARY_DIR}/${package}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${package}.pc DESTINATION ${pc_folder})
endforeach()
