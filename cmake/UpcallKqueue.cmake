# kqueue: part of the BSDs and of macOS; on Linux where pkg-config finds libkqueue, which makes it of
# epoll. Sets UPCALL_HAS_KQUEUE.
option(UPCALL_KQUEUE "Build the driver kqueue where there is one" ON)
set(UPCALL_HAS_KQUEUE OFF)
if(UPCALL_KQUEUE AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(UPCALL_LIBKQUEUE QUIET libkqueue)
    set(UPCALL_HAS_KQUEUE ${UPCALL_LIBKQUEUE_FOUND})
  endif()
elseif(UPCALL_KQUEUE AND UNIX)
  include(CheckIncludeFiles)
  check_include_files("sys/types.h;sys/event.h" UPCALL_SYSTEM_KQUEUE LANGUAGE CXX)
  set(UPCALL_HAS_KQUEUE ${UPCALL_SYSTEM_KQUEUE})
endif()

set(UPCALL_KQUEUE_SOURCES
  host/linux/interpret.cpp readiness/factory.cpp readiness/kqueue_poller.cpp select.cpp)

function(upcall_add_kqueue target)
  if(NOT UPCALL_HAS_KQUEUE)
    return()
  endif()
  # Those alone that know of it: the rest is the same with and without.
  list(TRANSFORM UPCALL_KQUEUE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/src/driver/
    OUTPUT_VARIABLE sources)
  set_property(SOURCE ${sources} APPEND PROPERTY COMPILE_DEFINITIONS UPCALL_HAS_KQUEUE=1)
  if(UPCALL_LIBKQUEUE_FOUND)
    target_link_libraries(${target} PRIVATE ${UPCALL_LIBKQUEUE_LINK_LIBRARIES})
    foreach(folder ${UPCALL_LIBKQUEUE_INCLUDE_DIRS})
      set_property(SOURCE ${sources} APPEND PROPERTY COMPILE_OPTIONS -isystem ${folder})
    endforeach()
  endif()
endfunction()
