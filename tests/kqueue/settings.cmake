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

# The driver, with what the library has of it only where there is a kqueue, over one made of epoll
# whose descriptor can be waited for, as libkqueue's cannot: test_kqueue_NAME of `sources` runs the
# tests that match `filter`.
function(upcall_test_on_queue_of_epoll name filter)
  add_executable(test_kqueue_${name} ${ARGN}
    kqueue/on_epoll/main.cpp kqueue/on_epoll/queue_of_epoll.cpp)
  foreach(source select.cpp readiness/factory.cpp readiness/kqueue_poller.cpp)
    target_sources(test_kqueue_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/driver/${source})
  endforeach()
  target_compile_definitions(test_kqueue_${name} PRIVATE
    UPCALL_HAS_KQUEUE=1 UPCALL_TEST_WITHOUT_USER_EVENTS)
  target_include_directories(test_kqueue_${name} SYSTEM BEFORE PRIVATE
    ${CMAKE_CURRENT_SOURCE_DIR}/kqueue/fake)
  target_include_directories(test_kqueue_${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(test_kqueue_${name} PRIVATE
    upcall_test_tree upcall upcall_warnings GTest::gtest GTest::gmock)
  gtest_discover_tests(test_kqueue_${name} TEST_PREFIX "kqueue/on_epoll/" TEST_FILTER "${filter}"
    NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${UPCALL_TEST_TIMEOUT})
endfunction()
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  upcall_test_on_queue_of_epoll(embedded "drivers/embedded.*" loop/posix/loops_live_inside_others.cpp)
  # What a sanitizer sees in the rest of the suite it has seen on the other drivers.
  if(NOT UPCALL_SANITIZE)
    upcall_test_on_queue_of_epoll(conformance "*/kqueue" $<TARGET_OBJECTS:test_conformance>)
  endif()
endif()
