# Tests of the build's products. Where a product is not built (a cross build, the library
# alone), its test is left out.

# A project in another directory finds the installed library, by CMake and by pkg-config.
# A sanitized library would need its consumers sanitized; that says nothing about installing.
if(UPCALL_INSTALL AND NOT UPCALL_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME house/installed_library_is_found
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/house/consumer/check
      ${CMAKE_BINARY_DIR} ${CMAKE_COMMAND} ${CMAKE_GENERATOR} ${CMAKE_CXX_COMPILER})
  set_tests_properties(house/installed_library_is_found PROPERTIES TIMEOUT 300)
endif()

# The compiler says what a wrong callback should have taken, and nothing else.
if(NOT CMAKE_CROSSCOMPILING AND NOT UPCALL_SANITIZE)
  add_test(NAME house/wrong_callbacks_are_told_what_is_wanted
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/house/check_callback
      ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR}/include)
endif()

# The upcall command is linked as the hardening flags ask. Its target is known only after
# this folder, so the test is added when everything else is.
function(upcall_test_hardening)
  if(TARGET upcall_command AND UPCALL_HARDENING AND NOT UPCALL_SANITIZE
      AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    add_test(NAME house/upcall_command_is_hardened
      COMMAND sh ${PROJECT_SOURCE_DIR}/tests/house/check_hardening $<TARGET_FILE:upcall_command>)
  endif()
endfunction()
cmake_language(DEFER DIRECTORY ${PROJECT_SOURCE_DIR} CALL upcall_test_hardening)

find_program(UPCALL_PYTHON python3)
if(UPCALL_PYTHON)
  add_test(NAME house/closing_line_counts_honestly
    COMMAND ${UPCALL_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/house/counting.py)
  # The commands of the contract name tests that exist. A cross-built or sanitized tree has fewer.
  if(NOT CMAKE_CROSSCOMPILING AND NOT UPCALL_SANITIZE)
    add_test(NAME house/every_promise_has_its_tests
      COMMAND ${UPCALL_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/house/promises.py
        ${PROJECT_SOURCE_DIR}/docs/contract.md ${CMAKE_BINARY_DIR} ${CMAKE_CTEST_COMMAND})
  endif()
endif()
