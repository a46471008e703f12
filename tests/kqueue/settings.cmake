# The poller itself, over a header that takes the place of <sys/event.h>: everywhere, also where the
# library has no kqueue.
foreach(target test_kqueue upcall_kqueue_by_pipe)
  if(target STREQUAL "upcall_kqueue_by_pipe")
    # What is compiled where there is no EVFILT_USER.
    add_library(${target} OBJECT ${PROJECT_SOURCE_DIR}/src/driver/readiness/kqueue_poller.cpp)
    target_compile_definitions(${target} PRIVATE UPCALL_TEST_WITHOUT_USER_EVENTS)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} PRIVATE upcall upcall_warnings)
  else()
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/driver/readiness/kqueue_poller.cpp)
  endif()
  target_compile_definitions(${target} PRIVATE UPCALL_HAS_KQUEUE=1)
  target_include_directories(${target} SYSTEM BEFORE PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/kqueue/fake)
endforeach()
add_dependencies(test_kqueue upcall_kqueue_by_pipe)
