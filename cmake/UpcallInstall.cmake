# `cmake --install`: the library, its headers, a CMake package and a pkg-config file.
option(UPCALL_INSTALL "Generate the install rules" ${PROJECT_IS_TOP_LEVEL})
if(NOT UPCALL_INSTALL)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(upcall PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# Two components: the library with all that building against it takes, and the command.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME library)
install(TARGETS upcall EXPORT upcall_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/upcall DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
if(TARGET upcall_command)
  install(TARGETS upcall_command COMPONENT command
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# find_package(upcall): before 1.0 a minor version may break its callers, so only the same
# minor version will do.
set(upcall_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/upcall)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/upcall-config.cmake.in
  ${PROJECT_BINARY_DIR}/package/upcall-config.cmake
  INSTALL_DESTINATION ${upcall_package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/upcall-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/package/upcall-config.cmake
  ${PROJECT_BINARY_DIR}/package/upcall-config-version.cmake
  DESTINATION ${upcall_package_dir})
install(EXPORT upcall_targets COMPONENT library NAMESPACE upcall:: DESTINATION ${upcall_package_dir})

# pkg-config: the prefix is found from the file's own place, so that an installation may move.
file(RELATIVE_PATH upcall_pc_to_prefix
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" upcall_pc_to_prefix ${upcall_pc_to_prefix})
set(upcall_pc_libs_private "-pthread")
if(WIN32)
  set(upcall_pc_libs_private "-lws2_32 -lmswsock")
endif()
set(upcall_pc_requires_private "")
if(UPCALL_LIBKQUEUE_FOUND)
  set(upcall_pc_requires_private libkqueue)
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/upcall.pc.in ${PROJECT_BINARY_DIR}/package/upcall.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/upcall.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
